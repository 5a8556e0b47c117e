"""List styles of OpenDocument (ODF 1.3, part 3, 16.31): what stands before the items of a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from app.loaders.numerals import letters, roman
from app.loaders.open_xml import attribute
from app.loaders.safe_xml import local_name

BULLET = "-"


@dataclass(frozen=True, slots=True)
class _Level:
    form: str
    prefix: str
    suffix: str
    start: int
    shown_levels: int


class ListStyles:
    """The numbered levels of all list styles, by name; every other level has bullets."""

    def __init__(self, roots: Iterable[Element | None]) -> None:
        self._levels: dict[tuple[str, int], _Level] = {}
        for root in roots:
            for style in root.iter() if root is not None else ():
                if local_name(style) == "list-style":
                    self._add(style)

    def _add(self, style: Element) -> None:
        name = attribute(style, "name") or ""
        for each in style:
            form = attribute(each, "num-format")
            if local_name(each) == "list-level-style-number" and form:
                prefix, suffix = attribute(each, "num-prefix") or "", attribute(each, "num-suffix") or ""
                start, shown = number(attribute(each, "start-value"), 1), number(attribute(each, "display-levels"), 1)
                self._levels[name, number(attribute(each, "level"), 1)] = _Level(form, prefix, suffix, start, shown)

    def start(self, style: str, depth: int) -> int:
        """Return the number of the first item at ``depth``, from 0."""
        level = self._levels.get((style, depth + 1))
        return level.start if level else 1

    def label(self, style: str, counts: list[int]) -> str:
        """Return what stands before an item; ``counts`` has its number and those of the items it is in."""
        level = self._levels.get((style, len(counts)))
        if level is None:
            return BULLET
        first = max(0, len(counts) - max(1, level.shown_levels))
        numbers = (self._written(style, depth, counts[depth]) for depth in range(first, len(counts)))
        return f"{level.prefix}{'.'.join(numbers)}{level.suffix}".strip() or BULLET

    def _written(self, style: str, depth: int, count: int) -> str:
        level = self._levels.get((style, depth + 1))
        return _written(count, level.form if level else "1")


def _written(count: int, form: str) -> str:
    if form in {"a", "A"}:
        return letters(count) if form == "a" else letters(count).upper()
    if form in {"i", "I"}:
        return roman(count) if form == "i" else roman(count).upper()
    return str(count)


def number(text: str | None, default: int) -> int:
    """Return a whole number as OpenDocument states it, ``default`` for what is none or too large to be meant."""
    return int(text) if text is not None and text.isdecimal() and len(text) < 6 else default
