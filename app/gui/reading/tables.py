"""Extracted tables, a line for each row, as rows of cells."""

from __future__ import annotations

from app.gui.reading.blocks import Cell, Run, Table
from app.loaders.tables import CELL_SEPARATOR


def table_of(text: str, offset: int, *, header: bool = True) -> Table:
    """The table that ``text``, which begins at ``offset`` in the document, says line by line."""
    rows: list[tuple[Cell, ...]] = []
    position = 0
    for line in text.split("\n"):
        if line.strip():
            rows.append(_cells(line, offset + position))
        position += len(line) + 1
    return Table(tuple(rows), header)


def _cells(line: str, offset: int) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    position = 0
    for text in line.split(CELL_SEPARATOR):
        cells.append((Run(text, offset + position),) if text else ())
        position += len(text) + len(CELL_SEPARATOR)
    return tuple(cells)
