"""Text documents and presentations of OpenDocument (OASIS ODF 1.3), packed or flat."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from app.loaders.archive_guard import GuardedArchive, damaged
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.drawings import image_mark
from app.loaders.open_document_lists import ListStyles, number
from app.loaders.open_xml import attribute, child, descendants
from app.loaders.regular_file import error_for
from app.loaders.safe_xml import UnsafeXmlError, local_name, parse_xml
from app.loaders.section_builder import SectionBuilder
from app.loaders.tables import spread

MOST_REPEATED = 50
_CELLS = frozenset({"table-cell", "covered-table-cell"})
_TYPE = "application/vnd.oasis.opendocument."
_FLAT = frozenset({".fodt", ".fodp"})
_TYPES = {
    ".odt": _TYPE + "text",
    ".ott": _TYPE + "text-template",
    ".fodt": _TYPE + "text-flat-xml",
    ".odp": _TYPE + "presentation",
    ".otp": _TYPE + "presentation-template",
    ".fodp": _TYPE + "presentation-flat-xml",
}
_META = {"title": "title", "creator": "author", "initial-creator": "author", "creation-date": "created"}
_SILENT = frozenset(
    {
        "tracked-changes",
        "forms",
        "sequence-decls",
        "variable-decls",
        "annotation-end",
        "header",
        "footer",
        "title",
        "desc",
    }
)


class OpenDocumentLoader(DocumentLoader):
    """Writer and Impress documents. Slides count as pages."""

    extensions = frozenset(_TYPES)

    def media_type(self, path: Path) -> str:
        """Return the registered type of the extension."""
        return _TYPES.get(path.suffix.lower(), _TYPES[".odt"])

    def load(self, path: Path) -> LoadedDocument:
        """Read the document. Raises ``DocumentError``."""
        content, meta, styles = _parts(path)
        body = child(content, "body")
        builder = SectionBuilder()
        writer = _Writer(builder, ListStyles((styles, content)))
        for part in body if body is not None else ():
            writer.blocks(part)
        metadata = _metadata(meta)
        return LoadedDocument(builder.finish(), metadata.get("title", ""), writer.slides or None, metadata)


def _parts(path: Path) -> tuple[Element, Element | None, Element | None]:
    """The content, what the file states of itself, and the styles."""
    try:
        if path.suffix.lower() in _FLAT:
            root = parse_xml(path.read_bytes())
            return root, root, None
        with GuardedArchive(path) as archive:
            content, meta, styles = (archive.read(f"{name}.xml") for name in ("content", "meta", "styles"))
        if content is None:
            raise damaged(path)
        return parse_xml(content), parse_xml(meta) if meta else None, parse_xml(styles) if styles else None
    except UnsafeXmlError as error:
        raise damaged(path) from error
    except OSError as error:
        raise error_for(path, error) from error


def _metadata(root: Element | None) -> dict[str, str]:
    meta = child(root, "meta") if root is not None else None
    found: dict[str, str] = {}
    for element in meta if meta is not None else ():
        if (key := _META.get(local_name(element))) and (element.text or "").strip():
            found[key] = (element.text or "").strip()
    return found


class _Writer:
    """Walks the blocks of a document."""

    def __init__(self, builder: SectionBuilder, styles: ListStyles) -> None:
        self.slides = 0
        self._builder = builder
        self._styles = styles
        self._last: dict[str, int] = {}

    def blocks(self, parent: Element) -> None:
        for element in parent:
            self._block(element)

    def _block(self, element: Element) -> None:
        name = local_name(element)
        if name == "h":
            level = attribute(element, "outline-level") or "1"
            self._builder.heading(int(level) if level.isdecimal() else 1, inline_text(element))
        elif name == "p":
            self._builder.paragraph(inline_text(element))
            self._frames(element)
        elif name == "list":
            self._list(element, [], "")
        elif name == "table":
            self._table(element)
        elif name == "page":
            self.slides += 1
            self._builder.leave(1)
            self._builder.page = self.slides
            self._slide(element)
        elif name == "frame":
            self._frame(element)
        elif name not in _SILENT:
            self.blocks(element)

    def _slide(self, page: Element) -> None:
        frames = list(page)
        for frame in sorted(frames, key=lambda each: attribute(each, "class") != "title"):
            if attribute(frame, "class") == "title":
                self._builder.heading(1, " ".join(inline_text(each) for each in descendants(frame, "p")))
            elif attribute(frame, "class") not in {"header", "footer", "date-time", "page-number"}:
                self._block(frame)

    def _frames(self, paragraph: Element) -> None:
        """Text boxes are anchored inside paragraphs, but their text is none of the paragraph's."""
        for frame in descendants(paragraph, "frame"):
            self._frame(frame)

    def _frame(self, frame: Element) -> None:
        if {local_name(each) for each in frame} & {"image", "text-box", "table"} == {"image"}:
            told = child(frame, "desc") if child(frame, "desc") is not None else child(frame, "title")
            self._builder.paragraph(image_mark((told.text or "") if told is not None else ""))
        else:
            self.blocks(frame)

    def _list(self, element: Element, above: list[int], inherited: str) -> None:
        """Write a list inside items with the numbers ``above``."""
        style = attribute(element, "style-name") or inherited
        goes_on = attribute(element, "continue-numbering") == "true" or attribute(element, "continue-list")
        count = self._last.get(style, 0) if goes_on and not above else self._styles.start(style, len(above)) - 1
        for item in element:
            counted = local_name(item) == "list-item"
            count = number(attribute(item, "start-value"), count + 1) if counted else count
            self._item(item, [*above, count], style, counted=counted)
        if not above:
            self._last[style] = count

    def _item(self, item: Element, counts: list[int], style: str, *, counted: bool) -> None:
        indent = "  " * (len(counts) - 1)
        label = f"{indent}{self._styles.label(style, counts)} " if counted else indent
        for block in item:
            if local_name(block) == "list":
                self._list(block, counts, style)
            elif local_name(block) in {"p", "h"}:
                if text := inline_text(block):
                    self._builder.line(label + text)
                label = indent + "  "
                self._frames(block)
            else:
                self._block(block)

    def _table(self, table: Element) -> None:
        rows: list[list[str]] = []
        hanging: dict[int, str] = {}  # by column: the text of the merged cell that covers it
        for row in _own_rows(table):
            own = [cell for cell in row if local_name(cell) in _CELLS]
            alone = sum(1 for cell in own if _cell_text(cell)) == 1  # a title
            cells: list[str] = []
            for cell in own:
                times = min(number(attribute(cell, "number-columns-repeated"), 1), MOST_REPEATED)
                if local_name(cell) == "covered-table-cell":
                    cells.extend(hanging.get(place, "") for place in range(len(cells), len(cells) + times))
                    continue
                text = _cell_text(cell)
                wide = min(number(attribute(cell, "number-columns-spanned"), 1), MOST_REPEATED)
                hanging.update(enumerate(spread(text, 1 if alone else wide), start=len(cells)))
                cells.extend([text] * times)
            rows.append(cells)
        self._builder.table(rows)


