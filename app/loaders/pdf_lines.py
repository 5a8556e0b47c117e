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
CHARACTER_WIDTH = 0.4  # of a usual character, in heights of a line
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
    """A line as PDFium has it; its box reaches from its ``first`` to its ``last`` glyph.

    ``turn`` counts the right angles (counter-clockwise, on the page before its own rotation) at which it is written,
    None for slanted text.
    """

    first: int
    last: int
    turn: int | None


class PageGeometry:
    """Measures the lines of an open page. Valid while the page is open."""

    def __init__(self, mapped: MappedText, page: Handle, text_page: Handle) -> None:
        import pypdfium2.raw as raw

        self.mapped = mapped
        self._raw: Any = raw
        self._text_page = text_page
        self.may_mix_rows = _may_mix_rows(page)
        """Whether PDFium may have put on one line what stands on several: it goes by how a page is displayed."""
        visible = raw.FS_RECTF()
        raw.FPDF_GetPageBoundingBox(page, visible)
        self._visible = (visible.left, visible.bottom, visible.right, visible.top)
        self._edges = tuple(ctypes.c_double() for _ in range(4))
        self._references = tuple(map(ctypes.byref, self._edges))
        self._cell = raw.FS_RECTF()
        self._cell_reference = ctypes.byref(self._cell)

    def visible(self, turn: int) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of the visible page in the frame of text written at ``turn``."""
        return _turned(*self._visible, turn)

    def starts(self) -> list[Line]:
        """Return the lines that hold glyphs, in PDFium's order, which is mostly that of the page's content.

        Only their first glyphs are measured, as if all text were upright: right edges are estimates.
        """
        cell, reference, text_page = self._cell, self._cell_reference, self._text_page
        measure = self._raw.FPDFText_GetLooseCharBox
        starts = []
        for start, end, first, last in _lines_of(self.mapped):
            measure(text_page, first, reference)
            left, top, bottom = cell.left, cell.top, cell.bottom
            right = left + (top - bottom) * CHARACTER_WIDTH * (end - start)
            starts.append(Line(start, end, left, -top, right, -bottom, first, last, 0))
        return starts

    def lines(self) -> list[Line]:
        """Return the lines that hold glyphs, in PDFium's order."""
        return [self._line(*line) for line in _lines_of(self.mapped)]

    def words(self, line: Line) -> list[Piece]:
        """Return the words of ``line`` that hold glyphs, in the order of the text."""
        words: list[Piece] = []
        for start, end, first, last in self._words(line):
            if first >= 0:
                box = _united(self.char_box(first), self.char_box(last))
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

    def indexes(self, start: int, end: int) -> list[int]:
        """Return PDFium's indexes of the characters ``[start, end)``, -1 for those that stand on no glyph."""
        found = self.mapped.char_map
        return list(found[start:end]) if found is not None else [-1] * (end - start)

    def is_generated(self, index: int) -> bool:
        """Whether PDFium added that character, since glyphs stand apart."""
        return bool(self._raw.FPDFText_IsGenerated(self._text_page, index) == 1)

    def drawn_together(self, one: int, other: int) -> bool:
        """Whether two glyphs come from one piece of text that the page draws."""
        objects = [self._raw.FPDFText_GetTextObject(self._text_page, index) for index in (one, other)]
        return all(objects) and len({ctypes.addressof(each.contents) for each in objects}) == 1

    def is_upright(self, line: Line) -> bool:
        """Whether ``line`` is written from left to right on the page before its own rotation."""
        return _right_angles(self._raw.FPDFText_GetCharAngle(self._text_page, line.first)) == 0

    def has_gap(self, line: Line, width: float) -> bool:
        """Whether ``line`` has room wider than ``width`` points between glyphs that are neighbours on it."""
        count = self._raw.FPDFText_CountRects(self._text_page, line.first, line.last - line.first + 1)
        if count < 2:
            return False
        if count > MOST_STRETCHES:
            words = [(first, last) for _, _, first, last in self._words(line) if first >= 0]
            inside = words[1:-1]  # a column is wider than a word
            boxes = [_united(self.char_box(first), self.char_box(last)) for first, last in inside]
        else:
            boxes = [self._stretch(place) for place in range(count)]
        turned = (_turned(*box, line.turn or 0) for box in boxes)
        return _widest_gap((left, right) for left, _, right, _ in turned) > width

    def _line(self, start: int, end: int, first: int, last: int) -> Line:
        head, tail = self.char_box(first), self.char_box(last)
        box = _united(head, tail)
        turn: int | None = 0
        if self.may_mix_rows or tail[0] <= head[0] or box[3] - box[1] > box[2] - box[0]:  # perhaps not to the right
            turn = _right_angles(self._raw.FPDFText_GetCharAngle(self._text_page, first))
        return Line(start, end, *_turned(*box, turn or 0), first, last, turn)

    def _stretch(self, place: int) -> tuple[float, float, float, float]:
        left, top, right, bottom = self._edges
        self._raw.FPDFText_GetRect(self._text_page, place, *self._references)
        return left.value, bottom.value, right.value, top.value

    def char_box(self, index: int) -> tuple[float, float, float, float]:
        """Return left, bottom, right and top of a glyph's cell, as high as its font and as wide as its advance."""
        cell = self._cell
        self._raw.FPDFText_GetLooseCharBox(self._text_page, index, self._cell_reference)
        return cell.left, cell.bottom, cell.right, cell.top


def _may_mix_rows(page: Handle) -> bool:
    """Whether a page is turned, or ends with what its form is filled with."""
    import pypdfium2.raw as raw

    last = raw.FPDFPage_CountObjects(page) - 1
    is_form = last >= 0 and raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(page, last)) == raw.FPDF_PAGEOBJ_FORM
    return bool(is_form or raw.FPDFPage_GetRotation(page))


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
    """Right angles counter-clockwise in ``angle`` (radians, clockwise, as PDFium has it), or None if it is slanted."""
    turns = angle / (math.pi / 2)
    nearest = round(turns)
    return -nearest % 4 if abs(turns - nearest) * (math.pi / 2) <= SLANT_TOLERANCE else None


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
