"""Where characters stand on a page as it is displayed."""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.box_map import BoxMap, PlacedWord
from app.domain.documents import Box
from app.domain.errors import DocumentError, FailureReason
from app.domain.page_text import PageText
from app.loaders import pdfium

# Text further apart than this many line heights (table cells, columns) is marked by rectangles of its own.
WIDEST_GAP = 2.0
# Two characters stand on one line if they share this part of the smaller one's height.
LINE_OVERLAP = 0.4
SLANT_TOLERANCE = math.radians(5)
# PDFium keeps state of its own for the whole process and is not thread-safe, whoever calls it.
_PDFIUM = threading.Lock()


def boxes_for_span(path: Path, page: int, char_map_slice: Sequence[int]) -> tuple[Box, ...]:
    """Return the rectangles of a span of text, one per line, in reading order.

    ``page`` counts from 1; ``char_map_slice`` holds the span's PDFium character indexes (-1: none) as the loader stored
    them. Boxes are in points on the displayed page (rotation and crop applied), origin top left; what lies outside the
    page is left out. Thread-safe. Raises ``DocumentError`` if the file or the page can't be opened any more.
    """
    wanted = [index for index in char_map_slice if index >= 0]
    if not wanted:
        return ()
    try:
        with (
            _PDFIUM,
            pdfium.opened_document(path) as document,
            pdfium.opened_page(document, page - 1) as (handle, text_page),
        ):
            frame = _PageFrame.of(handle)
            glyphs = list(_glyphs(text_page, wanted))
    except pdfium.PdfiumError as error:
        message = f"Page {page} of “{path.name}” can't be opened any more. The file was changed, moved or damaged."
        raise DocumentError(FailureReason.DAMAGED, message) from error
    boxes = (frame.displayed(line) for line in _lines(glyphs))
    return tuple(box for box in boxes if box is not None)


@dataclass(frozen=True, slots=True)
class _Area:
    """A rectangle in the page's own coordinates: points, y upwards."""

    left: float
    bottom: float
    right: float
    top: float

    def united(self, other: _Area) -> _Area:
        return _Area(
            min(self.left, other.left),
            min(self.bottom, other.bottom),
            max(self.right, other.right),
            max(self.top, other.top),
        )

    def turned(self, quarters: int) -> _Area:
        """Turn clockwise about the origin, so that text written at ``quarters`` right angles becomes horizontal."""
        area = self
        for _ in range(quarters):
            area = _Area(area.bottom, -area.right, area.top, -area.left)
        return area


@dataclass(frozen=True, slots=True)
class _Glyph:
    """A visible character: ``ink`` is its outline's box, ``cell`` reaches from the font's descent to its ascent.

    ``quarters`` counts the right angles (counter-clockwise) at which it is written, None if it is slanted.
    """

    ink: _Area
    cell: _Area
    quarters: int | None