def _own_rows(table: Element) -> list[Element]:
    rows = []
    for element in table:
        if local_name(element) == "table-row":
            rows.append(element)
        elif local_name(element) in {"table-header-rows", "table-rows", "table-row-group"}:
            rows.extend(_own_rows(element))
    return rows


def _cell_text(cell: Element) -> str:
    return " ".join(inline_text(each) for each in cell.iter() if local_name(each) in {"p", "h"})


def inline_text(element: Element) -> str:
    """Return the text of a paragraph: spaces, tabs and breaks are elements in OpenDocument; text boxes are left out."""
    parts = [element.text or ""]
    for each in element:
        name = local_name(each)
        if name == "s":
            count = attribute(each, "c") or "1"
            parts.append(" " * (min(int(count), MOST_REPEATED) if count.isdecimal() else 1))
        elif name in {"tab", "line-break"}:
            parts.append("\t" if name == "tab" else "\n")
        elif name == "annotation":
            parts.append("".join(f" [{inline_text(note)}]" for note in descendants(each, "p")))
        elif name not in {"frame", "soft-page-break"} | _SILENT:
            parts.append(inline_text(each))
        parts.append(each.tail or "")
    return "".join(parts).strip(" \n") if local_name(element) in {"p", "h"} else "".join(parts)
