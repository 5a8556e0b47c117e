"""Which parts of the vector index are rewritten together, so that their number and their dead rows stay bounded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

SMALLEST_ROWS = 2_048
"""Rows of the smallest segment worth a file of its own while vectors keep coming in."""

LARGEST_ROWS = 262_144
"""Segments are not merged beyond this, so that no rewrite takes more than seconds."""

QUANTISED_ROWS = 16_384
"""Segments of so many rows or more are quantised; comparing with each vector of a smaller one takes a millisecond."""

AT_ONCE_ROWS = 4_096
"""New rows up to this many are searchable at once; more wait for a segment that is made of them in the background."""

FAN_IN = 4
"""So many segments of one size class become one of the next: each vector is rewritten once per class."""

DEAD_SHARE = 0.3
"""A segment with a larger share of removed rows is rewritten without them."""


@dataclass(frozen=True, slots=True)
class IndexLimits:
    """The sizes, in rows, at which the vector index changes its ways."""

    smallest: int = SMALLEST_ROWS
    quantised: int = QUANTISED_ROWS
    largest: int = LARGEST_ROWS
    at_once: int = AT_ONCE_ROWS


@dataclass(frozen=True, slots=True)
class PartSize:
    """How many rows a part holds, how many of them are live, and whether it is in a file already."""

    rows: int
    live: int
    saved: bool


def parts_to_rewrite(sizes: Sequence[PartSize], limits: IndexLimits | None = None) -> list[int]:
    """Indexes of the parts to merge into one new segment next; empty when all is well."""
    limits = limits or IndexLimits()
    dead = [index for index, size in enumerate(sizes) if size.rows - size.live > DEAD_SHARE * size.rows]
    if dead:
        return _bounded(dead, sizes, limits.largest)
    unsaved = [index for index, size in enumerate(sizes) if not size.saved]
    if unsaved:
        return _bounded(unsaved, sizes, limits.largest)
    classes: dict[int, list[int]] = defaultdict(list)
    for index, size in enumerate(sizes):
        classes[_size_class(size.live, limits.smallest)].append(index)
    for number in sorted(classes):
        merged = _bounded(classes[number], sizes, limits.largest)
        if len(classes[number]) >= FAN_IN and len(merged) > 1:
            return merged
    return []


def _size_class(rows: int, smallest: int) -> int:
    number = 0
    while rows >= smallest * FAN_IN ** (number + 1):
        number += 1
    return number


def _bounded(indexes: Sequence[int], sizes: Sequence[PartSize], largest: int) -> list[int]:
    """The smallest of ``indexes`` whose live rows fit in one segment together; at least one."""
    chosen: list[int] = []
    rows = 0
    for index in sorted(indexes, key=lambda each: sizes[each].live):
        rows += sizes[index].live
        if chosen and rows > largest:
            break
        chosen.append(index)
    return chosen
