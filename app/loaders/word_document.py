"""Word documents since 2007: headings, numbered lists, tables, text boxes, notes, comments, charts and equations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from app.loaders.comments import comment_text
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.drawings import add_chart, diagram_text
from app.loaders.html import add_html
from app.loaders.html_tree import decode_html, parse_html
from app.loaders.open_xml import OpenXmlPackage, attribute, child, descendants
from app.loaders.safe_xml import local_name
from app.loaders.section_builder import SectionBuilder
from app.loaders.tables import joined_cells, spread
from app.loaders.word_inline import InlineReader
from app.loaders.word_styles import TITLE_LEVEL, Numbering, Styles

_OPEN_XML = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_MACROS = "application/vnd.ms-word."
_TYPES = {
    ".docx": _OPEN_XML + "document",
    ".dotx": _OPEN_XML + "template",
    ".docm": _MACROS + "document.macroEnabled.12",
    ".dotm": _MACROS + "template.macroEnabled.12",
}
_HTML = (".htm", ".html", ".xhtml")
# Elements that hold blocks as if they stood in their place.
_WRAPPERS = frozenset({"sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag", "AlternateContent", "Choice"})
_DEEPEST_TABLE = 8


class WordLoader(DocumentLoader):
    """Word since 2007, templates and documents with macros included; macros are never looked at."""

    extensions = frozenset(_TYPES)

    def media_type(self, path: Path) -> str:
        """Return the registered type of the extension."""
        return _TYPES.get(path.suffix.lower(), _TYPES[".docx"])

    def load(self, path: Path) -> LoadedDocument:
        """Read the document. Raises ``DocumentError``.

        Left out: deleted and hidden text, and running headers and footers, which are no part of what is said.
        """
        with OpenXmlPackage(path) as package:
            writer = _Writer(package)
            writer.document()
            metadata = package.properties()
        return LoadedDocument(writer.builder.finish(), metadata.get("title", "") or writer.title, metadata=metadata)


class _Writer:
    """Walks the body of a document."""

    def __init__(self, package: OpenXmlPackage) -> None:
        self.builder = SectionBuilder()
        self.title = ""
        self._package = package
        self._name = package.main_part()
        self._targets = package.relations(self._name)
        self._styles = Styles(self._related("styles"))
        self._numbering = Numbering(self._related("numbering"))
        self._inline = InlineReader(package.links(self._name))
        self._code: list[str] = []

    def _related(self, kind: str) -> Element | None:
        """The part that the document refers to as ``kind``."""
        found = next((target for relation, target in self._targets.values() if relation == kind), "")
        return self._package.part(found) if found else None

    def document(self) -> None:
        """Write the body, then the notes and comments it refers to."""
        root = self._package.part(self._name)
        body = child(root, "body") if root is not None else None
        if body is not None:
            self.blocks(body)
        self._end_code()
        self._notes("footnotes", "footnote")
        self._notes("endnotes", "endnote")
        self._comments()

    def blocks(self, parent: Element) -> None:
        """Write the blocks inside ``parent``."""
        for element in parent:
            name = local_name(element)
            if name == "p":
                self._paragraph(element)
            elif name == "tbl":
                self._end_code()
                self._table(element)
            elif name == "altChunk":
                self._foreign(element)
            elif name in _WRAPPERS:
                self.blocks(element)

    def _paragraph(self, paragraph: Element) -> None:
        read = self._inline.read(paragraph)
        level = self._styles.heading_level(paragraph)
        label = self._label(paragraph)
        if level is None and not label and self._styles.is_code(paragraph):
            self._code.append(read.text)
        else:
            self._end_code()
            self._written(read.text.strip(), level, label)
        for drawing in read.drawings:
            self._drawing(drawing)

    def _written(self, text: str, level: int | None, label: tuple[str, int] | None) -> None:
        if level is not None and text:
            heading = f"{label[0]} {text}" if label and label[0] not in {"", "-"} else text
            if level == TITLE_LEVEL and not self.title:
                self.title = " ".join(heading.split())
            self.builder.heading(level, heading)
        elif label is not None and text:
            mark = label[0] or "-"
            self.builder.line(f"{'  ' * label[1]}{mark} {text}")
        else:
            self.builder.paragraph(text)

    def _label(self, paragraph: Element) -> tuple[str, int] | None:
        stated = self._styles.numbering(paragraph)
        return self._numbering.label(*stated) if stated else None

    def _end_code(self) -> None:
        if self._code:
            self.builder.code("\n".join(self._code))
            self._code = []

    def _drawing(self, drawing: Element) -> None:
        """Text boxes, charts and diagrams that are anchored in a paragraph stand after it."""
        for box in _outermost(drawing, "txbxContent"):
            self.blocks(box)
        for reference in descendants(drawing, "chart"):
            add_chart(self.builder, self._target(reference, "id"))
        for reference in descendants(drawing, "relIds"):
            self.builder.paragraph(diagram_text(self._target(reference, "dm")))

    def _target(self, reference: Element, name: str) -> Element | None:
        _, target = self._targets.get(attribute(reference, name) or "", ("", ""))
        return self._package.part(target) if target else None

    def _foreign(self, element: Element) -> None:
        """A web page that was put into the document whole."""
        _, target = self._targets.get(attribute(element, "id") or "", ("", ""))
        data = self._package.data(target) if target.lower().endswith(_HTML) else None
        if data:
            add_html(self.builder, parse_html(decode_html(data, target)))

    def _table(self, table: Element) -> None:
        rows = [list(_parts(row, "tc")) for row in _parts(table, "tr")]
        if len(rows) == 1 and len(rows[0]) == 1:  # a frame around text
            self.blocks(rows[0][0])
            return
        self.builder.table(self._rows(table, 0))

    def _rows(self, table: Element, depth: int) -> list[list[str]]:
        made: list[list[str]] = []
        for row in _parts(table, "tr"):
            above, cells = made[-1] if made else [], [""] * _count(child(row, "trPr", "gridBefore"), 0)
            own = list(_parts(row, "tc"))
            for cell in own:
                width = _count(child(cell, "tcPr", "gridSpan"), 1) if len(own) > 1 else 1  # alone it is a title
                merged = child(cell, "tcPr", "vMerge")
                goes_on = merged is not None and attribute(merged, "val") in {None, "continue"}
                text = above[len(cells)] if goes_on and len(cells) < len(above) else self._cell(cell, depth)
                cells.extend(spread(text, width))
            made.append(cells)
        return made

    def _cell(self, cell: Element, depth: int) -> str:
        parts: list[str] = []
        for element in _flat_blocks(cell):
            if local_name(element) == "tbl":
                if depth < _DEEPEST_TABLE:
                    parts.extend(joined_cells(row) for row in self._rows(element, depth + 1))
                continue
            read = self._inline.read(element)
            label = self._label(element)
            parts.append(f"{label[0]} {read.text}" if label and read.text.strip() else read.text)
            for drawing in read.drawings:
                parts.extend(self._cell(box, depth) for box in _outermost(drawing, "txbxContent"))
        return " ".join(part.strip() for part in parts if part.strip())

    def _notes(self, kind: str, name: str) -> None:
        root = self._related(kind)
        for note in descendants(root, name) if root is not None else ():
            if attribute(note, "type") in {None, "normal"}:
                text = self._cell(note, 0)
                self.builder.paragraph(f"[{attribute(note, 'id')}] {text}" if text else "")

    def _comments(self) -> None:
        root = self._related("comments")
        for comment in descendants(root, "comment") if root is not None else ():
            text = self._cell(comment, 0)
            self.builder.paragraph(comment_text(text, attribute(comment, "author"), attribute(comment, "date")))


def _parts(parent: Element, name: str) -> Iterator[Element]:
    """Rows of a table or cells of a row, also those inside content controls."""
    for element in parent:
        if local_name(element) == name:
            yield element
        elif local_name(element) in _WRAPPERS:
            yield from _parts(element, name)


def _flat_blocks(cell: Element) -> Iterator[Element]:
    for element in cell:
        if local_name(element) in {"p", "tbl"}:
            yield element
        elif local_name(element) in _WRAPPERS:
            yield from _flat_blocks(element)


def _outermost(element: Element, name: str) -> Iterator[Element]:
    """Yield elements of a name that don't stand inside another of that name; fallbacks for old programs left out."""
    for each in element:
        if local_name(each) == name:
            yield each
        elif local_name(each) != "Fallback":
            yield from _outermost(each, name)


def _count(element: Element | None, default: int) -> int:
    stated = attribute(element, "val") if element is not None else None
    return min(int(stated), 64) if stated and stated.isdecimal() else default
