"""Documents as loaders hand them over and as the library keeps them.

Offsets everywhere are Python string offsets (code points) into the document's text, end exclusive.
Pages count from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app.domain.box_map import BoxMap
from app.domain.errors import FailureReason

SECTION_SEPARATOR = "\n\n"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page as it is displayed (rotation and crop applied), in points, origin top left.

    Pages of pictures (a photo, a scan as TIFF) are measured in their pixels.
    """

    left: float
    top: float
    right: float
    bottom: float


class SectionKind(StrEnum):
    """What a section holds; the splitter treats each kind in its own way.

    ``REPEATED`` says again what another section says, such as the web page beside a mail's plain text: it is kept and
    shown, but put into no chunk.
    """

    TEXT = "text"
    TABLE = "table"
    CODE = "code"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Section:
    """A run of text as a loader yields it.

    ``char_map`` (PDF only) has one entry per character of ``text``: the index of that character in PDFium's text of
    the page, or -1 for characters that stand on no glyph (such as spaces the loader added). Loaders hand over a
    ``CharMap``. ``confidence`` is the mean, 0 to 1, of a section read by OCR, None where text was read directly;
    ``box_map`` then says where its words stand on the page.
    """

    text: str
    page: int | None = None
    headings: tuple[str, ...] = ()
    kind: SectionKind = SectionKind.TEXT
    char_map: Sequence[int] | None = None
    confidence: float | None = None
    box_map: BoxMap | None = None


@dataclass(frozen=True, slots=True)
class PlacedSection:
    """A section with its place ``[start, end)`` in the document's text."""

    section: Section
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """All that was read from one file. ``text`` is the sections' texts joined by ``SECTION_SEPARATOR``."""

    text: str
    sections: tuple[PlacedSection, ...]
    title: str
    media_type: str
    page_count: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def assemble(
    sections: list[Section],
    *,
    title: str,
    media_type: str,
    page_count: int | None = None,
    metadata: dict[str, str] | None = None,
) -> ParsedDocument:
    """Join sections into one text and give each its place in it. Sections without text are dropped."""
    placed: list[PlacedSection] = []
    position = 0
    for section in sections:
        if not section.text.strip():
            continue
        if placed:
            position += len(SECTION_SEPARATOR)
        placed.append(PlacedSection(section, position, position + len(section.text)))
        position += len(section.text)
    text = SECTION_SEPARATOR.join(each.section.text for each in placed)
    return ParsedDocument(text, tuple(placed), title, media_type, page_count, metadata or {})


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that is embedded and searched: ``document_text[start:end] == text``.

    ``context`` is what is embedded and searched before the text (title and headings); it is not part of the span.
    """

    text: str
    start: int
    end: int
    page: int | None = None
    headings: tuple[str, ...] = ()
    context: str = ""
    token_count: int = 0

    @property
    def embedded_text(self) -> str:
        """What is embedded: the context, a line end, the text. Equal embedded texts share a vector."""
        return f"{self.context}\n{self.text}" if self.context else self.text


class DocumentState(StrEnum):
    """Where a document stands. Stored, so that work resumes there after a kill."""

    QUEUED = "queued"
    PARSING = "parsing"
    EMBEDDING = "embedding"
    READY = "ready"
    FAILED = "failed"
    OFFLINE = "offline"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What a stat tells: an unchanged stamp means an unchanged file. ``mtime_ns`` in nanoseconds, size in bytes."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A row of the library: one file and what became of it. ``warning`` says what of it could not be read."""

    id: int
    path: Path
    title: str
    media_type: str
    stamp: FileStamp
    content_hash: str
    state: DocumentState
    reason: FailureReason | None
    message: str
    page_count: int | None
    chunk_count: int
    added_at: float
    updated_at: float
    warning: str = ""
