"""JSON and XML files."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from app.domain.documents import Section, SectionKind
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.regular_file import error_for
from app.loaders.safe_xml import UnsafeXmlError, local_name, parse_xml
from app.loaders.section_builder import SectionBuilder
from app.loaders.text_decoding import decode, read_text

_TITLES = frozenset({"title", "head", "heading", "article-title", "caption-title"})
# Numbers by which machines know an article of a journal (JATS) and its parts.
_IDENTIFIERS = frozenset(
    {"journal-id", "issn", "article-id", "object-id", "contrib-id", "elocation-id", "issue-id", "pub-id"}
)
_CHAPTERS = frozenset({"part", "chapter", "sec", "section", "sect1", "sect2", "sect3", "sect4", "appendix", "div"})


class JsonLoader(DocumentLoader):
    """JSON, one value or one a line, as it stands."""

    extensions = frozenset({".json", ".jsonl", ".ndjson", ".json5", ".geojson"})
    plain_text = True

    def media_type(self, path: Path) -> str:
        """Return ``application/json`` or ``application/x-ndjson``."""
        lines = path.suffix.lower() in {".jsonl", ".ndjson"}
        return "application/x-ndjson" if lines else "application/json"

    def load(self, path: Path) -> LoadedDocument:
        """Read the file as one section."""
        return LoadedDocument([Section(read_text(path), kind=SectionKind.CODE)], title=path.name)


class XmlLoader(DocumentLoader):
    """XML: the text of its elements; titles of sections, as publishers mark them, become headings."""

    extensions = frozenset({".xml", ".nxml", ".dbk", ".docbook", ".rss", ".atom", ".opml"})
    plain_text = True

    def media_type(self, path: Path) -> str:
        """Return ``application/xml``."""
        del path
        return "application/xml"

    def load(self, path: Path) -> LoadedDocument:
        """Read the file. What is not well-formed, or declares entities, is read as plain text."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise error_for(path, error) from error
        try:
            root = parse_xml(data, allow_doctype=True)
        except UnsafeXmlError:
            return LoadedDocument([Section(decode(data, path.name), kind=SectionKind.CODE)])
        builder = SectionBuilder()
        _add(builder, root, 1)
        return LoadedDocument(builder.finish())


def _add(builder: SectionBuilder, element: Element, level: int) -> None:
    """Add a paragraph for every element that holds text of its own, with all that is inside it."""
    if local_name(element) in _IDENTIFIERS:
        return
    if local_name(element) in _CHAPTERS:
        level += 1
    texts = [element.text, *(child.tail for child in element)]
    if any(text and text.strip() for text in texts):
        text = " ".join("".join(element.itertext()).split())
        if local_name(element) in _TITLES:
            builder.heading(level, text)
        else:
            builder.paragraph(text)
        return
    for child in element:
        _add(builder, child, level)
