"""Which parts of the vector index are rewritten together, so that their number and their dead rows stay bounded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

SMALLEST_ROWS = 2_048
"""Rows of the smallest segment worth a file of its own while vectors keep coming in."""

LARGEST_ROWS = 262_144
"""Segments are not merged beyond this, so that no rewrite takes more than seconds."""

FAN_IN = 4
"""So many segments of one size class become one of the next: each vector is rewritten once per class."""

DEAD_SHARE = 0.3
"""A segment with a larger share of removed rows is rewritten without them."""


@dataclass(frozen=True, slots=True)
class PartSize:
    """How many rows a part holds, how many of them are live, and whether it is in a file already."""

    rows: int
    live: int
    saved: bool


def parts_to_rewrite(sizes: Sequence[PartSize]) -> list[int]:
    """Indexes of the parts to merge into one new segment next; empty when all is well."""
    dead = [index for index, size in enumerate(sizes) if size.rows - size.live > DEAD_SHARE * size.rows]
    if dead:
        return _bounded(dead, sizes)
    unsaved = [index for index, size in enumerate(sizes) if not size.saved]
    if unsaved:
        return _bounded(unsaved, sizes)
    classes: dict[int, list[int]] = defaultdict(list)
    for index, size in enumerate(sizes):
        classes[_size_class(size.live)].append(index)
    for number in sorted(classes):
        merged = _bounded(classes[number], sizes)
        if len(classes[number]) >= FAN_IN and len(merged) > 1:
            return merged
    return []


def _size_class(rows: int) -> int:
    number = 0
    while rows >= SMALLEST_ROWS * FAN_IN ** (number + 1):
        number += 1
    return number


def _bounded(indexes: Sequence[int], sizes: Sequence[PartSize]) -> list[int]:
    """The smallest of ``indexes`` whose live rows fit in one segment together; at least one."""
    chosen: list[int] = []
    rows = 0
    for index in sorted(indexes, key=lambda each: sizes[each].live):
        rows += sizes[index].live
        if chosen and rows > LARGEST_ROWS:
            break
        chosen.append(index)
    return chosen
