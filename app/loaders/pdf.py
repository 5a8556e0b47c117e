"""PDF: text and character maps by PDFium, with pypdf for what PDFium refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.domain.documents import Section
from app.domain.errors import DocumentError, FailureReason
from app.loaders import pdf_fallback, pdfium
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.page_reader import PageReader, PicturePage, may_hold_unread_text
from app.loaders.pdf_repair import mended


class PdfLoader(DocumentLoader):
    """One section a page. The bookmarks that lead to a page are its headings."""

    extensions = frozenset({".pdf"})

    def __init__(self, page_reader: PageReader | None = None) -> None:
        """``page_reader`` reads pages whose text stands in pictures; without one they hold no text."""
        self._page_reader = page_reader

    def media_type(self, path: Path) -> str:
        """Return ``application/pdf``."""
        del path
        return "application/pdf"

    def load(self, path: Path) -> LoadedDocument:
        """Read every page that can be read.

        Raises ``DocumentError``: ``encrypted``, ``damaged`` (no page can be read) or ``no_text`` (scanned pages).
        """
        try:
            with pdfium.opened_document(path) as document:
                loaded = _read(path, document, self._page_reader)
        except pdfium.PdfiumError as error:
            if error.code in {pdfium.ERROR_PASSWORD, pdfium.ERROR_SECURITY}:
                raise pdf_fallback.encrypted_error(path) from error
            loaded = _read_mended(path, self._page_reader) or _read_by_fallback(path)
        if not any(section.text.strip() for section in loaded.sections):
            raise _no_text_error(path, loaded.page_count or 0)
        return loaded


def _read(path: Path, document: pdfium.Handle, reader: PageReader | None) -> LoadedDocument:
    count = pdfium.page_count(document)
    if count <= 0:
        return _read_by_fallback(path)
    pages = [_page(path, document, index, reader) for index in range(count)]
    missing = [index for index, page in enumerate(pages) if page is None]
    if missing:
        _mend(path, pages, missing)
    headings = page_headings(pdfium.outline(document), count)
    return _loaded(path, pages, headings, pdfium.metadata(document))


def _page(path: Path, document: pdfium.Handle, index: int, reader: PageReader | None) -> Sequence[Section] | None:
    """Return what stands on a page, None if PDFium can't open it."""
    try:
        with pdfium.opened_page(document, index) as (page, text_page):
            text, char_map = pdfium.page_text(text_page)
            if reader is not None and may_hold_unread_text(page, text):
                found = reader.sections(PicturePage(path, index, page, text))
                if found:
                    return found
            return [Section(text, index + 1, char_map=char_map)]
    except pdfium.PdfiumError:
        return None


def _mend(path: Path, pages: list[Sequence[Section] | None], missing: Sequence[int]) -> None:
    """Ask pypdf for the pages that PDFium could not load."""
    try:
        with pdf_fallback.opened_reader(path) as reader:
            for index in missing:
                text = pdf_fallback.page_text(reader, index)
                pages[index] = None if text is None else [Section(text, index + 1)]
    except DocumentError:
        return  # pypdf can't open it either; the missing pages are counted in the warning


def _read_mended(path: Path, reader: PageReader | None) -> LoadedDocument | None:
    """Read a file whose end is missing. Its characters have no places: no viewer can show it as it is."""
    for repaired in mended(path.read_bytes()):
        try:
            with pdfium.opened_document(repaired) as document:
                loaded = _read(path, document, reader)
        except (pdfium.PdfiumError, DocumentError):
            continue  # pypdf has the last word
        if any(section.text.strip() for section in loaded.sections):
            sections = [replace(section, char_map=None) for section in loaded.sections]
            warning = loaded.metadata.get("warning", "The file is incomplete; what there is of it was read.")
            return replace(loaded, sections=sections, metadata={**loaded.metadata, "warning": warning})
    return None


def _read_by_fallback(path: Path) -> LoadedDocument:
    texts, stated = pdf_fallback.page_texts(path)
    pages = [None if text is None else [Section(text, number)] for number, text in enumerate(texts, start=1)]
    return _loaded(path, pages, [()] * len(pages), stated)


def _loaded(
    path: Path,
    pages: Sequence[Sequence[Section] | None],
    headings: Sequence[tuple[str, ...]],
    stated: dict[str, str],
) -> LoadedDocument:
    unread = sum(page is None for page in pages)
    if unread == len(pages):
        raise pdf_fallback.damaged_error(path)
    if unread:
        stated = {**stated, "warning": f"{unread} of {len(pages)} pages are damaged and could not be read."}
    sections = [
        section if section.headings else replace(section, headings=path_to_page)
        for page, path_to_page in zip(pages, headings, strict=True)
        for section in page or ()
    ]
    return LoadedDocument(sections, stated.get("title", ""), len(pages), stated)


def page_headings(entries: Sequence[pdfium.OutlineEntry], count: int) -> list[tuple[str, ...]]:
    """Return for each of ``count`` pages the bookmark path that holds where the page begins.

    A page on which a chapter begins gets that chapter's path; with several, the first of the page.
    """
    headings: list[tuple[str, ...]] = [()] * count
    path: list[tuple[int, str]] = []
    filled = 0
    for entry in entries:
        start = min(entry.page - 1, count)
        if start < filled or not entry.title:
            path = _with(path, entry)
            continue
        here = tuple(title for _, title in path)
        headings[filled:start] = [here] * (start - filled)
        path = _with(path, entry)
        if start < count:
            headings[start] = tuple(title for _, title in path)
            filled = start + 1
    headings[filled:] = [tuple(title for _, title in path)] * (count - filled)
    return headings


def _with(path: list[tuple[int, str]], entry: pdfium.OutlineEntry) -> list[tuple[int, str]]:
    kept = [each for each in path if each[0] < entry.level]
    return [*kept, (entry.level, entry.title)] if entry.title else kept


def _no_text_error(path: Path, pages: int) -> DocumentError:
    what = "its page is a picture" if pages == 1 else f"its {pages} pages are pictures"
    return DocumentError(
        FailureReason.NO_TEXT,
        f"“{path.name}” holds no text, {what} (a scan, for example). Scanned pages can't be read yet.",
    )
