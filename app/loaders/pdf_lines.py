"""Where the lines of a PDF page stand, as cheaply as PDFium can tell.

Asking for each glyph's box costs more than reading the page. Rectangles of whole stretches are counted and made inside
PDFium; single words are asked for only where a line has a gap.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from app.loaders.mapped_text import MappedText
from app.loaders.pdfium import Handle

# Lines made of more stretches than this (a stretch a glyph, with some makers) are measured word by word.
MOST_STRETCHES = 16
SLANT_TOLERANCE = math.radians(5)
_WORD = re.compile(r"\S+")


@dataclass(slots=True)
class Piece:
    """Text ``[start, end)`` that stands on one line, and its box in points.

    Boxes are in a frame in which the text is horizontal and reads from top to bottom: y points down.
    """

    start: int
    end: int
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(slots=True)
class Line(Piece):
    """A line as PDFium has it; its box reaches from its first to its last glyph.

    ``turn`` counts the right angles (counter-clockwise, on the page before its own rotation) at which it is written,
    None for slanted text.
    """

    turn: int | None


class PageGeometry:
    """Measures the lines of an open page. Valid while the page is open."""

    def __init__(self, mapped: MappedText, page: Handle, text_page: Handle) -> None:
        import pypdfium2.raw as raw

        self.mapped = mapped
        self._raw: Any = raw
        self._text_page = text_page
        visible = raw.FS_RECTF()
        raw.FPDF_GetPageBoundingBox(page, visible)
        self._visible = (visible.left, visible.bottom, visible.right, visible.top)
        self._edges = tuple(ctypes.c_double() for _ in range(4))
        self._references = tuple(map(ctypes.byref, self._edges))

    def visible(self, turn: int) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of the visible page in the frame of text written at ``turn``."""
        return _turned(*self._visible, turn)

    def font_height(self, line: Line) -> float:
        """Return from how far below to how far above the base line the font of ``line`` reaches, in points."""
        box = self._raw.FS_RECTF()
        glyph = next((first for _, _, first, _ in self._words(line) if first >= 0), -1)
        self._raw.FPDFText_GetLooseCharBox(self._text_page, glyph, box)
        return float(max(box.top - box.bottom, box.right - box.left))

    def lines(self) -> list[Line]:
        """Return the lines that hold glyphs, in PDFium's order, which is mostly that of the page's content."""
        return [self._line(*line) for line in _lines_of(self.mapped)]

    def words(self, line: Line) -> list[Piece]:
        """Return the words of ``line`` that hold glyphs, in the order of the text."""
        words: list[Piece] = []
        for start, end, first, last in self._words(line):
            if first >= 0:
                box = _united(self._char_box(first), self._char_box(last))
                words.append(Piece(start if words else line.start, end, *_turned(*box, line.turn or 0)))
            elif words:
                words[-1].end = end
        return words

    def _words(self, line: Line) -> Iterator[tuple[int, int, int, int]]:
        """Yield start and end of each word of ``line`` and its first and last glyph (-1: it has none)."""
        offset = line.start
        indexes = self.mapped.char_map[offset : line.end] if self.mapped.char_map is not None else ()
        for found in _WORD.finditer(self.mapped.text, offset, line.end):
            start, end = found.span()
            first, last = indexes[start - offset], indexes[end - 1 - offset]
            if first < 0 or last < 0:
                glyphs = [index for index in indexes[start - offset : end - offset] if index >= 0] or [-1]
                first, last = glyphs[0], glyphs[-1]
            yield start, end, first, last

    def has_gap(self, line: Line, width: float) -> bool:
        """Whether ``line`` has room wider than ``width`` points between glyphs that are neighbours on it."""
        words = [(first, last) for _, _, first, last in self._words(line) if first >= 0]
        if len(words) < 2:
            return False
        begin, end = words[0][0], words[-1][1]
        count = self._raw.FPDFText_CountRects(self._text_page, begin, end - begin + 1)
        if count > MOST_STRETCHES:
            boxes = [_united(self._char_box(first), self._char_box(last)) for first, last in words]
        else:
            boxes = [self._stretch(place) for place in range(count)]
        turned = (_turned(*box, line.turn or 0) for box in boxes)
        return _widest_gap((left, right) for left, _, right, _ in turned) > width

    def _line(self, start: int, end: int, first: int, last: int) -> Line:
        head, tail = self._char_box(first), self._char_box(last)
        box = _united(head, tail)
        turn: int | None = 0
        if tail[0] <= head[0] or box[3] - box[1] > box[2] - box[0]:  # perhaps it doesn't lead to the right
            turn = _right_angles(self._raw.FPDFText_GetCharAngle(self._text_page, first))
        return Line(start, end, *_turned(*box, turn or 0), turn)

    def _stretch(self, place: int) -> tuple[float, float, float, float]:
        left, top, right, bottom = self._edges
        self._raw.FPDFText_GetRect(self._text_page, place, *self._references)
        return left.value, bottom.value, right.value, top.value

    def _char_box(self, index: int) -> tuple[float, float, float, float]:
        left, right, bottom, top = self._edges
        self._raw.FPDFText_GetCharBox(self._text_page, index, *self._references)
        return left.value, bottom.value, right.value, top.value


def _lines_of(mapped: MappedText) -> Iterator[tuple[int, int, int, int]]:
    """Yield start and end of each line that holds glyphs, and the first and last of its PDFium indexes."""
    runs = list(mapped.char_map.runs()) if mapped.char_map is not None else []
    place, position = 0, 0
    for line in mapped.text.split("\n"):
        end = position + len(line)
        begun = place
        while place < len(runs) and runs[place][0] < end:
            place += 1
        if place > begun:
            _, index, length = runs[place - 1]
            yield position, end, runs[begun][1], index + length - 1
        position = end + 1


def _right_angles(angle: float) -> int | None:
    turns = angle / (math.pi / 2)
    nearest = round(turns)
    return nearest % 4 if abs(turns - nearest) * (math.pi / 2) <= SLANT_TOLERANCE else None


def _turned(left: float, bottom: float, right: float, top: float, turn: int) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom, y downwards, of a box of the page seen so that ``turn`` is horizontal."""
    if turn == 0:
        return left, -top, right, -bottom
    if turn == 1:
        return bottom, left, top, right
    if turn == 2:
        return -right, bottom, -left, top
    return -top, -right, -bottom, -left


def _united(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _widest_gap(stretches: Iterable[tuple[float, float]]) -> float:
    """Return the widest room between stretches ``(left, right)``."""
    ordered = sorted(stretches)
    reached = accumulate((right for _, right in ordered), max)
    return max((left - so_far for so_far, (left, _) in zip(reached, ordered[1:], strict=False)), default=0.0)
