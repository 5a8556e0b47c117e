"""What is embedded and searched before a chunk's text: title, headings, the header row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from app.domain.documents import ParsedDocument, PlacedSection, SectionKind

SEPARATOR = " › "
LONGEST_PART = 120
LONGEST_HEADER_ROW = 400
MOST_TITLE_ROWS = 3


def common_headings(sections: Sequence[PlacedSection]) -> tuple[str, ...]:
    """The headings that all these sections stand under."""
    common = sections[0].section.headings
    for placed in sections[1:]:
        pairs = zip(common, placed.section.headings, strict=False)
        common = tuple(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return common


class ContextBuilder:
    """Makes contexts of about ``room`` tokens at most, and as many again for the header row of a table.

    Parts are counted once for the whole document: before anything else, hand the tokens of each of ``texts``, without
    special tokens, to ``measured``.
    """

    def __init__(self, document: ParsedDocument, room: int) -> None:
        self._sections = document.sections
        self._title = _shortened(document.title, LONGEST_PART)
        self._room = room
        self._rows = [_header_row(placed) for placed in document.sections]
        parts = {
            _shortened(heading, LONGEST_PART) for placed in document.sections for heading in placed.section.headings
        }
        self.texts = list({self._title, SEPARATOR, *parts, *self._rows})
        self._sizes: dict[str, int] = {}

    def measured(self, counts: Sequence[int]) -> None:
        """Take the tokens of ``texts``."""
        self._sizes = dict(zip(self.texts, counts, strict=True))
        self._rows = [self._cut_row(row) for row in self._rows]

    def size(self, section: int) -> int:
        """Tokens, at most, before a chunk that begins in this section."""
        return self._size(self._parts(self._sections[section].section.headings)) + self._row_size(section)

    def context(self, first: int, last: int, text: str, *, goes_on: bool) -> str:
        """The context of a chunk with ``text`` out of the sections ``first`` to ``last``.

        A heading that the text begins with is left out. ``goes_on`` tells that the chunk begins inside ``first``.
        """
        parts = self._parts(common_headings(self._sections[first : last + 1]))
        opening = text[: 2 * LONGEST_PART].lstrip("#*= \t").casefold()
        if len(parts) > 1 and opening.startswith(parts[-1].casefold()):
            parts.pop()
        line = SEPARATOR.join(parts)
        row = self._rows[first] if goes_on else ""
        return "\n".join(part for part in (line, row) if part)

    def _parts(self, headings: Sequence[str]) -> list[str]:
        """Title and headings, without those in the middle where all are too long together."""
        parts: list[str] = []
        for part in (self._title, *(_shortened(heading, LONGEST_PART) for heading in headings)):
            if part and part not in parts[-1:]:
                parts.append(part)
        while parts and self._size(parts) > self._room:
            parts.pop(1 if len(parts) > 2 else 0)
        return parts

    def _size(self, parts: Sequence[str]) -> int:
        return sum(self._sizes[part] for part in parts) + self._sizes[SEPARATOR] * max(0, len(parts) - 1)

    def _row_size(self, section: int) -> int:
        return min(self._room, self._sizes.get(self._rows[section], self._room))

    def _cut_row(self, row: str) -> str:
        """The first cells of a row that is too long."""
        size = self._sizes[row]
        return row if size <= self._room else _shortened(row, int(len(row) * 0.8 * self._room / size))


def _header_row(placed: PlacedSection) -> str:
    if placed.section.kind is not SectionKind.TABLE:
        return ""
    lines = placed.section.text.lstrip("\n").split("\n", MOST_TITLE_ROWS + 1)[: MOST_TITLE_ROWS + 1]
    # Sheets often begin with a line or two that name the table, above the row that names its columns.
    count = next((number for number, line in enumerate(lines, start=1) if "|" in line), 1)
    return _shortened(" ".join(lines[:count]), LONGEST_HEADER_ROW)


def _shortened(text: str, length: int) -> str:
    """One line of at most ``length`` characters, cut at a word."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    return line[: length + 1].rpartition(" ")[0] or line[:length]
