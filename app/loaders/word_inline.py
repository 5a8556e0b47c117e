"""The text inside a paragraph of a Word document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from app.loaders.drawings import picture_mark
from app.loaders.links import linked
from app.loaders.office_math import latex
from app.loaders.open_xml import attribute, child
from app.loaders.safe_xml import local_name

CHECKED, UNCHECKED = "[x]", "[ ]"
_LEFT_OUT = frozenset({"del", "moveFrom", "rPr", "pPr", "sdtPr", "sdtEndPr", "instrText", "delText", "rt"})
_PRIVATE_USE = range(0xE000, 0xF900)
_HOLDS_MORE = frozenset({"txbxContent", "chart", "relIds"})


@dataclass
class Inline:
    """What was read from a paragraph: its text, and the drawings anchored in it that hold more than a picture."""

    text: str
    drawings: list[Element] = field(default_factory=list)


class InlineReader:
    """Reads paragraphs; ``links`` has the addresses outside the document by relation id."""

    def __init__(self, links: Mapping[str, str]) -> None:
        self._links = links

    def read(self, paragraph: Element) -> Inline:
        """Return what ``paragraph`` says and what is anchored in it."""
        parts: list[str] = []
        found = Inline("")
        self._walk(paragraph, parts, found)
        found.text = "".join(parts)
        return found

    def _walk(self, element: Element, parts: list[str], found: Inline) -> None:
        for each in element:
            name = local_name(each)
            if name == "t":
                parts.append(each.text or "")
            elif name in _READERS:
                parts.append(_READERS[name](each))
            elif name == "hyperlink":
                self._link(each, parts, found)
            elif name in {"drawing", "pict", "object"}:
                _anchor(each, parts, found)
            elif name == "AlternateContent":
                self._alternative(each, parts, found)
            elif name == "sdt" and (box := _checkbox(each)) is not None:
                parts.append(box)
            elif name not in _LEFT_OUT and not (name == "r" and _is_hidden(each)):
                self._walk(each, parts, found)

    def _link(self, element: Element, parts: list[str], found: Inline) -> None:
        inside: list[str] = []
        self._walk(element, inside, found)
        text = "".join(inside)
        address = self._links.get(attribute(element, "id") or "", "")
        parts.append(linked(text, address))

    def _alternative(self, element: Element, parts: list[str], found: Inline) -> None:
        """The first way of showing something; the second one is for old programs and says the same."""
        for name in ("Choice", "Fallback"):
            chosen = child(element, name)
            if chosen is not None and len(chosen):
                self._walk(chosen, parts, found)
                return


def _anchor(drawing: Element, parts: list[str], found: Inline) -> None:
    """Mark every picture of a drawing, and keep what holds text or figures for later."""
    if any(local_name(each) in _HOLDS_MORE for each in drawing.iter()):
        found.drawings.append(drawing)
    pictures = _pictures(drawing)
    parts.extend([picture_mark(pictures[0] if len(pictures) > 1 else drawing), " "] * len(pictures))


def _pictures(drawing: Element) -> list[Element]:
    """The pictures of a drawing that don't stand inside a text box of it."""
    found: list[Element] = []
    for each in drawing:
        if local_name(each) in {"pic", "imagedata"}:
            found.append(each)
        elif local_name(each) not in {"txbxContent", "Fallback"}:
            found.extend(_pictures(each))
    return found


def _is_hidden(run: Element) -> bool:
    hidden = child(run, "rPr", "vanish")
    return hidden is not None and attribute(hidden, "val") not in {"0", "false", "off"}


def _checkbox(control: Element) -> str | None:
    """The state of a content control that is a checkbox; None for any other."""
    box = child(control, "sdtPr", "checkbox")
    if box is None:
        return None
    checked = child(box, "checked")
    return CHECKED if checked is not None and attribute(checked, "val") in {None, "1", "true"} else UNCHECKED


def _form_field(element: Element) -> str:
    """An old form's checkbox; the text of its other fields stands in runs."""
    box = child(element, "ffData", "checkBox")
    if box is None:
        return ""
    state = child(box, "checked") if child(box, "checked") is not None else child(box, "default")
    return CHECKED if state is not None and attribute(state, "val") in {None, "1", "true"} else UNCHECKED


def _sign(element: Element) -> str:
    """A character of a symbol font; the private ones mean nothing without the font."""
    code = attribute(element, "char") or ""
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    return "" if number in _PRIVATE_USE or number > 0x10FFFF else chr(number)


def _display(element: Element) -> str:
    return "\n".join(latex(each) for each in element if local_name(each) == "oMath") + "\n"


def _note(element: Element) -> str:
    return f"[{attribute(element, 'id')}]"


def _formula(element: Element) -> str:
    return f" {latex(element)} "


_READERS: dict[str, Callable[[Element], str]] = {
    "oMath": _formula,
    "oMathPara": _display,
    "sym": _sign,
    "tab": lambda _: "\t",
    **dict.fromkeys(("br", "cr"), lambda _: "\n"),
    "noBreakHyphen": lambda _: "-",
    "fldChar": _form_field,
    "footnoteReference": _note,
    "endnoteReference": _note,
}
