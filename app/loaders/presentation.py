"""Slides: each is a page, its title a heading; tables, charts, diagrams and speaker's notes are read too."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from app.loaders.comments import comment_text
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.drawings import (
    add_chart,
    diagram_text,
    flat_text,
    image_mark,
    paragraph_text,
    paragraphs,
    picture_mark,
)
from app.loaders.open_xml import OpenXmlPackage, attribute, child, descendants
from app.loaders.safe_xml import local_name
from app.loaders.section_builder import SectionBuilder
from app.loaders.tables import spread

_TYPE = "application/vnd.openxmlformats-officedocument.presentationml."
_TYPES = {
    ".pptx": _TYPE + "presentation",
    ".ppsx": _TYPE + "slideshow",
    ".potx": _TYPE + "template",
    ".pptm": "application/vnd.ms-powerpoint.presentation.macroEnabled.12",
}
_TITLES = frozenset({"title", "ctrTitle"})
# What every slide repeats.
_FURNITURE = frozenset({"dt", "ftr", "hdr", "sldNum", "sldImg"})


class PresentationLoader(DocumentLoader):
    """PowerPoint since 2007."""

    extensions = frozenset(_TYPES)

    def media_type(self, path: Path) -> str:
        """Return the registered type of the extension."""
        return _TYPES.get(path.suffix.lower(), _TYPES[".pptx"])

    def load(self, path: Path) -> LoadedDocument:
        """Read the slides in the order in which they are shown. Raises ``DocumentError``."""
        builder = SectionBuilder()
        with OpenXmlPackage(path) as package:
            slides = _slides(package)
            authors = _authors(package, package.main_part())
            for number, slide in enumerate(slides, start=1):
                builder.leave(1)
                builder.page = number
                _add_slide(builder, package, slide, authors)
            metadata = package.properties()
        return LoadedDocument(builder.finish(), metadata.get("title", ""), len(slides), metadata)


def _slides(package: OpenXmlPackage) -> list[str]:
    main = package.main_part()
    relations = package.relations(main)
    root = package.part(main)
    listed = descendants(root, "sldId") if root is not None else ()
    # The id of the relation is the attribute in a namespace; the plain "id" is a number of the slide's own.
    ids = (next((value for key, value in each.attrib.items() if key.endswith("}id")), "") for each in listed)
    return [relations[each][1] for each in ids if each in relations]


def _add_slide(builder: SectionBuilder, package: OpenXmlPackage, name: str, authors: dict[str, str]) -> None:
    root = package.part(name)
    tree = child(root, "cSld", "spTree") if root is not None else None
    if tree is None:
        return
    held = set(package.relations(name))
    shapes = [each for each in _shapes(tree) if local_name(each) != "pic" or _is_worth_a_mark(each, held)]
    for shape in sorted(shapes, key=lambda each: _placeholder(each) not in _TITLES):
        _add_shape(builder, shape)
    for chart in package.related(name, "chart"):
        add_chart(builder, package.part(chart))
    for diagram in package.related(name, "diagramData"):
        builder.paragraph(diagram_text(package.part(diagram)))
    for notes in package.related(name, "notesSlide"):
        _add_notes(builder, package.part(notes))
    for comments in package.related(name, "comments"):
        _add_comments(builder, package.part(comments), authors)


def _is_worth_a_mark(picture: Element, held: Collection[str]) -> bool:
    """Whether a picture says what it shows or is in the file; one that is lost or elsewhere can't be looked at."""
    return picture_mark(picture) != image_mark() or any(
        attribute(each, "embed") in held for each in descendants(picture, "blip")
    )


def _shapes(tree: Element) -> Iterator[Element]:
    for element in tree:
        name = local_name(element)
        if name in {"sp", "graphicFrame", "pic"}:
            yield element
        elif name == "grpSp":
            yield from _shapes(element)
        elif name == "AlternateContent" and (choice := child(element, "Choice")) is not None:
            yield from _shapes(choice)


