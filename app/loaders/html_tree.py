"""A forgiving reader of HTML that makes a small tree of it. Nothing is run or fetched."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from app.loaders.text_decoding import decode

DEEPEST_NESTING = 200
_VOID = frozenset(re.findall(r"\w+", "area base br col embed hr img input link meta param source track wbr"))
_RAW = frozenset({"script", "style", "template", "noembed", "noframes"})
_CHARSET = re.compile(rb"""<(?:meta[^>]+charset|\?xml[^>]+encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption "
        "figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol optgroup "
        "option p pre section select summary table tbody td textarea tfoot th thead title tr ul",
    )
)
# An opening tag ends these elements if they are open, up to the container on the right.
_IMPLIED_ENDS = {
    "li": ({"li"}, {"ul", "ol", "menu", "dir"}),
    "dt": ({"dt", "dd"}, {"dl"}),
    "dd": ({"dt", "dd"}, {"dl"}),
    "tr": ({"tr", "td", "th", "caption"}, {"table"}),
    "td": ({"td", "th"}, {"tr", "table"}),
    "th": ({"td", "th"}, {"tr", "table"}),
    "tbody": ({"tr", "td", "th", "thead", "tbody", "tfoot", "caption"}, {"table"}),
    "tfoot": ({"tr", "td", "th", "thead", "tbody", "tfoot", "caption"}, {"table"}),
    "option": ({"option"}, {"select"}),
}


@dataclass(slots=True)
class HtmlNode:
    """An element: its lower-case tag, its attributes, and its children, elements and text in order."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[HtmlNode | str] = field(default_factory=list)

    def elements(self) -> list[HtmlNode]:
        """The children that are elements."""
        return [child for child in self.children if isinstance(child, HtmlNode)]


def within(node: HtmlNode) -> Iterator[HtmlNode]:
    """Yield ``node`` and all elements in it, in the order of the page."""
    stack = [node]
    while stack:
        item = stack.pop()
        yield item
        stack.extend(reversed(item.elements()))


def decode_html(data: bytes, name: str) -> str:
    """Return the text of an HTML file, in the encoding it declares where that works. Raises ``DocumentError``."""
    declared = _CHARSET.search(data[:4096])
    if declared and not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode(declared.group(1).decode("ascii")).replace("\x00", "")
        except (LookupError, UnicodeDecodeError):
            pass  # the declaration is wrong: guess
    return decode(data, name)


def parse_html(text: str) -> HtmlNode:
    """Return the tree of ``text``; its root has the tag "" and holds whatever there is."""
    builder = _TreeBuilder()
    builder.feed(text)
    builder.close()
    return builder.root


class _TreeBuilder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = HtmlNode("")
        self._open = [self.root]
        self._raw = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._raw:
            return
        if tag in _RAW:
            self._raw = tag
            return
        self._end_implied(tag)
        node = HtmlNode(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        # Deeper elements become siblings: the text stays, the tree stays shallow enough to be walked.
        if tag not in _VOID and len(self._open) < DEEPEST_NESTING:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._raw:
            if tag == self._raw:
                self._raw = ""
            return
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place].tag == tag:
                del self._open[place:]
                return
            if self._open[place].tag == "table" and tag in {"div", "p", "span", "td", "tr"}:
                return  # a stray end tag doesn't close what surrounds the table

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self._open[-1].children.append(data)

    def _end_implied(self, tag: str) -> None:
        if tag in BLOCKS and self._open[-1].tag == "p":
            self._open.pop()
        ended, container = _IMPLIED_ENDS.get(tag, (frozenset[str](), frozenset[str]()))
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place].tag in container:
                break
            if self._open[place].tag in ended:
                del self._open[place:]
