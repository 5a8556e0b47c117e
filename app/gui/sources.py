"""Getting a source ready for the viewer: what can be shown of it, what has to be said about it, what can be done.

Everything here reads files and databases, so it runs on a worker thread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from app.domain.citations import Citation
from app.domain.documents import Box, DocumentState
from app.domain.errors import BadInputError, DocumentError
from app.domain.turn_details import SentPassage
from app.gui.pdf_file import PdfFile
from app.gui.ports import Library, SectionView, SourceView
from app.gui.reading.blocks import Reading
from app.gui.reading.document_reader import DocumentReader, DocumentText

PDF_MEDIA_TYPE = "application/pdf"


class Offer(StrEnum):
    """What can be done about a source that isn't as it was; the words on its button."""

    READ_AGAIN = "Read it again"
    FIND_FILE = "Find the file…"
    ADD = "Add it to the library"
    OPEN_OUTSIDE = "Open it in another program"


@dataclass(frozen=True, slots=True)
class LoadedSource:
    """What the viewer shows: a PDF, or text set for reading, or only the quote. ``notice`` says what has to be known.

    ``file`` is what is read for ``path``: the same, or a copy of a file in an archive; None if it can't be reached.
    ``scanned`` tells of pages that OCR read. ``url`` is the address of a page from the web.
    ``document_id`` is None for what is not in the library. ``reader`` sets other parts of a long text.
    """

    path: Path
    quote: str = ""
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    pdf: PdfFile | None = None
    reading: Reading | None = None
    reader: DocumentReader | None = None
    notice: str = ""
    offers: tuple[Offer, ...] = ()
    file: Path | None = None
    url: str = ""
    document_id: int | None = None
    scanned: bool = False

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
        base = LoadedSource(view.record.path, page=1, file=view.file, url=view.url, document_id=view.record.id)
        return self._as_it_was(view, base, 0, 0) if view.changed else self._whole(view, base, 0, 0)

    def load_citation(self, citation: Citation) -> LoadedSource:
        """The place a citation points to, or its stored quote where that place is gone."""
        view = self._view(citation)
        path = view.record.path if view is not None else citation.path
        file = view.file if view is not None else self._library.file(path)
        base = LoadedSource(
            path,
            citation.quote,
            citation.page,
            citation.boxes,
            file=file,
            url=view.url if view else "",
            document_id=view.record.id if view else None,
        )
        if view is not None and view.record.content_hash == citation.file_hash:
            unchanged = file is not None and not view.changed
            load = self._whole if unchanged else self._as_it_was
            return load(view, base, citation.start, citation.end)
        if file is None:
            notice = "The file is not where it was. This is what the answer quoted."
            return replace(base, notice=notice, offers=(Offer.FIND_FILE,))
        if _content_hash(file) == citation.file_hash:
            return self._without_text(base, citation)
        if view is not None and not view.changed and view.record.state is DocumentState.READY:
            return self._find_again(view, base, citation)
        notice = "The file has changed since this answer. This is what the answer quoted."
        return replace(base, notice=notice, offers=(Offer.READ_AGAIN, Offer.OPEN_OUTSIDE))

    def load_passage(self, passage: SentPassage) -> LoadedSource:
        """The place of a passage that a model was given, or its text where that place is gone."""
        citation = Citation(
            0,
            passage.document_id,
            passage.path,
            passage.title,
            "",
            passage.start,
            passage.end,
            passage.text,
            passage.page,
        )
        view = self._view(citation)
        if view is not None and view.text[passage.start : passage.end] == passage.text:
            _, boxes = self._library.boxes(passage.document_id, passage.start, passage.end)
            citation = replace(citation, file_hash=view.record.content_hash, boxes=boxes)
        return self.load_citation(citation)

    def _view(self, citation: Citation) -> SourceView | None:
        try:
            return self._library.source(citation.document_id)
        except BadInputError:
            return None

    def _whole(self, view: SourceView, base: LoadedSource, start: int, end: int) -> LoadedSource:
        notices = (base.notice, ocr_note(view.sections, start, end))
        scanned = any(each.confidence is not None for each in view.sections)
        base = replace(base, notice=" ".join(filter(None, notices)), scanned=scanned)
        if view.record.media_type == PDF_MEDIA_TYPE:
            return self._as_pdf(base, base.file or base.path, view, start, end)
        pages = self._library.pages(view.record.path) if view.record.media_type.startswith("image/") else None
        return self._as_text(base, view, start, end) if pages is None else self._as_pdf(base, pages, view, start, end)

    def _as_it_was(self, view: SourceView, base: LoadedSource, start: int, end: int) -> LoadedSource:
        """The file is gone or another one by now, but the library still has the text it had."""
        if base.file is None:
            notice, offers = "The file is not where it was. This is the text that Footnote read.", (Offer.FIND_FILE,)
            return self._as_text(replace(base, notice=notice, offers=offers), view, start, end)
        notice = "The file has changed since Footnote read it. This is the text it had then."
        changed = replace(base, notice=notice, offers=(Offer.READ_AGAIN, Offer.OPEN_OUTSIDE))
        return self._as_text(changed, view, start, end)

    def _without_text(self, base: LoadedSource, citation: Citation) -> LoadedSource:
        """The file is the one that was quoted, but the library doesn't hold its text."""
        base = replace(base, notice="This document is no longer in your library.", offers=(Offer.ADD,))
        if citation.path.suffix.lower() == ".pdf" and citation.page is not None:
            return self._as_pdf(base, base.file or base.path)
        return replace(base, notice=f"{base.notice} This is what the answer quoted.")

    def _find_again(self, view: SourceView, base: LoadedSource, citation: Citation) -> LoadedSource:
        """The file was read again after it changed: the quote may still be in it."""
        start = view.text.find(citation.quote)
        if start < 0:
            notice = "The file has changed since this answer and no longer says this."
            return self._whole(view, replace(base, boxes=(), notice=notice), 0, 0)
        end = start + len(citation.quote)
        page, boxes = self._library.boxes(view.record.id, start, end)
        notice = "The file has changed since this answer, but the passage is still in it."
        return self._whole(view, replace(base, page=page, boxes=boxes, notice=notice), start, end)

    def _as_pdf(
        self, base: LoadedSource, file: Path, view: SourceView | None = None, start: int = 0, end: int = 0
    ) -> LoadedSource:
        try:
            return replace(base, pdf=self._open_pdf(file))
        except DocumentError as error:
            failed = replace(base, notice=str(error), offers=(Offer.OPEN_OUTSIDE,))
            if view is None or not view.text.strip():
                return failed
            notice = f"{error} This is the text that Footnote read in it."
            return self._as_text(replace(failed, notice=notice), view, start, end)

    def _as_text(self, base: LoadedSource, view: SourceView, start: int, end: int) -> LoadedSource:
        file = base.file if not view.changed else None
        record = view.record
        reader = DocumentReader(DocumentText(record.path, record.media_type, view.text, view.sections, file))
        return replace(base, reader=reader, reading=reader.read(start, end))


def ocr_note(sections: Sequence[SectionView], start: int, end: int) -> str:
    """Say how sure OCR was of ``[start, end)``, or how many pages it read where no passage is shown."""
    shown = [each for each in sections if each.start < end and each.end > start] if end > start else list(sections)
    sure = [each.confidence for each in shown if each.confidence is not None]
    if not sure:
        return ""
    if end > start or len(sure) == len(shown):
        return f"Read by OCR, {sum(sure) / len(sure):.0%} sure.".replace("%", " %")
    return f"{len(sure)} of {len(shown)} pages were read by OCR."


def _content_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
