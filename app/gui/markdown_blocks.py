"""Cutting Markdown that is still arriving into blocks that can no longer change and the one that still can."""

from __future__ import annotations

import re
from dataclasses import dataclass

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
LIST_ITEM = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])(?:\s|$)")
INDENTED = re.compile(r"(?: {2,}|\t)\S")


@dataclass(slots=True)
class _Open:
    lines: list[str]
    fence: str = ""
    is_list: bool = False
    blank_seen: bool = False


class BlockSplitter:
    """Takes text in pieces of any size; returns blocks once a later line has closed them.

    A blank line ends a paragraph, a fence ends at its closing fence, a list goes on over blank lines as long as items
    or indented lines follow. ``tail`` is the text after the last closed block.
    """

    def __init__(self) -> None:
        self._open: _Open | None = None
        self._partial = ""

    @property
    def tail(self) -> str:
        """The block that is still open, as far as it has arrived."""
        return ("\n".join(self._open.lines) + "\n" if self._open else "") + self._partial

    @property
    def in_fence(self) -> bool:
        """Whether the open block is a code block."""
        return bool(self._open and self._open.fence)

    def feed(self, text: str) -> list[str]:
        """Take more text and return the blocks that it closes."""
        *lines, self._partial = (self._partial + text).split("\n")
        closed: list[str] = []
        for line in lines:
            closed.extend(self._take(line))
        return closed

    def finish(self) -> list[str]:
        """There is no more text: return what is left."""
        line, self._partial = self._partial, ""
        closed = self._take(line) if line else []
        return closed + self._close()

    def _take(self, line: str) -> list[str]:
        current = self._open
        if current is None:
            self._begin(line)
            return []
        if current.fence:
            current.lines.append(line)
            return self._close() if _ends_fence(line, current.fence) else []
        if not line.strip():
            return self._take_blank(line, current)
        if current.blank_seen and not (current.is_list and (LIST_ITEM.match(line) or INDENTED.match(line))):
            return [*self._close(), *self._take(line)]
        if FENCE.match(line) and not current.is_list:
            return [*self._close(), *self._take(line)]
        current.blank_seen = False
        current.lines.append(line)
        return []

    def _take_blank(self, line: str, current: _Open) -> list[str]:
        if not current.is_list:
            return self._close()
        current.blank_seen = True
        current.lines.append(line)
        return []

    def _begin(self, line: str) -> None:
        if not line.strip():
            return
        fence = FENCE.match(line)
        self._open = _Open([line], fence.group(1) if fence else "", bool(LIST_ITEM.match(line)))

    def _close(self) -> list[str]:
        current, self._open = self._open, None
        return ["\n".join(current.lines).rstrip("\n")] if current else []


def _ends_fence(line: str, fence: str) -> bool:
    mark = line.strip()
    return len(mark) >= len(fence) and mark[0] == fence[0] and not mark.strip(fence[0])
