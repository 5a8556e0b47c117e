"""Getting a source ready for the viewer: what can be shown of it, and what has to be said about it.

Everything here reads files and databases, so it runs on a worker thread.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.domain.citations import Citation
from app.domain.documents import Box, DocumentState, SectionKind
from app.domain.errors import BadInputError, DocumentError
from app.gui.pdf_file import PdfFile
from app.gui.ports import Library, SectionView, SourceView

PDF_MEDIA_TYPE = "application/pdf"
# A text view lays out every line it holds; more than this around the passage is not shown at once.
LONGEST_TEXT = 400_000
CODE_MEDIA_PREFIXES = ("text/x-", "application/json", "application/xml", "text/csv", "text/tab-separated-values")
HARD_WRAP = re.compile(r"(?<=[^\n]{55}[\w,;:)\"'”’.-])\n(?!\d+[.)])(?=[^\W_])")


@dataclass(frozen=True, slots=True)
class TextExtract:
    """Extracted text, or the part of it around a passage. ``start`` and ``end`` count UTF-16 units, as Qt does."""

    text: str
    start: int = 0
    end: int = 0
    fixed_pitch: bool = False
    cut_before: bool = False
    cut_after: bool = False


@dataclass(frozen=True, slots=True)
class LoadedSource:
    """What the viewer shows: a PDF, or text, or only the quote. ``notice`` says what the reader has to know.

    ``file`` is what is read for ``path``: the same, or a copy of a file in an archive; None if it can't be reached.
    ``url`` is the address of a page from the web.
    """

    path: Path
    quote: str = ""
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    pdf: PdfFile | None = None
    text: TextExtract | None = None
    notice: str = ""
    file: Path | None = None
    url: str = ""

    @property
    def reachable(self) -> bool:
        """Whether the file is there."""
        return self.file is not None


class SourceLoader:
    """Prepares citations and documents. ``open_pdf`` hands an open PDF over to the GUI thread."""

    def __init__(self, library: Library, open_pdf: Callable[[Path], PdfFile]) -> None:
        self._library = library
        self._open_pdf = open_pdf

    def load_document(self, document_id: int) -> LoadedSource:
        """A document from its beginning. Raises ``BadInputError`` if it isn't in the library any more."""
        view = self._library.source(document_id)
        notice = ""
        if view.changed:
            notice = "The file has changed since Footnote read it. This is the text it had then."
            if view.file is None:
                notice = "The file is not where it was. This is the text that Footnote read."
            return self._as_text(
                LoadedSource(view.record.path, notice=notice, file=view.file, url=view.url), view, 0, 0
            )
        return self._whole(view, LoadedSource(view.record.path, page=1, file=view.file, url=view.url), 0, 0)

    def load_citation(self, citation: Citation) -> LoadedSource:
        """The place a citation points to, or its stored quote where that place is gone."""
        view = self._view(citation)
        path = view.record.path if view is not None else citation.path
        file = view.file if view is not None else self._library.file(path)
        base = LoadedSource(
            path, citation.quote, citation.page, citation.boxes, file=file, url=view.url if view else ""
        )
        if file is None:
            return replace(base, notice="The file is not where it was. This is what the answer quoted.")
        if view is not None and not view.changed and view.record.content_hash == citation.file_hash:
            return self._whole(view, base, citation.start, citation.end)
        if _content_hash(file) == citation.file_hash:
            return self._without_text(base, citation)
        if view is not None and not view.changed and view.record.state is DocumentState.READY:
            return self._find_again(view, base, citation)
        return replace(base, notice="The file has changed since this answer. This is what the answer quoted.")

    def _view(self, citation: Citation) -> SourceView | None:
        try:
            return self._library.source(citation.document_id)
        except BadInputError:
            return None

    def _whole(self, view: SourceView, base: LoadedSource, start: int, end: int) -> LoadedSource:
        notices = (base.notice, ocr_note(view.sections, start, end))
        base = replace(base, notice=" ".join(filter(None, notices)))
        if view.record.media_type == PDF_MEDIA_TYPE:
            return self._as_pdf(base, base.file or base.path)
        pages = self._library.pages(view.record.path) if view.record.media_type.startswith("image/") else None
        return self._as_text(base, view, start, end) if pages is None else self._as_pdf(base, pages)

    def _without_text(self, base: LoadedSource, citation: Citation) -> LoadedSource:
        """The file is the one that was quoted, but the library doesn't hold its text."""
        notice = "This document is no longer in your library."
        if citation.path.suffix.lower() == ".pdf" and citation.page is not None:
            return self._as_pdf(replace(base, notice=notice), base.file or base.path)
        return replace(base, notice=f"{notice} This is what the answer quoted.")

    def _find_again(self, view: SourceView, base: LoadedSource, citation: Citation) -> LoadedSource:
        """The file was read again after it changed: the quote may still be in it."""
        start = view.text.find(citation.quote)
        if start < 0:
            notice = "The file has changed since this answer and no longer says this:"
            return self._whole(view, replace(base, boxes=(), notice=notice), 0, 0)
        end = start + len(citation.quote)
        page, boxes = self._library.boxes(view.record.id, start, end)
        notice = "The file has changed since this answer, but the passage is still in it."
        return self._whole(view, replace(base, page=page, boxes=boxes, notice=notice), start, end)

    def _as_pdf(self, base: LoadedSource, file: Path) -> LoadedSource:
        try:
            return replace(base, pdf=self._open_pdf(file))
        except DocumentError as error:
            return replace(base, notice=str(error))

    def _as_text(self, base: LoadedSource, view: SourceView, start: int, end: int) -> LoadedSource:
        fixed = view.record.media_type.startswith(CODE_MEDIA_PREFIXES) or (
            bool(view.sections) and all(each.kind is not SectionKind.TEXT for each in view.sections)
        )
        return replace(base, text=extract(view.text, start, end, fixed_pitch=fixed))


def ocr_note(sections: Sequence[SectionView], start: int, end: int) -> str:
    """Say how sure OCR was of ``[start, end)``, or how many pages it read where no passage is shown."""
    shown = [each for each in sections if each.start < end and each.end > start] if end > start else list(sections)
    sure = [each.confidence for each in shown if each.confidence is not None]
    if not sure:
        return ""
    if end > start or len(sure) == len(shown):
        return f"Read by OCR, {sum(sure) / len(sure):.0%} sure.".replace("%", " %")
    return f"{len(sure)} of {len(shown)} pages were read by OCR."


def extract(text: str, start: int, end: int, *, fixed_pitch: bool = False) -> TextExtract:
    """Cut a long text down to what surrounds ``[start, end)``, given in code points."""
    if not fixed_pitch:
        text = unwrapped(text)
    first = max(0, min(start - LONGEST_TEXT // 2, len(text) - LONGEST_TEXT))
    last = min(len(text), first + LONGEST_TEXT)
    part = text[first:last]
    inside = slice(start - first, end - first)
    return TextExtract(
        part,
        utf16_length(part[: inside.start]),
        utf16_length(part[: inside.stop]),
        fixed_pitch,
        first > 0,
        last < len(text),
    )


def unwrapped(text: str) -> str:
    """Let lines that were broken at a fixed width flow on, every character keeping its place.

    A line of running text ends where the width ended: it is long, and the next one begins with a letter or digit.
    """
    return HARD_WRAP.sub(" ", text)


def utf16_length(text: str) -> int:
    """How many positions Qt counts for ``text``: characters beyond the basic plane take two."""
    return len(text) + sum(character > "\uffff" for character in text)


def _content_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
