"""Selecting text on the pages of a PDF: which character the pointer is at, and what lies between two of them."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF

from app.domain.box_map import PlacedWord
from app.domain.page_text import PageText

# How much further away a line above or below is than a character on the same line.
LINE_WEIGHT = 4.0


class Caret(NamedTuple):
    """A place between two characters of a page's text. ``page`` counts from 1."""

    page: int
    position: int


class PagePlaces:
    """One page's text, looked up by the pointer's position. Points as displayed, origin top left."""

    def __init__(self, text: PageText) -> None:
        self.text = text.text
        self._words = list(text.places)
        self._starts = [word.start for word in self._words]

    def position_at(self, point: QPointF) -> int | None:
        """The position in the text nearest to ``point``; None on a page without text."""
        if not self._words:
            return None
        word = min(self._words, key=lambda each: _distance(each, point))
        share = (point.x() - word.left) / max(word.right - word.left, 0.01)
        return word.start + round(max(0.0, min(1.0, share)) * (word.end - word.start))

    def hits(self, point: QPointF) -> bool:
        """Whether there is text under ``point``."""
        return any(_distance(word, point) <= 0 for word in self._words)

    def word_at(self, position: int) -> tuple[int, int]:
        """Where the word around ``position`` begins and ends."""
        first = last = min(position, len(self.text))
        while first and not self.text[first - 1].isspace():
            first -= 1
        while last < len(self.text) and not self.text[last].isspace():
            last += 1
        return first, last

    def rectangles(self, start: int, end: int) -> list[QRectF]:
        """What ``[start, end)`` covers on the page, a rectangle for each line."""
        lines: dict[int, QRectF] = {}
        for word in self._words[max(0, bisect_right(self._starts, start) - 1) :]:
            if word.start >= end:
                break
            if word.end > start:
                place = _part(word, start, end)
                lines[word.line] = lines[word.line].united(place) if word.line in lines else place
        return list(lines.values())


def _part(word: PlacedWord, start: int, end: int) -> QRectF:
    """The share of a word's rectangle that stands for the characters of it in ``[start, end)``."""
    width = (word.right - word.left) / (word.end - word.start)
    left = word.left + width * max(0, start - word.start)
    right = word.right - width * max(0, word.end - end)
    return QRectF(left, word.top, right - left, word.bottom - word.top)


def _distance(word: PlacedWord, point: QPointF) -> float:
    across = max(word.left - point.x(), point.x() - word.right, 0.0)
    along = max(word.top - point.y(), point.y() - word.bottom, 0.0)
    return across + LINE_WEIGHT * along


class PdfSelection:
    """What is selected in a PDF, over as many pages as it goes. Pages are known once ``add_page`` was called."""

    def __init__(self) -> None:
        self._pages: dict[int, PagePlaces] = {}
        self._anchor: Caret | None = None
        self._end: Caret | None = None

    def add_page(self, page: int, text: PageText) -> None:
        """The text of a page has arrived."""
        self._pages[page] = PagePlaces(text)

    def page(self, page: int) -> PagePlaces | None:
        """What is known of a page."""
        return self._pages.get(page)

    def clear(self) -> None:
        """Select nothing."""
        self._anchor = self._end = None

    def begin(self, page: int, point: QPointF) -> None:
        """The button went down at ``point`` of ``page``."""
        self._anchor = self._end = self._caret(page, point)

    def extend(self, page: int, point: QPointF) -> None:
        """The pointer moved there with the button down."""
        caret = self._caret(page, point)
        if caret is not None:
            self._anchor = self._anchor or caret
            self._end = caret

    def select_word(self, page: int, point: QPointF) -> None:
        """Select the word at ``point``."""
        caret = self._caret(page, point)
        if caret is not None:
            first, last = self._pages[page].word_at(caret.position)
            self._anchor, self._end = Caret(page, first), Caret(page, last)

    def select_page(self, page: int) -> None:
        """Select all text of a page."""
        if page in self._pages:
            self._anchor, self._end = Caret(page, 0), Caret(page, len(self._pages[page].text))

    @property
    def empty(self) -> bool:
        """Whether nothing is selected."""
        return self._anchor == self._end

    @property
    def text(self) -> str:
        """What is selected; pages are parted by an empty line."""
        parts = [self._pages[page].text[start:end] for page, start, end in self._spans()]
        return "\n\n".join(part for part in parts if part)

    def rectangles(self, page: int) -> list[QRectF]:
        """What is selected on a page."""
        return [place for each, *span in self._spans() if each == page for place in self._pages[page].rectangles(*span)]

    def _spans(self) -> list[tuple[int, int, int]]:
        if self._anchor is None or self._end is None or self.empty:
            return []
        first, last = sorted((self._anchor, self._end))
        spans = []
        for number in range(first.page, last.page + 1):
            if number in self._pages:
                start = first.position if number == first.page else 0
                end = last.position if number == last.page else len(self._pages[number].text)
                spans.append((number, start, end))
        return spans

    def _caret(self, page: int, point: QPointF) -> Caret | None:
        places = self._pages.get(page)
        position = places.position_at(point) if places is not None else None
        return None if position is None else Caret(page, position)
