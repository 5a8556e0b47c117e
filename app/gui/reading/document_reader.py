"""A stored document, ready to be set: all of it, or the part around a place where it is long."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.document_types import DocumentType, type_of
from app.domain.documents import SectionKind
from app.gui.ports import SectionView
from app.gui.reading.blocks import Block, BlockKind, OutlineEntry, Part, Reading, Run
from app.gui.reading.code import code_blocks, line_numbers
from app.gui.reading.markdown import markdown_parts
from app.gui.reading.part_of import part_around
from app.gui.reading.prose import prose_blocks
from app.gui.reading.tables import table_of
from app.loaders.tables import CELL_SEPARATOR

NOTEBOOK_TYPE = "application/x-ipynb+json"
MARKDOWN_TYPES = frozenset({"text/markdown", NOTEBOOK_TYPE})
MARKDOWN_RULE = re.compile(r"^[ \t|:-]*-[ \t|:-]*$")
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
UNITS = {DocumentType.SLIDES: "Slide", DocumentType.SHEETS: "Sheet", DocumentType.BOOK: "Chapter"}
MOST_MATCHES = 2000
SEARCHED_AT_ONCE = 500_000
LARGEST_FILE_FOR_NUMBERS = 8_000_000


@dataclass(frozen=True, slots=True)
class DocumentText:
    """What a reader needs of a document. ``file`` is asked only for the line numbers of source code."""

    path: Path
    media_type: str
    text: str
    sections: Sequence[SectionView]
    file: Path | None = None


class DocumentReader:
    """Sets parts of one document and looks for words in it. Works on any thread; nothing in it changes."""

    def __init__(self, document: DocumentText) -> None:
        self._document = document
        self._kind = type_of(document.media_type)
        kinds = {section.kind for section in document.sections}
        self._is_code = kinds == {SectionKind.CODE}
        self._numbers = self._line_numbers() if self._is_code else []
        self._line_starts = _line_starts(document.text) if self._is_code else []
        self.outline = tuple(_outline(document.sections, self._unit))

    @property
    def length(self) -> int:
        """The characters of the document's text."""
        return len(self._document.text)

    def read(self, start: int = 0, end: int = 0, *, around: int | None = None) -> Reading:
        """Set the document with ``[start, end)`` as its passage, or the part around ``around`` if it is long."""
        first, last = self._part(start if around is None else around)
        parts = tuple(self._parts(first, last))
        return Reading(parts, start, end, first, last, self.length, self._is_code)

    def find(self, words: str, stopped: Callable[[], bool] = lambda: False) -> list[tuple[int, int]]:
        """Places ``[start, end)`` of ``words``, whatever their case, the first ``MOST_MATCHES`` of them."""
        pattern = re.compile(re.escape(words), re.IGNORECASE)
        found: list[tuple[int, int]] = []
        at = 0
        # One search through a long text would keep every other thread waiting.
        while words and at < self.length and len(found) < MOST_MATCHES and not stopped():
            stop = min(self.length, at + SEARCHED_AT_ONCE + len(words) - 1)
            hits = [match.span() for match in pattern.finditer(self._document.text, at, stop)]
            found.extend(hits)
            at = max(at + SEARCHED_AT_ONCE, hits[-1][1] if hits else 0)
        return found[:MOST_MATCHES]

    # -- parts -----------------------------------------------------------------------------------------------------

    @property
    def _unit(self) -> str:
        return UNITS.get(self._kind, "Page") if self._kind else "Page"

    def _part(self, place: int) -> tuple[int, int]:
        """The characters to set around ``place``."""
        is_markdown = self._document.media_type in MARKDOWN_TYPES
        return part_around(place, self._document.text, self._document.sections, markdown=is_markdown)

    def _parts(self, first: int, last: int) -> Iterator[Part]:
        page: int | None = None
        for section in self._document.sections:
            start, end = max(section.start, first), min(section.end, last)
            if start >= end:
                continue
            if section.page is not None and section.page != page:
                page = section.page
                yield Block(BlockKind.DIVIDER, (Run(f"{self._unit} {page}"),))
            whole = start == section.start
            yield from self._section(section, start, self._document.text[start:end], whole=whole)
        if not self._document.sections:
            yield from prose_blocks(self._document.text[first:last], first)

    def _section(self, section: SectionView, start: int, text: str, *, whole: bool) -> Iterator[Part]:
        is_markdown = self._document.media_type in MARKDOWN_TYPES
        if section.kind is SectionKind.TABLE:
            if is_markdown and _has_rule(text):
                yield from markdown_parts(text, start)
            else:
                yield table_of(text, start, header=whole and CELL_SEPARATOR in text)
        elif section.kind is SectionKind.CODE:
            if is_markdown and FENCE.match(text):
                yield from markdown_parts(text, start)
            else:
                yield from self._code(start, text)
        elif is_markdown:
            yield from markdown_parts(text, start)
        else:
            yield from prose_blocks(text, start, section.headings if whole else ())

    # -- code ------------------------------------------------------------------------------------------------------

    def _code(self, start: int, text: str) -> Iterator[Part]:
        if not self._is_code:
            is_notebook = self._document.media_type == NOTEBOOK_TYPE
            yield from code_blocks(text, start, "python" if is_notebook else "")
            return
        line = bisect_right(self._line_starts, start) - 1
        numbers = self._numbers[line : line + text.count("\n") + 1]
        blocks = code_blocks(text, start, self._document.path.name, numbers)
        between = numbers[0] - 1 if numbers and numbers[0] else 0
        if start and between:  # the empty line that parts it from what stands above
            yield Block(BlockKind.CODE, (), number=between, tight=True)
        yield from blocks

    def _line_numbers(self) -> list[int]:
        """Of every line of the text: its number in the file, 0 where that is not known."""
        text, file = self._document.text, self._document.file
        unknown = [0] * (text.count("\n") + 1)
        if file is None:
            return unknown
        from app.domain.errors import DocumentError
        from app.loaders.text_decoding import read_text

        try:
            too_large = file.stat().st_size > LARGEST_FILE_FOR_NUMBERS
            return unknown if too_large else line_numbers(text, read_text(file)) or unknown
        except (DocumentError, OSError):
            return unknown


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _has_rule(text: str) -> bool:
    lines = text.split("\n", 2)
    return len(lines) > 1 and bool(MARKDOWN_RULE.match(lines[1]))


def _outline(sections: Sequence[SectionView], unit: str) -> Iterator[OutlineEntry]:
    """One entry for each slide, sheet or chapter, else for each heading."""
    page: int | None = None
    path: tuple[str, ...] = ()
    for section in sections:
        if section.page is not None and section.page != page:
            title = section.headings[0] if section.headings else ""
            yield OutlineEntry(f"{unit} {section.page}" + (f": {title}" if title else ""), section.start)
            page, path = section.page, section.headings[:1]
        if section.headings and section.headings != path:
            level = len(section.headings) - 1
            yield OutlineEntry(section.headings[-1], section.start, level if page is None else max(1, level))
            path = section.headings
