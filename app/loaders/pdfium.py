"""Opens PDF files with PDFium and reads the text of a page in bulk.

PDFium is not thread-safe: only one thread of a process may be inside it. Parser processes have one; elsewhere use
``pdf_geometry``, which locks.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.char_map import CharMap

ERROR_PASSWORD = 4
ERROR_SECURITY = 5
HYPHEN = 2
# What GetText puts for a hyphen at a line end (which swallows the line break too), and for a glyph without meaning.
_MARK = "\ufffe"
_CHANGES = re.compile(
    "\r\n|\r|\n|\ufffe|\u00ad|[\x00-\x08\x0b-\x1f\x7f\ufeff\uffff]|[\U00010000-\U0010ffff]|[\ud800-\udfff]"
)
_ODD = re.compile(
    "\r(?!\n)|(?<!\r)\n|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\ufeff\ufffe\uffff\U00010000-\U0010ffff\ud800-\udfff]"
)
_MOST_OUTLINE_ENTRIES = 20_000
_MOST_ANNOTATIONS = 5_000
_MOST_ATTACHMENTS = 1_000

Handle = Any  # an opaque ctypes pointer of PDFium


class PdfiumError(Exception):
    """PDFium can't open a file or page. ``code`` is its FPDF_GetLastError."""

    def __init__(self, code: int) -> None:
        super().__init__(f"PDFium error {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A bookmark. ``level`` counts from 0, ``page`` from 1."""

    level: int
    title: str
    page: int


@contextmanager
def opened_document(source: Path | bytes) -> Iterator[Handle]:
    """Open a file, or the content of one. Raises ``PdfiumError``."""
    import pypdfium2  # noqa: F401  # initialises the library
    import pypdfium2.raw as pdfium

    if isinstance(source, bytes):
        document = pdfium.FPDF_LoadMemDocument64(source, len(source), None)
    else:
        document = pdfium.FPDF_LoadDocument(os.fsencode(source) + b"\x00", None)
    if not document:
        raise PdfiumError(pdfium.FPDF_GetLastError())
    try:
        yield document
    finally:
        pdfium.FPDF_CloseDocument(document)


@contextmanager
def opened_page(document: Handle, index: int) -> Iterator[tuple[Handle, Handle]]:
    """Open page ``index`` (from 0); yields page and text page. Raises ``PdfiumError``."""
    import pypdfium2.raw as pdfium

    page = _loaded_page(document, index)
    if _shows_annotation_text(page) and pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY) > 0:
        pdfium.FPDF_ClosePage(page)
        page = _loaded_page(document, index)  # flattening shows in a page that is loaded anew
    try:
        text_page = pdfium.FPDFText_LoadPage(page)
        if not text_page:
            raise PdfiumError(pdfium.FPDF_GetLastError())
        try:
            yield page, text_page
        finally:
            pdfium.FPDFText_ClosePage(text_page)
    finally:
        pdfium.FPDF_ClosePage(page)


def _loaded_page(document: Handle, index: int) -> Handle:
    import pypdfium2.raw as pdfium

    page = pdfium.FPDF_LoadPage(document, index)
    if not page:
        raise PdfiumError(pdfium.FPDF_GetLastError())
    return page


def _shows_annotation_text(page: Handle) -> bool:
    """Whether the page has form fields, typed-in text or stamps, whose text stands outside the page's own content."""
    import pypdfium2.raw as pdfium

    with_text = {pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP}
    for place in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST_ANNOTATIONS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, place)
        if annotation:
            kind = pdfium.FPDFAnnot_GetSubtype(annotation)
            pdfium.FPDFPage_CloseAnnot(annotation)
            if kind in with_text:
                return True
    return False


def page_count(document: Handle) -> int:
    """Return how many pages ``document`` says it has."""
    import pypdfium2.raw as pdfium

    return int(pdfium.FPDF_GetPageCount(document))


def page_text(text_page: Handle) -> tuple[str, CharMap]:
    """Return the text of a page with ``\\n`` line ends, and for each character its index in PDFium's text."""
    raw, indexes = _raw_text(text_page)
    return _cleaned(raw, indexes, text_page)


def _raw_text(text_page: Handle) -> tuple[str, list[int] | None]:
    """All text in UTF-16 units, one ``str`` character each, and their PDFium indexes where these differ."""
    import pypdfium2.raw as pdfium

    count = pdfium.FPDFText_CountChars(text_page)
    if count <= 0:
        return "", None
    buffer = ctypes.create_string_buffer(4 * (count + 1))
    written = pdfium.FPDFText_GetText(text_page, 0, count, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))) - 1
    units = buffer.raw[: 2 * max(0, written)]
    text = units.decode("utf-16-le", "surrogatepass")
    if written == count:
        return text, None
    # Glyphs without a meaning take no part in the text: ask for each, which is slow but rare.
    where = pdfium.FPDFText_GetTextIndexFromCharIndex
    kept = {where(text_page, index): index for index in reversed(range(count))}
    kept.pop(-1, None)
    return text, [kept.get(unit, -1) for unit in range(written)]


