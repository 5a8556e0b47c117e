"""Slides: each is a page, its title a heading; tables, charts, diagrams and speaker's notes are read too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.open_xml import OpenXmlPackage, child, descendants
from app.loaders.safe_xml import local_name
from app.loaders.section_builder import SectionBuilder

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
            for number, slide in enumerate(slides, start=1):
                builder.leave(1)
                builder.page = number
                _add_slide(builder, package, slide)
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


def _add_slide(builder: SectionBuilder, package: OpenXmlPackage, name: str) -> None:
    root = package.part(name)
    tree = child(root, "cSld", "spTree") if root is not None else None
    if tree is None:
        return
    shapes = list(_shapes(tree))
    for shape in sorted(shapes, key=lambda each: _placeholder(each) not in _TITLES):
        _add_shape(builder, shape)
    for chart in package.related(name, "chart"):
        _add_chart(builder, package.part(chart))
    for diagram in package.related(name, "diagramData"):
        _add_text(builder, package.part(diagram))
    for notes in package.related(name, "notesSlide"):
        _add_notes(builder, package.part(notes))
    for comments in package.related(name, "comments"):
        _add_comments(builder, package.part(comments))


def _shapes(tree: Element) -> Iterator[Element]:
    for element in tree:
        name = local_name(element)
        if name in {"sp", "graphicFrame"}:
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
    if kind in _FURNITURE:
        return
    for table in descendants(shape, "tbl"):
        builder.table([[_flat(cell) for cell in row if local_name(cell) == "tc"] for row in descendants(table, "tr")])
    body = child(shape, "txBody")
    if body is None:
        return
    if kind in _TITLES:
        builder.heading(1, _flat(body))
    else:
        builder.paragraph("\n".join(_paragraphs(body)))


def _add_notes(builder: SectionBuilder, root: Element | None) -> None:
    tree = child(root, "cSld", "spTree") if root is not None else None
    for shape in _shapes(tree) if tree is not None else ():
        _add_shape(builder, shape)


def _add_comments(builder: SectionBuilder, root: Element | None) -> None:
    for comment in descendants(root, "cm") if root is not None else ():
        text = child(comment, "text")
        builder.paragraph((text.text or "") if text is not None else "\n".join(_paragraphs(comment)))


def _add_text(builder: SectionBuilder, root: Element | None) -> None:
    if root is not None:
        builder.paragraph("\n".join(_paragraphs(root)))


def _add_chart(builder: SectionBuilder, root: Element | None) -> None:
    """Add a chart's figures as a table: a row per category, a column per series."""
    if root is None:
        return
    for title in descendants(root, "title"):
        builder.paragraph(_flat(title))
    columns = [_column(series) for series in descendants(root, "ser")]
    categories = next((names for _, names, _ in columns if names), [])
    rows = [["", *(name for name, _, _ in columns)]]
    for place in range(max((len(values) for _, _, values in columns), default=0)):
        label = categories[place] if place < len(categories) else ""
        rows.append([label, *(values[place] if place < len(values) else "" for _, _, values in columns)])
    builder.table(rows if columns else [])


def _column(series: Element) -> tuple[str, list[str], list[str]]:
    name = " ".join(_values(child(series, "tx")))
    categories = _values(child(series, "cat")) or _values(child(series, "xVal"))
    return name, categories, _values(child(series, "val")) or _values(child(series, "yVal"))


def _values(element: Element | None) -> list[str]:
    return [value.text or "" for value in descendants(element, "v")] if element is not None else []


def _flat(element: Element) -> str:
    return " ".join(" ".join(_paragraphs(element)).split())


def _paragraphs(element: Element) -> Iterator[str]:
    for paragraph in descendants(element, "p"):
        parts = []
        for each in paragraph.iter():
            name = local_name(each)
            if name == "t":
                parts.append(each.text or "")
            elif name in {"br", "tab"}:
                parts.append("\n" if name == "br" else "\t")
        if text := "".join(parts).strip():
            yield text
