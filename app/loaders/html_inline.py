"""What stands within a paragraph of an HTML page: its text, pictures and powers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.loaders.drawings import image_mark
from app.loaders.html_tree import BLOCKS, HtmlNode

SPACES = re.compile(r"[ \t\n\r\f]+")
SILENT = frozenset({"head", "script", "style", "template", "iframe", "object", "svg", "datalist"})
_POWER = re.compile(r"\s*[+\-−]?\d+\s*")


def is_power(node: HtmlNode) -> bool:
    """Whether ``node`` raises a number: 10 to the power of 6 must not become 106, nor a note's mark part of a word."""
    return node.tag == "sup" and _POWER.fullmatch("".join(_strings(node))) is not None


def plain_text(node: HtmlNode) -> str:
    """Return all text within ``node``; blocks and line breaks inside become spaces, items keep their marks."""
    parts: list[str] = []
    stack: list[HtmlNode | str] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
        elif item.tag == "img":
            parts.append(f" {picture_text(item)} ")
        elif item.tag not in SILENT:
            apart = [" "] if item.tag in BLOCKS or item.tag == "br" else []
            raised = ["^"] if is_power(item) else []
            stack.extend(reversed([*apart, *raised, *_with_marks(item), *apart]))
    return SPACES.sub(" ", "".join(parts)).strip()


def _with_marks(node: HtmlNode) -> Iterator[HtmlNode | str]:
    """Yield what ``node`` holds, with a number or a dash before each item of a list."""
    number = 0
    for child in node.children:
        if isinstance(child, HtmlNode) and child.tag == "li" and node.tag in {"ol", "ul"}:
            number += 1
            yield f" {number}. " if node.tag == "ol" else " - "
        yield child


def picture_text(image: HtmlNode) -> str:
    """Return the mark of a picture that its page describes, "" for any other: most of them are decoration."""
    mark = image_mark(image.attributes.get("alt", ""))
    return "" if mark == image_mark() else mark


def _strings(node: HtmlNode) -> Iterator[str]:
    for child in node.children:
        if isinstance(child, str):
            yield child
        else:
            yield from _strings(child)
