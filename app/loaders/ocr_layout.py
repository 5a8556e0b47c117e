"""Puts lines that OCR read in reading order, and makes of them a section's text and the places of its words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from app.domain.box_map import BoxMap, PlacedWord
from app.loaders.ocr_engine import OcrLine, OcrReading, turned_back

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORD = re.compile(r"\S+")
# Boxes share a row if they overlap by this part of the lower one's height.
_SAME_ROW = 0.5
# The white between columns is at least this many line heights wide (lines are found with a margin), that between
# paragraphs this many high.
_COLUMN_GAP = 0.3
_PARAGRAPH_GAP = 0.9
# Lines of running text are this many times as wide as high, and fill this part of their column: tables are not cut.
_LONG_LINE = 8.0
_FILLED = 0.55
_MOSTLY = 0.8


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line with its rectangle on the page made level."""

    line: OcrLine
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


def text_and_boxes(reading: OcrReading, scale: float = 1.0) -> tuple[str, BoxMap, float]:
    """Return the text in reading order, where its words stand, and the mean confidence of its characters.

    Rectangles are in pixels of the picture as it was handed in, times ``scale``.
    """
    text = ""
    words: list[PlacedWord] = []
    previous: list[_Placed] = []
    number = 0
    for row in _rows(_level(reading.lines)):
        text += _break_before(row, previous)
        for place, item in enumerate(row):
            text += " " if place else ""
            words.extend(_words(item.line, reading, len(text), number, scale))
            text += item.line.read.text.rstrip()
            number += 1
        previous = row
    letters = sum(len(line.read.text) for line in reading.lines)
    total = sum(float(line.read.confidences.sum()) for line in reading.lines)
    return text, BoxMap(words), total / letters if letters else 0.0


def _break_before(row: Sequence[_Placed], previous: Sequence[_Placed]) -> str:
    if not previous:
        return ""
    gap = row[0].top - max(item.bottom for item in previous)
    # A new column begins above the end of the one before.
    return "\n\n" if gap > _PARAGRAPH_GAP * row[0].height or row[0].bottom < previous[0].top else "\n"


def _level(lines: Sequence[OcrLine]) -> list[_Placed]:
    """Turn all lines by the slant that most of the long ones share."""
    slants = [
        math.atan2(float(line.quad[1][1] - line.quad[0][1]), float(line.quad[1][0] - line.quad[0][0]))
        for line in lines
        if len(line.read.text) > 3
    ]
    slant = median(slants) if slants else 0.0
    slant = slant if abs(slant) < math.pi / 4 else 0.0
    cosine, sine = math.cos(slant), math.sin(slant)
    placed = []
    for line in lines:
        across = [float(x) * cosine + float(y) * sine for x, y in line.quad]
        down = [float(y) * cosine - float(x) * sine for x, y in line.quad]
        placed.append(_Placed(line, min(across), min(down), max(across), max(down)))
    return placed


def _rows(items: Sequence[_Placed]) -> Iterator[list[_Placed]]:
    """Yield rows in reading order: columns one after the other, where there are columns."""
    pending = [list(items)]
    while pending:
        part = pending.pop()
        columns = _columns(part)
        if columns:
            pending += reversed(columns)
            continue
        bands = _bands(part)
        if len(bands) > 1:
            pending += reversed(bands)
        else:
            yield from _grouped_rows(part)


def _columns(items: Sequence[_Placed]) -> list[list[_Placed]]:
    """Cut at the white between columns of running text; nothing if there is none."""
    if len(items) < 4:
        return []
    gap = _COLUMN_GAP * median(item.height for item in items)
    parts = _cut(items, lambda item: (item.left, item.right), gap)
    running = [part for part in parts if _is_running_text(part)]
    # What stands beside the columns, such as a stamp or a line number, takes no part in the decision.
    covered = sum(map(len, running))
    return parts if len(running) > 1 and covered >= _MOSTLY * len(items) else []


def _is_running_text(part: Sequence[_Placed]) -> bool:
    extent = max(item.right for item in part) - min(item.left for item in part)
    width = median(item.width for item in part)
    return len(part) > 1 and width >= _FILLED * extent and width >= _LONG_LINE * median(item.height for item in part)


def _bands(items: Sequence[_Placed]) -> list[list[_Placed]]:
    """Cut once at white across the whole part, but only where columns show up on one side: all else is rows."""
    ordered = sorted(items, key=lambda item: item.top)
    bottom = -math.inf
    for place, item in enumerate(ordered):
        if place and item.top >= bottom - _SAME_ROW * item.height:
            above, below = ordered[:place], ordered[place:]
            if _columns(above) or _columns(below):
                return [above, below]
        bottom = max(bottom, item.bottom)
    return [ordered]


def _cut(items: Sequence[_Placed], extent: Callable[[_Placed], tuple[float, float]], gap: float) -> list[list[_Placed]]:
    parts: list[list[_Placed]] = []
    reached = -math.inf
    for item in sorted(items, key=extent):
        start, end = extent(item)
        if not parts or start - reached >= gap:
            parts.append([])
        parts[-1].append(item)
        reached = max(reached, end)
    return parts


def _grouped_rows(items: Sequence[_Placed]) -> Iterator[list[_Placed]]:
    row: list[_Placed] = []
    for item in sorted(items, key=lambda item: item.top + item.bottom):
        if row and not _in_row(row[-1], item):
            yield sorted(row, key=lambda each: each.left)
            row = []
        row.append(item)
    if row:
        yield sorted(row, key=lambda each: each.left)


def _in_row(one: _Placed, other: _Placed) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared >= _SAME_ROW * min(one.height, other.height)


def _words(line: OcrLine, reading: OcrReading, start: int, number: int, scale: float) -> Iterator[PlacedWord]:
    """Yield the rectangles of a line's words; half a character stands on either side of its middle."""
    import numpy as np

    text, places = line.read.text.rstrip(), line.read.places
    half = float(np.median(np.diff(places))) / 2 if len(text) > 1 else 0.5
    for found in _WORD.finditer(text):
        first = max(0.0, float(places[found.start()]) - half)
        last = min(1.0, float(places[found.end() - 1]) + half)
        corners = turned_back(_part(line.quad, first, last), reading) * scale
        left, top = corners.min(axis=0)
        right, bottom = corners.max(axis=0)
        yield PlacedWord(
            start + found.start(), start + found.end(), number, float(left), float(top), float(right), float(bottom)
        )


def _part(quad: NDArray[np.float32], first: float, last: float) -> NDArray[np.float32]:
    """The corners of the part of a line from ``first`` to ``last`` (0 to 1)."""
    import numpy as np

    upper, lower = quad[1] - quad[0], quad[2] - quad[3]
    corners = [quad[0] + first * upper, quad[0] + last * upper, quad[3] + last * lower, quad[3] + first * lower]
    return np.array(corners, np.float32)
