"""Finds running headers, footers and page numbers: what is repeated in the margins of many pages.

A line counts if the same words, or words with a number that grows with the pages, stand at the same height on several
pages close together. What occurs once stays, and so does a running header where it comes first.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from app.loaders.mapped_text import Span
from app.loaders.pdf_page import MARGIN, MarginLine, PageText

LEAST_PAGES = 3
LEAST_SHARE = 0.03
# Pages from one occurrence to the next: headers alternate between left and right pages, and some pages have none.
LONGEST_GAP = 3
# For lines further in, where headings of tables stand that go on over some pages.
LEAST_PAGES_INSIDE = 6
LEAST_SHARE_INSIDE = 0.2
LEAST_PAGES_ANYWHERE = 5
# Page heights between places that count as the same.
SAME_PLACE = 0.012
LONGEST = 200
_NUMBER = re.compile(r"(?<!\d)\d{1,5}(?!\d)")
_WORDS = re.compile(r"[^\W\d_]+")
_ROMAN = re.compile(r"(?=[ivxl])(x{0,3}|xl|l)(ix|iv|v?i{0,3})")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50}
_PAGE_WORD = re.compile(
    "pages?|pg|of|de|di|von|seite|p[áa]gina|p[áa]g|sida|sivu|side|strona|str|стр|страница|из|ページ|페이지"
)


class _Kind(Enum):
    WORDS = auto()
    NUMBERED = auto()  # words and a page number
    NUMBER = auto()  # nothing but a page number


@dataclass(frozen=True, slots=True)
class _Occurrence:
    page: int  # place in the sequence of pages
    line: MarginLine
    outermost: bool
    kind: _Kind


def running_lines(pages: Sequence[PageText]) -> list[list[Span]]:
    """Return for each page the spans of its running lines, in the order of the text."""
    found: list[set[Span]] = [set() for _ in pages]
    if len(pages) >= LEAST_PAGES:
        for side in (0, 1):
            margins = [(page.top, page.bottom)[side] for page in pages]
            for place, spans in enumerate(_running(pages, margins)):
                found[place] |= spans
    return [sorted(spans) for spans in found]


def _running(pages: Sequence[PageText], margins: Sequence[Sequence[MarginLine]]) -> list[set[Span]]:
    outer: list[set[MarginLine]] = [set() for _ in pages]
    inner: list[set[MarginLine]] = [set() for _ in pages]
    kept: list[set[MarginLine]] = [set() for _ in pages]
    for occurrences in _by_key(pages, margins):
        repeated = _repeated(occurrences)
        if len(repeated) < LEAST_SHARE * len(pages):
            continue
        frequent = len(repeated) >= max(LEAST_PAGES_INSIDE, LEAST_SHARE_INSIDE * len(pages))
        for each in repeated:
            (inner if frequent else outer)[each.page].add(each.line)
        if repeated and repeated[0].kind is not _Kind.NUMBER:
            kept[repeated[0].page].add(repeated[0].line)
    return [
        {(line.start, line.end) for line in _from_edge(lines, outer[place], inner[place]) if line not in kept[place]}
        for place, lines in enumerate(margins)
    ]


def _by_key(pages: Sequence[PageText], margins: Sequence[Sequence[MarginLine]]) -> Iterable[list[_Occurrence]]:
    groups: dict[Hashable, list[_Occurrence]] = {}
    for place, (page, lines) in enumerate(zip(pages, margins, strict=True)):
        for rank, line in enumerate(lines):
            text = " ".join(page.mapped.text[line.start : line.end].split()).casefold()
            for key, kind in _keys(text, page.number):
                groups.setdefault(key, []).append(_Occurrence(place, line, rank == 0, kind))
    return groups.values()


def _keys(text: str, number: int) -> Iterator[tuple[Hashable, _Kind]]:
    """Yield what ``text`` of page ``number`` shares with its like on other pages."""
    if not text or len(text) > LONGEST:
        return
    yield text, _Kind.WORDS
    if _ROMAN.fullmatch(text):
        yield ("roman", _roman_value(text) - number), _Kind.NUMBER
    numbers = list(_NUMBER.finditer(text))
    others = sum(len(word) > 1 and not _PAGE_WORD.fullmatch(word) for word in _WORDS.findall(text))
    if others == 1 and len(numbers) == 1:
        return  # “Table 3” on the page before “Table 4” is no running line
    for found in numbers[:4]:
        rest = text[: found.start()], text[found.end() :]
        yield (*rest, int(found.group()) - number), _Kind.NUMBERED if others else _Kind.NUMBER


def _roman_value(text: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in text]
    return sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True))


def _repeated(occurrences: Sequence[_Occurrence]) -> list[_Occurrence]:
    """Return those that stand at the same height, in runs of pages without long gaps."""
    if len(occurrences) < LEAST_PAGES:
        return []
    alike = _in_one_place(occurrences)
    runs: list[list[_Occurrence]] = []
    for each in alike:
        if runs and each.page - runs[-1][-1].page <= LONGEST_GAP:
            runs[-1].append(each)
        else:
            runs.append([each])
    return [each for run in runs if len({one.page for one in run}) >= LEAST_PAGES for each in run]


def _in_one_place(occurrences: Sequence[_Occurrence]) -> Sequence[_Occurrence]:
    """Return those that stand at the same height in the margin.

    Page numbers may stand anywhere as long as nothing stands further out: some makers let them follow the text.
    """
    outermost = [each for each in occurrences if each.outermost]
    if occurrences[0].kind is not _Kind.WORDS and len(outermost) >= LEAST_PAGES_ANYWHERE:
        return outermost
    inside = [each for each in occurrences if each.line.distance <= MARGIN]
    usual = statistics.median(each.line.distance for each in inside or occurrences)
    return [each for each in inside if abs(each.line.distance - usual) <= SAME_PLACE]


def _from_edge(lines: Sequence[MarginLine], outer: set[MarginLine], inner: set[MarginLine]) -> Iterator[MarginLine]:
    """Yield the running lines among ``lines``: of ``outer`` ones only the one nearest to the edge."""
    return (line for place, line in enumerate(lines) if line in inner or (place == 0 and line in outer))
