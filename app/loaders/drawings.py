"""What stands in drawings of Office documents: figures of charts, text of diagrams, and marks where pictures are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from app.loaders.open_xml import attribute, child, descendants
from app.loaders.safe_xml import local_name
from app.loaders.section_builder import SectionBuilder

LONGEST_DESCRIPTION = 500
# Excel and Word keep 15 digits; what is stored beyond them is an artefact of binary fractions.
SHOWN_DIGITS = 15
_NAME = re.compile(
    r"^((picture|image|grafik|bild|photo|logo)[\s_-]*\d*|\S+\.(png|jpe?g|gif|bmp|svg|webp|tiff?|emf|wmf))$",
    re.IGNORECASE,
)
_GUESSED = ("automatically generated", "ai-generated")
_CHART_KINDS = {
    "barChart": "Bar chart", "bar3DChart": "Bar chart", "lineChart": "Line chart", "line3DChart": "Line chart",
    "pieChart": "Pie chart", "pie3DChart": "Pie chart", "doughnutChart": "Doughnut chart", "ofPieChart": "Pie chart",
    "areaChart": "Area chart", "area3DChart": "Area chart", "scatterChart": "Scatter chart",
    "bubbleChart": "Bubble chart", "radarChart": "Radar chart", "stockChart": "Stock chart",
    "surfaceChart": "Surface chart", "surface3DChart": "Surface chart",
}  # fmt: skip


def image_mark(description: str = "") -> str:
    """Return what stands in a text where the document has a picture; ``description`` is what its author says of it.

    Names that a program gave and descriptions that it guessed, and says so, are left out.
    """
    told = " ".join(description.split())[:LONGEST_DESCRIPTION]
    if any(sign in told.lower() for sign in _GUESSED) or _NAME.match(told):
        told = ""
    return f"[image: {told}]" if told else "[image]"


def picture_mark(drawing: Element) -> str:
    """Return the mark for a drawing with the description that its properties state."""
    for name in ("docPr", "cNvPr"):
        for properties in descendants(drawing, name):
            if description := attribute(properties, "descr"):
                return image_mark(description)
    return image_mark()


def add_chart(builder: SectionBuilder, root: Element | None) -> None:
    """Add a chart: what kind it is, its titles, and its figures as a table, a row per category, a column per series."""
    if root is None:
        return
    area = child(root, "chart", "plotArea")
    kinds = [_CHART_KINDS[local_name(each)] for each in area or () if local_name(each) in _CHART_KINDS]
    builder.paragraph("\n".join([image_mark(), kinds[0] if kinds else "Chart"]))
    for title in descendants(root, "title"):
        builder.paragraph(flat_text(title))
    builder.table(_figures(root))


def _figures(root: Element) -> list[list[str]]:
    columns = [_column(series) for series in descendants(root, "ser")]
    if not columns:
        return []
    categories = next((names for _, names, _ in columns if names), {})
    places = sorted({place for _, _, values in columns for place in values} | set(categories))
    header = ["", *(name for name, _, _ in columns)]
    return [header, *([categories.get(each, ""), *(values.get(each, "") for *_, values in columns)] for each in places)]


def _column(series: Element) -> tuple[str, dict[int, str], dict[int, str]]:
    name = " ".join(_values(child(series, "tx")).values())
    categories = _values(child(series, "cat")) or _values(child(series, "xVal"))
    return name, categories, _values(child(series, "val")) or _values(child(series, "yVal"))


def _values(element: Element | None) -> dict[int, str]:
    """The cached values of a series by their place; a series may leave places out, and categories may have levels."""
    found: dict[int, str] = {}
    for point in descendants(element, "pt") if element is not None else ():
        place, value = attribute(point, "idx") or "", child(point, "v")
        if value is not None and value.text:
            number = int(place) if place.isdecimal() else len(found)
            text = shown_number(value.text)
            found[number] = f"{text} {found[number]}" if number in found else text
    return found


def shown_number(text: str) -> str:
    """Return a stored number as it is shown, without the noise of its last digits; other text as it is."""
    if "." not in text or len(text) <= SHOWN_DIGITS:
        return text
    try:
        return f"{float(text):.{SHOWN_DIGITS}g}"
    except ValueError:
        return text


def diagram_text(root: Element | None) -> str:
    """Return the text of a diagram's boxes, a line each."""
    return "\n".join(paragraphs(root)) if root is not None else ""


def flat_text(element: Element) -> str:
    """Return all text of DrawingML paragraphs inside ``element`` on one line."""
    return " ".join(" ".join(paragraphs(element)).split())


def paragraphs(element: Element) -> Iterable[str]:
    """Yield the paragraphs of DrawingML inside ``element`` that hold text."""
    for paragraph in descendants(element, "p"):
        if text := paragraph_text(paragraph):
            yield text


def paragraph_text(paragraph: Element) -> str:
    """Return a paragraph's text with its breaks and tabs."""
    parts = []
    for each in paragraph.iter():
        name = local_name(each)
        if name == "t":
            parts.append(each.text or "")
        elif name in {"br", "tab"}:
            parts.append("\n" if name == "br" else "\t")
    return "".join(parts).strip()
