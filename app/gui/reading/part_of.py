"""Which part of a long document is set around a place: as much as can be laid out without the window standing still."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.domain.documents import SectionKind
from app.gui.ports import SectionView

# What may be set at once, in characters of plain running text; it takes some 50 ms.
MOST = 120_000
# What is set before a place, as a share of all.
SHARE_BEFORE = 1 / 3
# How much longer a character takes in a table, in code and in Markdown.
WEIGHTS = {SectionKind.TABLE: 24.0, SectionKind.CODE: 6.0}
MARKDOWN_WEIGHT = 5.0
# Parts end at line ends that are no further away than this.
LONGEST_LINE = 2000


class _Span(NamedTuple):
    start: int
    end: int
    weight: float

    @property
    def cost(self) -> float:
        return (self.end - self.start) * self.weight


def part_around(place: int, text: str, sections: Sequence[SectionView], *, markdown: bool) -> tuple[int, int]:
    """The characters ``[first, last)`` of ``text`` to set, whole lines of them."""
    plain = MARKDOWN_WEIGHT if markdown else 1.0
    spans = [_Span(each.start, each.end, WEIGHTS.get(each.kind, plain)) for each in sections]
    spans = spans or [_Span(0, len(text), plain)]
    place = max(0, min(place, len(text)))
    before = [each._replace(end=min(each.end, place)) for each in reversed(spans) if each.start < place]
    behind = [each._replace(start=max(each.start, place)) for each in spans if each.end > place]
    room = MOST * SHARE_BEFORE
    first, left = _backward(before, room)
    last, over = _forward(behind, MOST - room + left, len(text))
    if over:
        first, _ = _backward(before, room + over)
    return _at_lines(first, last, text)


def _backward(spans: Iterable[_Span], room: float) -> tuple[int, float]:
    """How far back ``room`` reaches, and what is left of it at the beginning of the text."""
    for span in spans:
        if span.cost > room:
            return span.end - int(room / span.weight), 0.0
        room -= span.cost
    return 0, room


def _forward(spans: Iterable[_Span], room: float, end: int) -> tuple[int, float]:
    """How far on ``room`` reaches, and what is left of it at the end of the text."""
    for span in spans:
        if span.cost > room:
            return span.start + int(room / span.weight), 0.0
        room -= span.cost
    return end, room


def _at_lines(first: int, last: int, text: str) -> tuple[int, int]:
    """Move both ends outwards to the ends of their lines."""
    line_before = text.rfind("\n", max(0, first - LONGEST_LINE), first)
    if line_before >= 0 or first <= LONGEST_LINE:  # else the line is too long to go back to its beginning
        first = line_before + 1
    line_end = text.find("\n", last, last + LONGEST_LINE)
    return first, last if line_end < 0 else line_end