def _placeholder(shape: Element) -> str:
    found = next(descendants(shape, "ph"), None)
    return found.get("type", "") if found is not None else ""


def _add_shape(builder: SectionBuilder, shape: Element) -> None:
    kind = _placeholder(shape)
    if kind in _FURNITURE and not (kind == "dt" and _is_remark(shape)):
        return
    if local_name(shape) == "pic":
        builder.paragraph(picture_mark(shape))
    for table in descendants(shape, "tbl"):
        _add_table(builder, table)
    body = child(shape, "txBody")
    if body is None:
        return
    if kind in _TITLES:
        builder.heading(1, flat_text(body))
    else:
        builder.paragraph(_numbered(body))


def _is_remark(shape: Element) -> bool:
    """Whether something else was written where the date stands."""
    text = flat_text(shape)
    return bool(text) and not any(map(str.isdigit, text))


def _add_notes(builder: SectionBuilder, root: Element | None) -> None:
    tree = child(root, "cSld", "spTree") if root is not None else None
    for shape in _shapes(tree) if tree is not None else ():
        _add_shape(builder, shape)


def _add_comments(builder: SectionBuilder, root: Element | None, authors: dict[str, str]) -> None:
    """Add remarks: those of 2007 hold plain text, the discussions of 2021 paragraphs and replies."""
    for comment in descendants(root, "cm") if root is not None else ():
        text, body = child(comment, "text"), child(comment, "txBody")
        said = [text.text or ""] if text is not None else list(paragraphs(body)) if body is not None else []
        remarks = [(comment, said), *((reply, list(paragraphs(reply))) for reply in descendants(comment, "reply"))]
        for remark, lines in remarks:
            author = authors.get(remark.get("authorId", ""))
            builder.paragraph(comment_text("\n".join(lines), author, remark.get("dt") or remark.get("created")))


def _authors(package: OpenXmlPackage, main: str) -> dict[str, str]:
    parts = [*package.related(main, "commentAuthors"), *package.related(main, "authors")]
    roots = [root for part in parts if (root := package.part(part)) is not None]
    return {each.get("id", ""): each.get("name", "") for root in roots for each in root.iter() if each.get("name")}


def _add_table(builder: SectionBuilder, table: Element) -> None:
    """Add a table; merged cells put their text into every cell they cover."""
    made: list[list[str]] = []
    for row in descendants(table, "tr"):
        own = [cell for cell in row if local_name(cell) == "tc"]
        alone = sum(1 for cell in own if not _goes_on(cell, "hMerge")) == 1  # a title
        cells: list[str] = []
        covered: list[str] = []
        for cell in own:
            if _goes_on(cell, "vMerge"):
                cells.append(made[-1][len(cells)] if made and len(cells) < len(made[-1]) else "")
            elif _goes_on(cell, "hMerge"):
                cells.append(covered.pop() if covered else "")
            else:
                text, *covered = spread(flat_text(cell), 1 if alone else _columns(cell, len(own)))
                cells.append(text)
        made.append(cells)
    builder.table(made)


def _goes_on(cell: Element, name: str) -> bool:
    return cell.get(name) in {"1", "true"}


def _columns(cell: Element, most: int) -> int:
    stated = cell.get("gridSpan", "1")
    return min(int(stated), most) if stated.isdecimal() else 1


def _numbered(body: Element) -> str:
    """The paragraphs of a shape, those of numbered lists with their numbers."""
    lines: list[str] = []
    number = 0
    for paragraph in descendants(body, "p"):
        counts = child(paragraph, "pPr", "buAutoNum")
        text = paragraph_text(paragraph)
        if counts is None:
            number = 0
        elif text:
            start = counts.get("startAt", "1")
            number = number + 1 if number else (int(start) if start.isdecimal() else 1)
            text = f"{number}. {text}"
        lines.extend([text] if text else [])
    return "\n".join(lines)
