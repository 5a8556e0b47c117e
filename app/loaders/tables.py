"""How a table becomes text: a line per row, so that rows can be kept whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

CELL_SEPARATOR = " | "


def table_text(rows: Iterable[Sequence[str]]) -> str:
    """Return one line per row with cells, the first being the header; line ends inside cells become spaces."""
    lines = []
    for row in rows:
        cells = [" ".join(cell.split()) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if any(cells):
            lines.append(CELL_SEPARATOR.join(cells))
    return "\n".join(lines)
