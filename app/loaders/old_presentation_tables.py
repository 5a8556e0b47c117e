"""Tables of PowerPoint 97 to 2003: groups of text boxes that say of themselves that they are a table ([MS-ODRAW])."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.loaders.old_presentation_records import BYTES, CHARACTERS, SHAPE, TEXT_BOX, Record, RecordStream, shown
from app.loaders.tables import spread

MOST_CELLS = 100_000
# Master units, 576 an inch: edges that are nearer than this are one.
SAME_EDGE = 4
_CHILD_ANCHOR, _OPTIONS = 0xF00F, 0xF122
_TABLE_PROPERTIES, _IS_TABLE = 0x039F, 1


@dataclass(frozen=True, slots=True)
class _Cell:
    left: int
    top: int
    right: int
    bottom: int
    text: str


def is_table(records: RecordStream, group: Record) -> bool:
    """Whether a group of shapes is a table: the first shape, which stands for the group itself, says so."""
    itself = next(records.children(group), None)
    if itself is None or itself.kind != SHAPE:
        return False
    options = [each for each in records.children(itself) if each.kind == _OPTIONS]
    return any(_property(records, each, _TABLE_PROPERTIES) & _IS_TABLE for each in options)


def table_rows(records: RecordStream, group: Record) -> list[list[str]]:
    """Return the rows of a table; of one with more places than tables have, a row for each cell.

    Where cells begin tells the rows and columns. A merged cell's text stands in the places it covers, as in tables of
    newer presentations. Raises ``struct.error`` if the records are broken.
    """
    cells = list(_cells(records, group))
    tops, lefts = _edges([cell.top for cell in cells]), _edges([cell.left for cell in cells])
    if len(tops) * len(lefts) > MOST_CELLS:
        return [[cell.text] for cell in cells]
    rows = [[""] * len(lefts) for _ in tops]
    for cell in cells:
        across = _covered(lefts, cell.left, cell.right)
        texts = spread(cell.text, 1 if len(across) == len(lefts) else len(across))  # a title stands once
        down = _covered(tops, cell.top, cell.bottom)
        for row, again in zip(down, spread(cell.text, len(down)), strict=True):
            for column, text in zip(across, texts, strict=False):
                rows[row][column] = text if again else ""
    return rows


def _cells(records: RecordStream, group: Record) -> Iterator[_Cell]:
    for shape in records.children(group):
        parts = {each.kind: each for each in records.children(shape)} if shape.kind == SHAPE else {}
        if TEXT_BOX in parts and _CHILD_ANCHOR in parts:
            held = [each for each in records.children(parts[TEXT_BOX]) if each.kind in {CHARACTERS, BYTES}]
            text = shown("".join(map(records.raw_text, held)))
            left, top, right, bottom = struct.unpack_from("<4i", records.data(parts[_CHILD_ANCHOR]))
            yield _Cell(left, top, right, bottom, text)


def _edges(places: Sequence[int]) -> list[int]:
    ordered = sorted(set(places))
    return ordered[:1] + [place for before, place in pairwise(ordered) if place - before > SAME_EDGE]


def _covered(edges: Sequence[int], start: int, end: int) -> list[int]:
    """The numbers of the rows or columns that begin in ``[start, end)``."""
    found = [number for number, edge in enumerate(edges) if start - SAME_EDGE <= edge < end - SAME_EDGE]
    return found or [max((number for number, edge in enumerate(edges) if edge <= start), default=0)]


def _property(records: RecordStream, options: Record, wanted: int) -> int:
    """Return the value of a shape's property, 0 if it isn't stated."""
    data = records.data(options)
    for place in range(0, min(6 * options.instance, len(data) - 5), 6):
        name, value = struct.unpack_from("<HI", data, place)
        if name & 0x3FFF == wanted:
            return int(value)
    return 0
