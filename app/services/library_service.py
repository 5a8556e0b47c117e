"""The library as the window and the command line see it: documents, search, sources."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.domain.documents import Box, DocumentRecord, DocumentState
from app.domain.errors import BadInputError, DocumentError, UserFacingError
from app.domain.page_text import PageText
from app.domain.passages import Passage, Scope, SearchMode
from app.domain.turn_details import UnreadFile
from app.loaders.archive_names import is_archive
from app.retrieval.retriever import Retriever
from app.services.document_files import DocumentFiles
from app.services.picture_pages import PicturePages
from app.storage.library_store import LibraryStore
from app.storage.library_values import StoredSection, UnknownDocumentError

log = logging.getLogger(__name__)
MOST_UNREAD = 20
_WHY_UNREAD = {
    DocumentState.EXCLUDED: "It is left out of the library.",
    DocumentState.OFFLINE: "Its folder or drive can't be reached.",
    DocumentState.FAILED: "It could not be read.",
}


@dataclass(frozen=True, slots=True)
class SourceView:
    """What the viewer needs of a document. ``changed`` means the file differs from what was read, or is gone.

    ``file`` is what can be opened: the document's file, or a copy of a file in an archive; None if it can't be reached.
    ``url`` is the address of a page from the web.
    """

    record: DocumentRecord
    text: str
    sections: tuple[StoredSection, ...]
    changed: bool
    file: Path | None
    url: str = ""


class AttachedTexts(Protocol):
    """Files attached to chats, by their negative ids."""

    def record(self, document_id: int) -> DocumentRecord:
        """What is known of one. Raises ``BadInputError`` if it is gone."""
        ...

    def text(self, document_id: int) -> str:
        """Its text."""
        ...


class LibraryService:
    """Use cases of the library. Methods block on SQLite and the indexes; call them off the GUI thread."""

    def __init__(
        self,
        store: LibraryStore,
        open_retriever: Callable[[], Retriever],
        supported_extensions: Callable[[], frozenset[str]],
        library_changed: Callable[[], None],
        files: DocumentFiles,
        pictures: PicturePages | None = None,
        attached: AttachedTexts | None = None,
    ) -> None:
        self._attached = attached
        self._store = store
        self._files = files
        self._pictures = pictures
        self._open_retriever = open_retriever
        self._supported_extensions = supported_extensions
        self._library_changed = library_changed

    @property
    def supported_extensions(self) -> frozenset[str]:
        """File extensions that can be read, with the dot, in lower case."""
        return self._supported_extensions()

    def documents(self) -> list[DocumentRecord]:
        """All documents, in order of adding."""
        return self._store.documents()

    def unread(self, scope: Scope) -> tuple[list[UnreadFile], int]:
        """The first files in ``scope`` that can't be searched, or not wholly, and how many there are."""
        records, count = self._store.unread(scope, MOST_UNREAD)
        return [UnreadFile(each.path, why_unread(each)) for each in records], count

    def addresses(self) -> dict[Path, str]:
        """The web address behind each document that is a page from the web."""
        return {origin.path: origin.url for origin in self._store.origins()}

    def document(self, document_id: int) -> DocumentRecord:
        """One document. Raises ``BadInputError`` if it is not (or no longer) in the library."""
        try:
            return self._store.document(document_id)
        except UnknownDocumentError as error:
            message = "This document is no longer in the library. Its quotes stay in your chats."
            raise BadInputError(message) from error

    def remove(self, what: Path | int) -> list[DocumentRecord]:
        """Take a document (by id), a file, or all files below a folder, out of the library. The files stay untouched.

        What is inside a followed folder does not come in again by itself. Raises ``BadInputError`` if the library
        holds nothing there.
        """
        found = self._with_members(self.document(what)) if isinstance(what, int) else self._at(what)
        self._store.leave_out(self.document(what).path if isinstance(what, int) else what)
        for record in found:
            self._store.remove(record.id)
        self._library_changed()
        return found

    def _with_members(self, record: DocumentRecord) -> list[DocumentRecord]:
        """A document and, if it is an archive, those inside it."""
        return self._at(record.path) if is_archive(record.path) else [record]

    def _at(self, path: Path) -> list[DocumentRecord]:
        found = [record for record in self._store.documents() if record.path == path or path in record.path.parents]
        if not found:
            raise BadInputError(f"{path} is not in the library. `footnote documents` lists what is.")
        return found

    def search(
        self, query: str, *, k: int = 10, mode: SearchMode = SearchMode.HYBRID, scope: Scope | None = None
    ) -> list[Passage]:
        """The best passages for a query, best first."""
        return self._open_retriever().search(query, k=k, mode=mode, scope=scope or Scope())

    def excerpts(self, query: str, *, k: int = 5, scope: Scope | None = None) -> list[Passage]:
        """At most ``k`` passages that answer a query: hits that touch are joined, weak ones left out."""
        return self._open_retriever().excerpts(query, k=k, scope=scope or Scope())

    def source(self, document_id: int) -> SourceView:
        """A document's text and sections. Raises ``BadInputError`` if it is no longer in the library."""
        if document_id < 0 and self._attached is not None:
            attached = self._attached.record(document_id)
            text = self._attached.text(document_id)
            return SourceView(attached, text, (), self._changed(attached), self.file(attached.path))
        record = self.document(document_id)
        text = self._store.document_text(document_id)
        sections = tuple(self._store.sections(document_id))
        origin = self._store.origin_of(record.path)
        url = origin.url if origin else ""
        return SourceView(record, text, sections, self._changed(record), self.file(record.path), url)

    def file(self, path: Path) -> Path | None:
        """The file to open for ``path``: itself, or a copy where it leads into an archive; None if there is none.

        A copy stays for a while, at least as long as it is among those opened last.
        """
        if self._files.stamp(path) is None:
            return None
        try:
            with self._files.opened(path) as file:
                return file
        except DocumentError as error:
            log.info("%s can't be opened: %s", path, error)
            return None

    def pages(self, path: Path) -> Path | None:
        """A PDF that shows the picture at ``path`` page by page, a point a pixel; None if it can't be shown."""
        if self._pictures is None or self._files.stamp(path) is None:
            return None
        try:
            with self._files.opened(path) as file:
                return self._pictures.pdf(file)
        except (DocumentError, OSError) as error:
            log.info("%s can't be shown: %s", path, error)
            return None

    def _changed(self, record: DocumentRecord) -> bool:
        return self._files.stamp(record.path) != record.stamp

    def boxes(self, document_id: int, start: int, end: int) -> tuple[int | None, tuple[Box, ...]]:
        """The page of ``[start, end)`` and its rectangles; none unless the file has pages and is as it was read."""
        record = self.document(document_id)
        for section in self._store.sections(document_id):
            if section.start <= start < section.end:
                has_places = section.has_char_map or section.confidence is not None
                readable = section.page is not None and has_places and not self._changed(record)
                return section.page, self._section_boxes(record.path, section, start, end) if readable else ()
        return None, ()

    def page_text(self, document_id: int | None, file: Path, page: int) -> PageText:
        """The text of a page of the PDF ``file`` with its places: what OCR read of the document, else the PDF's own.

        Raises ``DocumentError`` if the file or the page can't be opened.
        """
        from app.loaders.pdf_geometry import text_of_page

        if document_id is not None:
            for section in self._store.sections(document_id):
                if section.page == page and section.box_map is not None:
                    text = self._store.document_text(document_id)[section.start : section.end]
                    return PageText(text, section.box_map)
        return text_of_page(file, page)

    def citation_boxes(self, passage: Passage, start: int, end: int) -> tuple[Box, ...]:
        """Rectangles for a footnote; none where the file can't be read now. The quote itself is always kept."""
        try:
            return self.boxes(passage.document_id, start, end)[1]
        except UserFacingError as error:
            log.info("no rectangles for a quote of %s: %s", passage.path, error)
            return ()

    def _section_boxes(self, path: Path, section: StoredSection, start: int, end: int) -> tuple[Box, ...]:
        from app.loaders.pdf_geometry import boxes_for_span

        if section.box_map is not None:
            return section.box_map.boxes_between(start - section.start, end - section.start)
        char_map = section.char_map
        if char_map is None or section.page is None:
            return ()
        indexes = char_map[start - section.start : min(end, section.end) - section.start]
        with self._files.opened(path) as file:
            return boxes_for_span(file, section.page, indexes)


def why_unread(record: DocumentRecord) -> str:
    """Why a document can't be searched, or which part of it, in plain words."""
    if record.state is DocumentState.READY:
        return record.warning
    return record.message or _WHY_UNREAD.get(record.state, "It has not been read yet.")
