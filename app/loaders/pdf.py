"""PDF: text and character maps by PDFium, with pypdf for what PDFium refuses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from app.domain.documents import Section
from app.domain.errors import DocumentError, FailureReason
from app.loaders import pdf_fallback, pdfium
from app.loaders.document_loader import DocumentLoader, LoadedDocument, warned
from app.loaders.mapped_text import MappedText
from app.loaders.page_reader import PageReader, PicturePage, may_hold_unread_text
from app.loaders.page_titles import page_title
from app.loaders.parser_limits import ParserLimits
from app.loaders.pdf_page import PageText, read_page
from app.loaders.pdf_repair import mended
from app.loaders.pdf_tidying import tidied
from app.loaders.titles import display_name, sensible_title

MOST_NAMED = 3
# Read directly, read from its picture, or not readable.
_Page = PageText | Sequence[Section] | None


class PdfLoader(DocumentLoader):
    """One section a page. The bookmarks that lead to a page are its headings."""

    extensions = frozenset({".pdf"})

    def __init__(self, page_reader: PageReader | None = None, *, tidy: bool = True) -> None:
        """``page_reader`` reads pages whose text stands in pictures; without one they hold no text.

        ``tidy`` leaves out running headers, footers and page numbers and mends words divided at line ends.
        """
        self._page_reader = page_reader
        self._tidy = tidy

    @classmethod
    def with_ocr(cls, limits: ParserLimits, ocr: PageReader) -> PdfLoader:
        """Make the loader that ``limits`` ask for; ``ocr`` reads scanned pages."""
        return cls(ocr if limits.ocr else None, tidy=limits.tidy_pages)

    def media_type(self, path: Path) -> str:
        """Return ``application/pdf``."""
        del path
        return "application/pdf"

    def load(self, path: Path) -> LoadedDocument:
        """Read every page that can be read.

        Raises ``DocumentError``: ``encrypted``, ``damaged`` (no page can be read) or ``no_text`` (scanned pages).
        """
        reader = self._page_reader
        if reader is not None:
            reader.begin(path)
        try:
            with pdfium.opened_document(path) as document:
                loaded = self._read(path, document)
        except pdfium.PdfiumError as error:
            if error.code in {pdfium.ERROR_PASSWORD, pdfium.ERROR_SECURITY}:
                raise pdf_fallback.encrypted_error(path) from error
            loaded = self._read_mended(path) or self._read_by_fallback(path)
        if not any(section.text.strip() for section in loaded.sections):
            raise _no_text_error(path, loaded.page_count or 0, tried=reader is not None)
        return replace(loaded, metadata=warned(loaded.metadata, reader.warning)) if reader is not None else loaded

    def _read(self, path: Path, document: pdfium.Handle) -> LoadedDocument:
        count = pdfium.page_count(document)
        if count <= 0:
            return self._read_by_fallback(path)
        pages = [self._page(path, document, index) for index in range(count)]
        missing = [index for index, page in enumerate(pages) if page is None]
        if missing:
            _mend(path, pages, missing)
        headings = page_headings(pdfium.outline(document), count)
        stated = pdfium.metadata(document) | _attached(pdfium.attachment_names(document))
        return self._loaded(path, pages, headings, stated)

    def _page(self, path: Path, document: pdfium.Handle, index: int) -> _Page:
        """Return what stands on a page, None if PDFium can't open it."""
        try:
            with pdfium.opened_page(document, index) as (page, text_page):
                read = read_page(page, text_page, index + 1)
                text = read.mapped.text
                if self._page_reader is not None and may_hold_unread_text(page, text):
                    found = self._page_reader.sections(PicturePage(path, index, page, text))
                    if found:
                        return found
                return read
        except pdfium.PdfiumError:
            return None

    def _read_mended(self, path: Path) -> LoadedDocument | None:
        """Read a file whose end is missing. Its characters have no places: no viewer can show it as it is."""
        for repaired in mended(path.read_bytes()):
            try:
                with pdfium.opened_document(repaired) as document:
                    loaded = self._read(path, document)
            except (pdfium.PdfiumError, DocumentError):
                continue  # pypdf has the last word
            if any(section.text.strip() for section in loaded.sections):
                sections = [replace(section, char_map=None) for section in loaded.sections]
                metadata = warned(loaded.metadata, "The file is incomplete; what there is of it was read.")
                return replace(loaded, sections=sections, metadata=metadata)
        return None

    def _read_by_fallback(self, path: Path) -> LoadedDocument:
        texts, stated = pdf_fallback.page_texts(path)
        pages = [None if text is None else PageText(number, MappedText(text)) for number, text in enumerate(texts, 1)]
        return self._loaded(path, pages, [()] * len(pages), stated)

    def _loaded(
        self, path: Path, pages: Sequence[_Page], headings: Sequence[tuple[str, ...]], stated: dict[str, str]
    ) -> LoadedDocument:
        unread = sum(page is None for page in pages)
        if unread == len(pages):
            raise pdf_fallback.damaged_error(path)
        if unread:
            stated = warned(stated, f"{unread} of {len(pages)} pages are damaged and could not be read.")
        sections = [
            section if section.headings else replace(section, headings=_headings(path_to_page, section.text))
            for found, path_to_page in zip(self._sections(pages), headings, strict=True)
            for section in found
        ]
        # A page's title is no title of the whole file; bookmarks are.
        title = sensible_title(stated.get("title", "")) or ("" if any(headings) else display_name(path))
        return LoadedDocument(sections, title, len(pages), stated)

    def _sections(self, pages: Sequence[_Page]) -> Iterator[Sequence[Section]]:
        texts = [page for page in pages if isinstance(page, PageText)]
        mapped = iter(tidied(texts) if self._tidy else [page.mapped for page in texts])
        for page in pages:
            if isinstance(page, PageText):
                found = next(mapped)
                yield [Section(found.text, page.number, char_map=found.char_map)]
            else:
                yield page or ()


def _headings(path_to_page: tuple[str, ...], text: str) -> tuple[str, ...]:
    title = page_title(text)
    return (*path_to_page, title) if title and title not in path_to_page else path_to_page


def _attached(names: Sequence[str]) -> dict[str, str]:
    """Return a warning that names the first files that are embedded in the document, which aren't read."""
    if not names:
        return {}
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    listed = ", ".join(f"“{name}”" for name in names[:MOST_NAMED])
    return {
        "warning": f"The files attached to it were not read: {listed}{more}. Save them from a PDF viewer to add them."
    }


def _mend(path: Path, pages: list[_Page], missing: Sequence[int]) -> None:
    """Ask pypdf for the pages that PDFium could not load."""
    try:
        with pdf_fallback.opened_reader(path) as reader:
            for index in missing:
                text = pdf_fallback.page_text(reader, index)
                pages[index] = None if text is None else PageText(index + 1, MappedText(text))
    except DocumentError:
        return  # pypdf can't open it either; the missing pages are counted in the warning


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


def _no_text_error(path: Path, pages: int, *, tried: bool) -> DocumentError:
    where = "on its page" if pages == 1 else f"on its {pages} pages"
    message = f"“{path.name}” holds no text that could be searched, nor was any found in the pictures {where}."
    if not tried:
        message = (
            f"“{path.name}” holds no text that could be searched; what it shows are pictures. "
            "Reading scanned pages (OCR) is switched off in the settings."
        )
    return DocumentError(FailureReason.NO_TEXT, message)