@dataclass(frozen=True, slots=True)
class _PageFrame:
    """The visible part of a page and its rotation, in right angles clockwise."""

    visible: _Area
    rotation: int

    @classmethod
    def of(cls, page: pdfium.Handle) -> _PageFrame:
        import pypdfium2.raw as raw

        rectangle = raw.FS_RECTF()
        raw.FPDF_GetPageBoundingBox(page, rectangle)
        visible = _Area(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
        return cls(visible, raw.FPDFPage_GetRotation(page))

    def displayed(self, area: _Area) -> Box | None:
        """Return ``area`` on the displayed page, or None if nothing of it is visible."""
        left, right = max(area.left, self.visible.left), min(area.right, self.visible.right)
        bottom, top = max(area.bottom, self.visible.bottom), min(area.top, self.visible.top)
        if left >= right or bottom >= top:
            return None
        from_left, from_right = left - self.visible.left, self.visible.right - right
        to_left, to_right = right - self.visible.left, self.visible.right - left
        from_top, from_bottom = self.visible.top - top, bottom - self.visible.bottom
        to_top, to_bottom = self.visible.top - bottom, top - self.visible.bottom
        if self.rotation == 0:
            return Box(from_left, from_top, to_left, to_top)
        if self.rotation == 1:
            return Box(from_bottom, from_left, to_bottom, to_left)
        if self.rotation == 2:
            return Box(from_right, from_bottom, to_right, to_bottom)
        return Box(from_top, from_right, to_top, to_right)


def _glyphs(text_page: pdfium.Handle, indexes: Iterable[int]) -> Iterator[_Glyph]:
    import pypdfium2.raw as raw

    count = raw.FPDFText_CountChars(text_page)
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    loose = raw.FS_RECTF()
    for index in indexes:
        if index >= count or chr(raw.FPDFText_GetUnicode(text_page, index)).isspace():
            continue
        if not raw.FPDFText_GetCharBox(text_page, index, left, right, bottom, top):
            continue
        ink = _Area(left.value, bottom.value, right.value, top.value)
        raw.FPDFText_GetLooseCharBox(text_page, index, loose)
        cell = _Area(loose.left, loose.bottom, loose.right, loose.top).united(ink)
        if ink.left >= ink.right or ink.bottom >= ink.top:
            ink = cell  # a font without outlines
        if ink.left < ink.right and ink.bottom < ink.top:
            yield _Glyph(ink, cell, _quarters(raw.FPDFText_GetCharAngle(text_page, index)))


def _quarters(angle: float) -> int | None:
    """Right angles in ``angle`` (radians), or None if it is none of them."""
    turns = angle / (math.pi / 2)
    nearest = round(turns)
    return nearest % 4 if abs(turns - nearest) * (math.pi / 2) <= SLANT_TOLERANCE else None


def _lines(glyphs: Iterable[_Glyph]) -> Iterator[_Area]:
    """Unite neighbouring glyphs that stand on one line. Slanted ones stay single, since their union covers others."""
    previous: _Glyph | None = None
    line: _Area | None = None
    for glyph in glyphs:
        if line is not None and previous is not None and _continues(previous, glyph):
            line = line.united(glyph.ink)
        else:
            if line is not None:
                yield line
            line = glyph.ink
        previous = glyph
    if line is not None:
        yield line


def _continues(previous: _Glyph, glyph: _Glyph) -> bool:
    if glyph.quarters is None or glyph.quarters != previous.quarters:
        return False
    before, here = previous.cell.turned(glyph.quarters), glyph.cell.turned(glyph.quarters)
    smaller = min(before.top - before.bottom, here.top - here.bottom)
    larger = max(before.top - before.bottom, here.top - here.bottom)
    shared = min(before.top, here.top) - max(before.bottom, here.bottom)
    gap = max(here.left - before.right, before.left - here.right)
    return shared >= LINE_OVERLAP * smaller and gap <= WIDEST_GAP * larger


def text_of_page(path: Path, page: int) -> PageText:
    """Return the text of page ``page``, from 1, with a rectangle for each visible character. Thread-safe.

    Raises ``DocumentError`` if the file or the page can't be opened.
    """
    try:
        with (
            _PDFIUM,
            pdfium.opened_document(path) as document,
            pdfium.opened_page(document, page - 1) as (handle, text_page),
        ):
            text, char_map = pdfium.page_text(text_page)
            return PageText(text, BoxMap(_places(_PageFrame.of(handle), text_page, text, char_map)))
    except pdfium.PdfiumError as error:
        message = f"Page {page} of “{path.name}” can't be opened any more. The file was changed, moved or damaged."
        raise DocumentError(FailureReason.DAMAGED, message) from error


def bookmarks(path: Path) -> list[pdfium.OutlineEntry]:
    """Return the outline of a PDF, none if it has none or can't be opened. Thread-safe."""
    try:
        with _PDFIUM, pdfium.opened_document(path) as document:
            return pdfium.outline(document)
    except pdfium.PdfiumError:
        return []


def _places(frame: _PageFrame, text_page: pdfium.Handle, text: str, char_map: Sequence[int]) -> Iterator[PlacedWord]:
    import pypdfium2.raw as raw

    loose = raw.FS_RECTF()
    line = 0
    for position, (character, index) in enumerate(zip(text, char_map, strict=True)):
        if character == "\n":
            line += 1
        elif index >= 0 and raw.FPDFText_GetLooseCharBox(text_page, index, loose):
            box = frame.displayed(_Area(loose.left, loose.bottom, loose.right, loose.top))
            if box is not None:
                yield PlacedWord(position, position + 1, line, box.left, box.top, box.right, box.bottom)
