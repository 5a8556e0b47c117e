"""What the viewer sets: paragraphs, headings, code and tables, each run of text with its place in the document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Run:
    """Text in one style. ``start`` is the offset of its first character in the document's text, the others follow it.

    ``NOWHERE`` is for what the document's text doesn't hold, such as the word "Slide". ``style`` names formats, parted
    by spaces: ``bold``, ``italic``, ``strike``, ``code``, ``link``, ``quiet``, or a role of source code.
    """

    text: str
    start: int = NOWHERE
    style: str = ""

    @property
    def end(self) -> int:
        """The offset behind its last character; ``NOWHERE`` for text that is not in the document."""
        return self.start + len(self.text) if self.start >= 0 else NOWHERE


class BlockKind(StrEnum):
    """How a block is set. ``DIVIDER`` begins a slide, sheet, page or chapter."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    QUOTE = "quote"
    CODE = "code"
    RULE = "rule"
    DIVIDER = "divider"


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph. ``level`` counts headings from 1 and nested items from 0.

    ``number`` is that of a line of code, 0 for none; ``tight`` says that no space parts it from the block before.
    """

    kind: BlockKind
    runs: tuple[Run, ...]
    level: int = 0
    number: int = 0
    tight: bool = False


Cell = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first row is the header if ``header``."""

    rows: tuple[tuple[Cell, ...], ...]
    header: bool = True

    @property
    def columns(self) -> int:
        """The cells of its widest row."""
        return max((len(row) for row in self.rows), default=0)


Part = Block | Table


def runs_of(part: Part) -> Iterator[Run]:
    """The runs of a part in reading order."""
    if isinstance(part, Block):
        yield from part.runs
        return
    for row in part.rows:
        for cell in row:
            yield from cell


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A heading, slide or sheet, and where it begins in the document's text. ``level`` counts from 0."""

    title: str
    start: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """A document, or the part of it around a passage, as the viewer sets it.

    ``[start, end)`` is the passage, ``[first, last)`` what is set of the document's ``length`` characters.
    """

    parts: tuple[Part, ...] = ()
    start: int = 0
    end: int = 0
    first: int = 0
    last: int = 0
    length: int = 0
    is_code: bool = False

    @property
    def cut(self) -> bool:
        """Whether only a part of the document is set."""
        return self.first > 0 or self.last < self.length
