"""The text of one PDF page in reading order, and what of it stands in its margins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.loaders import pdfium
from app.loaders.mapped_text import MappedText
from app.loaders.pdf_joints import mended_joints
from app.loaders.pdf_layout import in_reading_order, mixes_columns, seems_in_order
from app.loaders.pdf_lines import Line, PageGeometry
from app.loaders.pdf_right_to_left import HAS_RTL, cells_from_the_right

# Running headers and footers stand in this part of the page's height at either end.
MARGIN = 0.14
MOST_MARGIN_LINES = 4
# Points. No one can read what is smaller, on screen or in print.
LEAST_SIZE = 0.3


@dataclass(frozen=True, slots=True)
class MarginLine:
    """A line ``[start, end)`` of the text near the top or bottom edge; ``distance`` from it in page heights."""

    start: int
    end: int
    distance: float


@dataclass(frozen=True, slots=True)
class PageText:
    """What stands on page ``number`` (from 1); the lines in its margins come from the edge inwards."""

    number: int
    mapped: MappedText
    top: Sequence[MarginLine] = ()
    bottom: Sequence[MarginLine] = ()


def read_page(page: pdfium.Handle, text_page: pdfium.Handle, number: int) -> PageText:
    """Read an open page. Text outside the visible page and text of no size is left out."""
    mapped = MappedText(*pdfium.page_text(text_page))
    geometry = PageGeometry(mapped, page, text_page)
    starts = geometry.starts()
    whole = mended_joints(geometry, starts)
    if HAS_RTL.search(whole.text):
        whole = cells_from_the_right(PageGeometry(whole, page, text_page))
    if whole is not mapped:
        mapped = whole
        geometry = PageGeometry(mapped, page, text_page)
        starts = geometry.starts()
    if (
        seems_in_order(mapped.text, starts)
        and geometry.is_upright(starts[len(starts) // 2])
        and not mixes_columns(geometry, starts)
        and not _hidden(geometry, starts)
    ):
        return PageText(number, mapped, *_margins(geometry, starts))
    measured = _Measured(mapped, page, text_page)
    measured = measured.changed_to(_visible(measured.geometry, measured.lines))
    measured = measured.changed_to(in_reading_order(measured.geometry, measured.lines))
    return PageText(number, measured.geometry.mapped, *_margins(measured.geometry, measured.lines))


class _Measured:
    """A page's text and its lines' boxes."""

    def __init__(self, mapped: MappedText, page: pdfium.Handle, text_page: pdfium.Handle) -> None:
        self._handles = (page, text_page)
        self.geometry = PageGeometry(mapped, page, text_page)
        self.lines = self.geometry.lines()

    def changed_to(self, mapped: MappedText) -> _Measured:
        return self if mapped is self.geometry.mapped else _Measured(mapped, *self._handles)


def _visible(geometry: PageGeometry, lines: Sequence[Line]) -> MappedText:
    hidden = [(line.start, line.end) for line in _hidden(geometry, lines)]
    return geometry.mapped.without(hidden) if hidden else geometry.mapped


def _hidden(geometry: PageGeometry, lines: Sequence[Line]) -> list[Line]:
    frames = {turn: geometry.visible(turn or 0) for turn in (None, 0, 1, 2, 3)}
    return [line for line in lines if _is_hidden(line, *frames[line.turn])]


def _is_hidden(line: Line, left: float, top: float, right: float, bottom: float) -> bool:
    if line.right <= left or line.left >= right or line.bottom <= top or line.top >= bottom:
        return True
    return line.bottom - line.top < LEAST_SIZE and line.right - line.left < LEAST_SIZE


def _margins(geometry: PageGeometry, lines: Sequence[Line]) -> tuple[list[MarginLine], list[MarginLine]]:
    """Return the lines in the top and the bottom margin of the page as most of its text is written."""
    turns = Counter(line.turn for line in lines if line.turn is not None)
    if not turns:
        return [], []
    turn = turns.most_common(1)[0][0]
    _, top, _, bottom = geometry.visible(turn)
    height = bottom - top
    if height <= 0:
        return [], []
    upright = sorted((line for line in lines if line.turn == turn), key=lambda line: line.middle)
    above = [MarginLine(line.start, line.end, (line.middle - top) / height) for line in upright[:MOST_MARGIN_LINES]]
    below = [MarginLine(line.start, line.end, (bottom - line.middle) / height) for line in upright[-MOST_MARGIN_LINES:]]
    return _nearest(above), _nearest(below[::-1])


def _nearest(lines: Sequence[MarginLine]) -> list[MarginLine]:
    """Return of lines that come from the edge inwards the outermost, wherever it stands, and those in the margin."""
    return [line for place, line in enumerate(lines) if place == 0 or line.distance <= MARGIN]
