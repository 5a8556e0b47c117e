"""E-books in EPUB: chapter files in reading order, each of which counts as a page."""

from __future__ import annotations

import posixpath
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from app.domain.errors import DocumentError, FailureReason
from app.loaders.archive_guard import GuardedArchive, damaged, encrypted
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.html import add_html
from app.loaders.html_tree import decode_html, parse_html
from app.loaders.open_xml import descendants
from app.loaders.safe_xml import UnsafeXmlError, local_name, parse_xml
from app.loaders.section_builder import SectionBuilder

_CONTAINER = "META-INF/container.xml"
_RIGHTS = "META-INF/rights.xml"
_STATED = {"title": "title", "creator": "author", "language": "language", "date": "created"}


class EbookLoader(DocumentLoader):
    """EPUB 2 and 3 (IDPF/W3C)."""

    extensions = frozenset({".epub"})

    def media_type(self, path: Path) -> str:
        """Return ``application/epub+zip``."""
        del path
        return "application/epub+zip"

    def load(self, path: Path) -> LoadedDocument:
        """Read the chapters. Raises ``DocumentError``; ``encrypted`` for books with digital rights management."""
        builder = SectionBuilder()
        with GuardedArchive(path) as archive:
            if _RIGHTS in archive.names:
                raise encrypted(path)
            package_name = _package_name(path, archive)
            package = _parsed(path, archive, package_name)
            chapters = _chapters(package, package_name)
            for number, name in enumerate(chapters, start=1):
                builder.leave(1)
                builder.page = number
                _add_chapter(builder, archive, name)
        stated = {
            _STATED[local_name(element)]: element.text.strip()
            for element in package.iter()
            if local_name(element) in _STATED and element.text and element.text.strip()
        }
        return LoadedDocument(builder.finish(), stated.get("title", ""), len(chapters), stated)


def _package_name(path: Path, archive: GuardedArchive) -> str:
    container = _parsed(path, archive, _CONTAINER)
    found = next((each.get("full-path") for each in descendants(container, "rootfile")), None)
    if not found:
        raise damaged(path)
    return found


def _parsed(path: Path, archive: GuardedArchive, name: str) -> Element:
    data = archive.read(name)
    if data is None:
        raise damaged(path)
    try:
        return parse_xml(data, allow_doctype=True)
    except UnsafeXmlError as error:
        raise damaged(path) from error


def _chapters(package: Element, package_name: str) -> list[str]:
    folder = posixpath.dirname(package_name)
    names = {each.get("id"): each.get("href", "") for each in descendants(package, "item")}
    spine = [names.get(each.get("idref"), "") for each in descendants(package, "itemref")]
    return [posixpath.normpath(posixpath.join(folder, unquote(name))) for name in spine if name]


def _add_chapter(builder: SectionBuilder, archive: GuardedArchive, name: str) -> None:
    data = archive.read(name)
    if not data:
        return
    try:
        text = decode_html(data, name)
    except DocumentError as error:
        if error.reason is FailureReason.BINARY:
            return  # a picture in the spine
        raise
    add_html(builder, parse_html(text))
