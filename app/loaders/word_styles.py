"""Styles and numbering of Word documents: which paragraphs are headings, and the numbers Word shows before them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from app.loaders.numerals import letters, roman
from app.loaders.open_xml import attribute, child, descendants
from app.loaders.safe_xml import local_name

TITLE_LEVEL = 0
DEEPEST_STYLE = 20
_HEADING = re.compile(r"^(?:heading|berschrift|überschrift|titre|título|titolo|kop|rubrik)\s*([1-9])", re.IGNORECASE)
_PLACE = re.compile(r"%([1-9])")


def value(element: Element | None, *names: str) -> str | None:
    """Return the attribute ``val`` of what ``names`` lead to, or None."""
    found = child(element, *names) if element is not None else None
    return attribute(found, "val") if found is not None else None


class Styles:
    """The paragraph styles of a document."""

    def __init__(self, root: Element | None) -> None:
        listed = descendants(root, "style") if root is not None else ()
        self._styles = {attribute(each, "styleId") or "": each for each in listed}

    def heading_level(self, paragraph: Element) -> int | None:
        """Return the level of a heading: 0 for the document's title, from 1 for others; None if it is none."""
        own = value(paragraph, "pPr", "outlineLvl")
        if own is not None and own.isdecimal():
            return int(own) + 1 if int(own) < 9 else None
        for style in self._chain(value(paragraph, "pPr", "pStyle") or ""):
            name = value(style, "name") or ""
            if name.lower() == "title":
                return TITLE_LEVEL
            if found := _HEADING.match(name):
                return int(found.group(1))
            outline = value(style, "pPr", "outlineLvl")
            if outline is not None and outline.isdecimal():
                return int(outline) + 1 if int(outline) < 9 else None
        return None

    def numbering(self, paragraph: Element) -> tuple[str, int | None, str] | None:
        """Return ``(list id, level or None, style id)`` as the paragraph or its style states, None if it has none."""
        style_id = value(paragraph, "pPr", "pStyle") or ""
        stated = value(paragraph, "pPr", "numPr", "numId")
        level = _number(value(paragraph, "pPr", "numPr", "ilvl"))
        if stated is not None:
            return (stated, level if level is not None else 0, "") if stated != "0" else None
        for style in self._chain(style_id):
            stated = value(style, "pPr", "numPr", "numId")
            if stated is not None:
                own = _number(value(style, "pPr", "numPr", "ilvl"))
                return (stated, level if level is not None else own, style_id) if stated != "0" else None
        return None

    def is_code(self, paragraph: Element) -> bool:
        """Whether the paragraph's style says that it is code."""
        names = (value(style, "name") or "" for style in self._chain(value(paragraph, "pPr", "pStyle") or ""))
        return any(re.search(r"\b(code|html preformatted|source)\b", name, re.IGNORECASE) for name in names)

    def _chain(self, style_id: str) -> list[Element]:
        """A style and those it is based on."""
        chain: list[Element] = []
        while (style := self._styles.get(style_id)) is not None and len(chain) < DEEPEST_STYLE:
            chain.append(style)
            style_id = value(style, "basedOn") or ""
        return chain


@dataclass
class _Level:
    start: int = 1
    form: str = "decimal"
    text: str = "%1."
    restart_after: int | None = None
    legal: bool = False
    style: str = ""


class Numbering:
    """Counts the items of all lists of a document, in the order of its paragraphs."""

    def __init__(self, root: Element | None) -> None:
        self._levels: dict[str, dict[int, _Level]] = {}
        self._lists: dict[str, tuple[str, dict[int, _Level], dict[int, int]]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[str] = set()
        for each in root if root is not None else ():
            if local_name(each) == "abstractNum":
                self._levels[attribute(each, "abstractNumId") or ""] = _levels(each)
            elif local_name(each) == "num":
                number = attribute(each, "numId") or ""
                self._lists[number] = (value(each, "abstractNumId") or "", _levels(each), _starts(each))

    def label(self, list_id: str, level: int | None, style_id: str) -> tuple[str, int]:
        """Return what Word shows before the next item of a list ("1.2.", "-" for any bullet), and the item's level."""
        abstract, own, starts = self._lists.get(list_id, ("", {}, {}))
        levels = {**self._levels.get(abstract, {}), **own}
        if level is None:
            level = next((place for place, each in levels.items() if style_id and each.style == style_id), 0)
        counts = self._counts.setdefault(abstract or list_id, {})
        if list_id not in self._begun:
            self._begun.add(list_id)
            counts.update({place: start - 1 for place, start in starts.items()})
        self._count(counts, levels, level)
        return _label(counts, levels, level), level

    @staticmethod
    def _count(counts: dict[int, int], levels: dict[int, _Level], level: int) -> None:
        stated = levels.get(level, _Level())
        counts[level] = counts.get(level, stated.start - 1) + 1
        for place in [place for place in counts if place > level]:
            after = levels.get(place, _Level()).restart_after
            if after is None or after > level:
                del counts[place]


def _levels(parent: Element) -> dict[int, _Level]:
    return {_number(attribute(each, "ilvl")) or 0: _level(each) for each in descendants(parent, "lvl")}


def _level(element: Element) -> _Level:
    start, restart = _number(value(element, "start")), _number(value(element, "lvlRestart"))
    return _Level(
        start if start is not None else 1,
        value(element, "numFmt") or "decimal",
        value(element, "lvlText") or "",
        restart,
        child(element, "isLgl") is not None,
        value(element, "pStyle") or "",
    )


def _starts(element: Element) -> dict[int, int]:
    """The numbers that one list begins with, by level, where it doesn't go on with the numbers of its kind."""
    overrides = (
        (attribute(each, "ilvl"), value(each, "startOverride")) for each in descendants(element, "lvlOverride")
    )
    found = {_number(level) or 0: _number(start) for level, start in overrides}
    return {level: start for level, start in found.items() if start is not None}


def _label(counts: dict[int, int], levels: dict[int, _Level], level: int) -> str:
    stated = levels.get(level, _Level())
    if stated.form == "bullet":
        return "-"
    if stated.form == "none" or not stated.text:
        return ""

    def number(match: re.Match[str]) -> str:
        place = int(match.group(1)) - 1
        other = levels.get(place, _Level())
        form = "decimal" if stated.legal else other.form
        return _written(counts.get(place, other.start), form)

    return _PLACE.sub(number, stated.text).strip()


def _written(number: int, form: str) -> str:
    if form in {"lowerLetter", "upperLetter"}:
        return letters(number) if form == "lowerLetter" else letters(number).upper()
    if form in {"lowerRoman", "upperRoman"}:
        return roman(number) if form == "lowerRoman" else roman(number).upper()
    if form == "bullet":
        return ""
    return f"{number:02d}" if form == "decimalZero" else str(number)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 9 else None