class _CleanText:
    """Text being put together with its character map."""

    def __init__(self, indexes: list[int] | None) -> None:
        self._indexes = indexes
        self._parts: list[str] = []
        self._runs: list[tuple[int, int, int]] = []
        self._length = 0

    def keep(self, text: str, unit: int) -> None:
        """Add ``text``, whose characters stand at ``unit`` and after in PDFium's text."""
        if self._indexes is None:
            self._runs.append((self._length, unit, len(text)))
        else:
            found = self._indexes[unit : unit + len(text)]
            self._runs.extend((self._length + place, index, 1) for place, index in enumerate(found) if index >= 0)
        self.add(text)

    def add(self, text: str) -> None:
        """Add ``text`` that stands on no glyph."""
        self._parts.append(text)
        self._length += len(text)

    def result(self) -> tuple[str, CharMap]:
        return "".join(self._parts), CharMap(self._length, self._runs)


def _cleaned(raw: str, indexes: list[int] | None, text_page: Handle) -> tuple[str, CharMap]:
    if indexes is None and not _ODD.search(raw):
        return _with_newlines(raw)
    clean = _CleanText(indexes)
    position = 0  # in ``raw``, in code points
    unit = 0  # the same place in UTF-16 units, which is how PDFium counts
    for change in _CHANGES.finditer(raw):
        start, found = change.start(), change.group()
        if start > position:
            clean.keep(raw[position:start], unit)
            unit += start - position
        position = change.end()
        if found[0] in "\r\n":
            clean.add("\n")
        elif found > "\uffff":
            clean.keep(found, unit)
        elif found == _MARK and _is_hyphen(text_page, indexes[unit] if indexes else unit):
            clean.keep("-", unit)
            clean.add("\n")
        elif found == "\u00ad" and raw[position : position + 1] in {"", "\r", "\n"}:
            clean.keep("-", unit)
        elif found < " " and raw[max(0, start - 1) : start].isalnum() and raw[position : position + 1].isalnum():
            clean.keep(
                " ", unit
            )  # a sign, most often a hyphen, that the font gives no meaning: what it parts are words
        unit += 2 if found > "\uffff" or found == "\r\n" else 1
    if position < len(raw):
        clean.keep(raw[position:], unit)
    return clean.result()


def _with_newlines(raw: str) -> tuple[str, CharMap]:
    """Replace the line ends, the only change that most pages need."""
    lines = raw.split("\r\n")
    runs: list[tuple[int, int, int]] = []
    position = 0
    for number, line in enumerate(lines):
        length = len(line)
        if length:
            runs.append((position, position + number, length))
        position += length + 1
    return "\n".join(lines), CharMap(position - 1, runs)


def _is_hyphen(text_page: Handle, index: int) -> bool:
    import pypdfium2.raw as pdfium

    return bool(pdfium.FPDFText_GetUnicode(text_page, index) == HYPHEN)


def metadata(document: Handle) -> dict[str, str]:
    """Return title, author and their like, by lower-case key; only what is stated."""
    import pypdfium2.raw as pdfium

    found = {}
    for key in ("Title", "Author", "Subject", "Keywords", "Creator", "CreationDate"):
        size = pdfium.FPDF_GetMetaText(document, key.encode(), None, 0)
        if size > 2:
            buffer = ctypes.create_string_buffer(size)
            pdfium.FPDF_GetMetaText(document, key.encode(), buffer, size)
            found[key.lower()] = buffer.raw[: size - 2].decode("utf-16-le", "replace").replace("\x00", "").strip()
    return {key: value for key, value in found.items() if value}


def outline(document: Handle) -> list[OutlineEntry]:
    """Return the bookmarks that point to pages, in reading order of the outline; loops are cut."""
    import pypdfium2.raw as pdfium

    entries: list[OutlineEntry] = []
    seen: set[int] = set()
    # A stack instead of recursion: hostile outlines are deep or circular.
    stack = [(0, pdfium.FPDFBookmark_GetFirstChild(document, None))]
    while stack and len(entries) < _MOST_OUTLINE_ENTRIES:
        level, bookmark = stack.pop()
        if not bookmark or (address := ctypes.addressof(bookmark.contents)) in seen:
            continue
        seen.add(address)
        destination = pdfium.FPDFBookmark_GetDest(document, bookmark)
        page = pdfium.FPDFDest_GetDestPageIndex(document, destination) if destination else -1
        if page >= 0:
            entries.append(OutlineEntry(level, _bookmark_title(bookmark), page + 1))
        stack.append((level, pdfium.FPDFBookmark_GetNextSibling(document, bookmark)))
        stack.append((level + 1, pdfium.FPDFBookmark_GetFirstChild(document, bookmark)))
    return entries


def _bookmark_title(bookmark: Handle) -> str:
    import pypdfium2.raw as pdfium

    size = pdfium.FPDFBookmark_GetTitle(bookmark, None, 0)
    buffer = ctypes.create_string_buffer(max(2, size))
    pdfium.FPDFBookmark_GetTitle(bookmark, buffer, size)
    title = buffer.raw[: max(0, size - 2)].decode("utf-16-le", "replace")
    return " ".join(title.replace("\x00", "").split())


def attachment_names(document: Handle) -> list[str]:
    """Return the names of the files that are embedded in ``document``."""
    import pypdfium2.raw as pdfium

    names = []
    for place in range(min(pdfium.FPDFDoc_GetAttachmentCount(document), _MOST_ATTACHMENTS)):
        attachment = pdfium.FPDFDoc_GetAttachment(document, place)
        size = pdfium.FPDFAttachment_GetName(attachment, None, 0) if attachment else 0
        buffer = ctypes.create_string_buffer(max(2, size))
        units = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
        pdfium.FPDFAttachment_GetName(attachment, units, size)
        name = buffer.raw[: max(0, size - 2)].decode("utf-16-le", "replace").replace("\x00", "")
        names.append(" ".join(name.split()) or "a file without a name")
    return names
