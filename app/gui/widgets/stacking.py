"""Placing widgets one below the other by hand.

Qt's layouts remember the height of every item at the widths they were last asked for, and in a list whose items change
their text and their width all the time those memories are wrong too often. The parts of a message therefore say how
high they are at a width and are placed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QWidget


class Part(Protocol):
    """A widget that knows its height at a width."""

    def height_for(self, width: int) -> int: ...
    def isHidden(self) -> bool: ...
    def setGeometry(self, place: QRect, /) -> None: ...


def stacked_height(parts: Sequence[Part], width: int, gap: int) -> int:
    """The height of all parts that are not hidden, ``gap`` pixels apart."""
    heights = [part.height_for(width) for part in parts if not part.isHidden()]
    return sum(heights) + gap * max(0, len(heights) - 1)


def stack(parts: Sequence[Part], width: int, gap: int, top: int = 0) -> None:
    """Place all parts that are not hidden from ``top`` downwards."""
    for part in parts:
        if not part.isHidden():
            height = part.height_for(width)
            part.setGeometry(QRect(0, top, width, height))
            top += height + gap


def flow(widgets: Sequence[QWidget], width: int, gap: int, *, move: bool) -> int:
    """Fill lines with widgets of their own width, like words in a paragraph. Returns the height of all lines."""
    x = y = line_height = 0
    for widget in widgets:
        size = widget.sizeHint()
        each = min(size.width(), width)
        if x and x + each > width:
            x, y, line_height = 0, y + line_height + gap, 0
        if move:
            widget.setGeometry(QRect(x, y, each, size.height()))
        x += each + gap
        line_height = max(line_height, size.height())
    return y + line_height
