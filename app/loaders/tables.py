"""How a table becomes text: a line per row, so that rows can be kept whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

CELL_SEPARATOR = " | "
LONGEST_SPREAD = 60
MOST_TITLE_ROWS = 3


def table_text(rows: Iterable[Sequence[str]]) -> str:
    """Return one line per row with cells, the first being the header; line ends inside cells become spaces."""
    return "\n".join(line for row in rows if (line := joined_cells(row)))


def separate_tables(rows: Iterable[Sequence[str]]) -> list[list[Sequence[str]]]:
    """Return the tables of a sheet, which stand apart by empty rows.

    What follows an empty row is a table of its own only if it begins with a header: perhaps a title, then a row of
    names, then one with numbers. Anything else goes on with the table before, whose header it needs.
    """
    found: list[list[Sequence[str]]] = []
    for group in _groups(rows):
        if found and not _has_header(group):
            found[-1].extend(group)
        else:
            found.append(group)
    return found


def _groups(rows: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    group: list[Sequence[str]] = []
    for row in rows:
        if any(cell.strip() for cell in row):
            group.append(row)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    for number, row in enumerate(rows[: MOST_TITLE_ROWS + 1]):
        cells = [cell for cell in row if cell.strip()]
        if len(cells) > 1:
            below = rows[number + 1] if number + 1 < len(rows) else []
            return not any(map(_is_number, cells)) and any(map(_is_number, below))
    return False


def _is_number(cell: str) -> bool:
    return any(map(str.isdigit, cell)) and not any(map(str.isalpha, cell))


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
