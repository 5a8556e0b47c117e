"""How a table becomes text: a line per row, so that rows can be kept whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

CELL_SEPARATOR = " | "
LONGEST_SPREAD = 60


def table_text(rows: Iterable[Sequence[str]]) -> str:
    """Return one line per row with cells, the first being the header; line ends inside cells become spaces."""
    return "\n".join(line for row in rows if (line := joined_cells(row)))


def joined_cells(row: Sequence[str]) -> str:
    """Return a row's cells on one line, "" if none holds anything; line ends inside cells become spaces."""
    cells = [" ".join(cell.split()) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return CELL_SEPARATOR.join(cells)


def spread(text: str, columns: int) -> list[str]:
    """Return what a cell puts into each of the ``columns`` it covers.

    Short text stands in each, so that every column under a merged header tells what it belongs to; a long one once.
    """
    return [text, *([text if len(text) <= LONGEST_SPREAD else ""] * (columns - 1))]
