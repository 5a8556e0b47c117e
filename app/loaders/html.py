"""HTML pages: headings, lists, tables and code; scripts, styles and the rest of the machinery left out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.html_inline import SILENT, SPACES, is_power, picture_text, plain_text
from app.loaders.html_tree import BLOCKS, HtmlNode, decode_html, parse_html, within
from app.loaders.regular_file import error_for
from app.loaders.section_builder import SectionBuilder
from app.loaders.tables import spread

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
# A table that holds any of these lays out a page rather than data.
_LAYOUT_SIGNS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "form", "article", "section"})
MOST_SPANNED = 100
_TABLE_PARTS = frozenset({"td", "th", "caption", "colgroup", "col"}) | SILENT
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


class HtmlLoader(DocumentLoader):
    """HTML and XHTML, in whatever state they are."""

    extensions = frozenset({".html", ".htm", ".xhtml", ".xht", ".shtml"})
    plain_text = True

    def media_type(self, path: Path) -> str:
        """Return ``text/html``."""
        del path
        return "text/html"

    def load(self, path: Path) -> LoadedDocument:
        """Read the page. Raises ``DocumentError`` if it is no text."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise error_for(path, error) from error
        builder = SectionBuilder()
        title = add_html(builder, parse_html(decode_html(data, path.name)))
        return LoadedDocument(builder.finish(), title)


def add_html(builder: SectionBuilder, root: HtmlNode) -> str:
    """Add the tree of a page to ``builder``. Returns the page's title, or ""."""
    writer = _Writer(builder)
    writer.walk(root)
    writer.flush()
    return writer.title


@dataclass
class _List:
    ordered: bool
    number: int


class _Writer:
    """Walks a tree and writes its text, paragraph by paragraph."""

    def __init__(self, builder: SectionBuilder) -> None:
        self.title = ""
        self._builder = builder
        self._inline: list[str] = []
        self._lists: list[_List] = []
        self._bullet = ""

    def walk(self, node: HtmlNode) -> None:
        for child in node.children:
            if isinstance(child, str):
                self._inline.append(SPACES.sub(" ", child))
            else:
                self._element(child)

    def flush(self) -> None:
        """End the paragraph, or the item of a list."""
        text = _joined(self._inline)
        self._inline = []
        if not text:
            return
        if self._bullet:
            self._builder.line(self._bullet + text)
            self._bullet = "  " * len(self._lists)
        else:
            self._builder.paragraph(text)

    def _element(self, node: HtmlNode) -> None:
        tag = node.tag
        if tag == "title" and not self.title:
            self.title = plain_text(node)
        if tag in SILENT:
            self.title = self.title or _title_within(node)
        elif _HIDDEN.search(node.attributes.get("style", "")) or tag == "title":
            return
        elif tag in {"br", "img"}:
            self._inline.append("\n" if tag == "br" else f" {picture_text(node)} ")
        elif tag in _HEADINGS:
            self.flush()
            self._builder.heading(_HEADINGS[tag], plain_text(node))
        elif tag == "table":
            self.flush()
            self._table(node)
        elif tag in {"pre", "textarea"}:
            self.flush()
            self._builder.code(_verbatim(node))
        elif tag in {"ul", "ol", "menu", "dir"}:
            self._list(node)
        elif tag in BLOCKS:
            self._block(node)
        else:
            self._inline.append("^" if is_power(node) else "")
            self.walk(node)

    def _block(self, node: HtmlNode) -> None:
        self.flush()
        if node.tag == "li" and self._lists:
            current = self._lists[-1]
            self._bullet = "  " * (len(self._lists) - 1) + (f"{current.number}. " if current.ordered else "- ")
            current.number += 1
        self.walk(node)
        self.flush()

    def _list(self, node: HtmlNode) -> None:
        self.flush()
        start = node.attributes.get("start", "")
        self._lists.append(_List(node.tag == "ol", int(start) if start.isdecimal() else 1))
        self.walk(node)
        self.flush()
        self._lists.pop()
        self._bullet = ""

    def _table(self, node: HtmlNode) -> None:
        rows = _rows(node)
        cells = [cell for row in rows for cell in row]
        lays_out = node.attributes.get("role") == "presentation" or _has_strays(node)
        signs = _LAYOUT_SIGNS if any(cell.tag == "th" for cell in cells) else _LAYOUT_SIGNS | {"table"}
        if lays_out or any(_holds(cell, signs) for cell in cells):
            self.walk(node)
            self.flush()
            return
        for caption in node.elements():
            if caption.tag == "caption":
                self._builder.paragraph(plain_text(caption))
        if max((len(row) for row in rows), default=0) == 1 and not any(cell.tag == "th" for cell in cells):
            for cell in cells:
                self._block(cell)
        else:
            self._builder.table(_grid(rows))


def _grid(rows: list[list[HtmlNode]]) -> list[list[str]]:
    """The texts of a table's cells, those that span several rows or columns in each of them."""
    made: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}  # by column: how many further rows a cell from above covers, its text
    for row in rows:
        cells: list[str] = []
        for cell in row:
            _hang(cells, hanging)
            # A cell that is alone in its row is a title rather than a header of many columns.
            high, wide = _span(cell, "rowspan"), (_span(cell, "colspan") if len(row) > 1 else 1)
            for text in spread(plain_text(cell), wide):
                if high > 1:
                    hanging[len(cells)] = (high - 1, text)
                cells.append(text)
        _hang(cells, hanging)
        made.append(cells)
    return made


def _hang(cells: list[str], hanging: dict[int, tuple[int, str]]) -> None:
    """Add the texts of cells from rows above that cover the next columns."""
    while len(cells) in hanging:
        left, text = hanging.pop(len(cells))
        if left > 1:
            hanging[len(cells)] = (left - 1, text)
        cells.append(text)


def _span(cell: HtmlNode, name: str) -> int:
    stated = cell.attributes.get(name, "").strip()
    return max(1, min(int(stated), MOST_SPANNED)) if stated.isdecimal() and len(stated) < 6 else 1


def _joined(parts: list[str]) -> str:
    lines = "".join(parts).split("\n")
    return "\n".join(stripped for line in lines if (stripped := SPACES.sub(" ", line).strip()))


def _verbatim(node: HtmlNode) -> str:
    parts = []
    for child in node.children:
        if isinstance(child, str):
            parts.append(child)
        else:
            parts.append("\n" if child.tag == "br" else _verbatim(child))
    return "".join(parts)


def _rows(table: HtmlNode) -> list[list[HtmlNode]]:
    rows: list[list[HtmlNode]] = []
    for child in table.elements():
        if child.tag == "tr":
            rows.append([cell for cell in child.elements() if cell.tag in {"td", "th"}])
        elif child.tag in {"thead", "tbody", "tfoot"}:
            rows.extend(_rows(child))
        elif child.tag in {"td", "th"}:  # without a row around it
            rows.append([child])
    return rows


def _has_strays(table: HtmlNode) -> bool:
    """Whether anything stands in ``table`` outside its cells, as in tables nested by mistake."""
    for child in table.children:
        if isinstance(child, str):
            if child.strip():
                return True
        elif child.tag in {"thead", "tbody", "tfoot", "tr"}:
            if _has_strays(child):
                return True
        elif child.tag not in _TABLE_PARTS:
            return True
    return False


def _holds(node: HtmlNode, tags: frozenset[str]) -> bool:
    return any(item.tag in tags for item in within(node) if item is not node)


def _title_within(node: HtmlNode) -> str:
    return next((plain_text(child) for child in node.elements() if child.tag == "title"), "")
