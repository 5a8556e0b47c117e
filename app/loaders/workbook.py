"""What kreuzberg leaves out of Excel workbooks: merged cells, comments, charts, text boxes, pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from app.loaders.comments import comment_text
from app.loaders.drawings import add_chart, paragraphs, picture_mark
from app.loaders.open_xml import OpenXmlPackage, attribute, child, descendants
from app.loaders.safe_xml import local_name
from app.loaders.section_builder import SectionBuilder
from app.loaders.tables import LONGEST_SPREAD

# A sheet's cells can take hundreds of megabytes as a tree; these are all that is needed of them.
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*(?<!/)>')
MOST_MERGED = 5_000
MOST_ROWS = 1 << 20
# Text that Excel puts in place of a discussion for programs that don't know discussions.
_STAND_IN = "[Threaded comment]"

Grid = list[list[str]]


class Workbook:
    """The parts of an Excel workbook, by the names of its sheets."""

    def __init__(self, package: OpenXmlPackage) -> None:
        """Raises ``DocumentError`` if the workbook has no sound main part."""
        self._package = package
        main = package.main_part()
        root, targets = package.part(main), package.relations(main)
        self._sheets: dict[str, str] = {}
        for sheet in descendants(root, "sheet") if root is not None else ():
            relation = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
            if relation in targets:
                self._sheets[sheet.get("name", "")] = targets[relation][1]
        persons = (package.part(target) for kind, target in targets.values() if kind == "person")
        self._persons = {
            each.get("id", ""): each.get("displayName", "")
            for part in persons
            if part is not None
            for each in descendants(part, "person")
        }

    def filled(self, name: str, cells: Grid) -> Grid:
        """Return the cells of a sheet, where merged ones put their text into every cell they cover; long text into the
        first of each row only."""
        data = self._package.data(self._sheets[name]) if name in self._sheets else None
        merged = _MERGED.findall(data)[:MOST_MERGED] if data else []
        if not data or not merged:
            return cells
        top, left = _first_cell(data)
        made = [list(row) for row in cells]
        for first, first_row, last, last_row in merged:
            rows = range(int(first_row) - top, int(last_row) - top + 1)
            _fill(made, rows, range(_column(first) - left, _column(last) - left + 1))
        return made

    def add_extras(self, builder: SectionBuilder, name: str) -> None:
        """Add what a sheet has beside its cells."""
        if name not in self._sheets:
            return
        sheet = self._sheets[name]
        for drawing in self._package.related(sheet, "drawing"):
            self._add_drawing(builder, drawing)
        for text in self._comments(sheet):
            builder.paragraph(text)

    def _add_drawing(self, builder: SectionBuilder, name: str) -> None:
        root = self._package.part(name)
        if root is None:
            return
        for body in descendants(root, "txBody"):
            builder.paragraph("\n".join(paragraphs(body)))
        for picture in descendants(root, "pic"):
            builder.paragraph(picture_mark(picture))
        targets = self._package.relations(name)
        for chart in descendants(root, "chart"):
            _, target = targets.get(attribute(chart, "id") or "", ("", ""))
            add_chart(builder, self._package.part(target) if target else None)

    def _comments(self, sheet: str) -> Iterator[str]:
        for part in self._package.related(sheet, "comments"):
            root = self._package.part(part)
            if root is not None:
                yield from _notes(root)
        for part in self._package.related(sheet, "threadedComment"):
            root = self._package.part(part)
            for comment in descendants(root, "threadedComment") if root is not None else ():
                text = child(comment, "text")
                author = self._persons.get(comment.get("personId", ""), "")
                yield comment_text((text.text or "") if text is not None else "", author, comment.get("dT"))


def _notes(root: Element) -> Iterator[str]:
    authors = [author.text or "" for author in descendants(root, "author")]
    for comment in descendants(root, "comment"):
        text = "".join(each.text or "" for each in comment.iter() if local_name(each) == "t").strip()
        number = comment.get("authorId", "")
        author = authors[int(number)] if number.isdecimal() and int(number) < len(authors) else ""
        if text and not text.startswith(_STAND_IN):
            yield comment_text(text.removeprefix(f"{author}:").strip(), author, None)


def _fill(cells: Grid, rows: range, columns: range) -> None:
    """Put the text of a merged area into all its cells; areas that don't fit the grid are left alone."""
    inside = 0 <= rows.start < len(cells) and 0 <= columns.start < len(cells[rows.start])
    text = cells[rows.start][columns.start] if inside else ""
    if not text:
        return
    alone = sum(map(bool, cells[rows.start])) == 1  # the title of a table rather than a part of its header
    once = alone or len(text) > LONGEST_SPREAD
    for row in cells[rows.start : rows.stop]:
        for place in columns:
            if place < len(row) and not row[place] and (place == columns.start or not once):
                row[place] = text


def _first_cell(data: bytes) -> tuple[int, int]:
    """The first row and column that hold a cell; what ``kreuzberg`` returns begins there."""
    top = left = MOST_ROWS
    for found in _CELL.finditer(data):  # one by one: a large sheet has millions
        top, left = min(top, int(found[2])), min(left, _column(found[1]))
    return top, left


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
