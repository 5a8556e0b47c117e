"""Which blocks of a text document stand at a height, found by halving.

Qt's own hit test walks over a document's blocks one by one, which a long answer would pay for at every repaint.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from PySide6.QtCore import QRectF
from PySide6.QtGui import QAbstractTextDocumentLayout, QTextBlock, QTextDocument

PlacedBlock = tuple[QTextBlock, QRectF]


def blocks_between(document: QTextDocument, top: float, bottom: float) -> Iterator[PlacedBlock]:
    """The blocks that reach into the heights from ``top`` to ``bottom``, each with its rectangle, in order.

    Blocks must stand in order of their tops, as those of paragraphs and tables do whose cells are aligned at the top.
    """
    layout = document.documentLayout()
    block = _first_block(document, layout, top)
    while block.isValid():
        rectangle = layout.blockBoundingRect(block)
        if rectangle.top() > bottom:
            return
        if rectangle.bottom() >= top:
            yield block, rectangle
        block = block.next()


def _first_block(document: QTextDocument, layout: QAbstractTextDocumentLayout, height: float) -> QTextBlock:
    """A block before which none reaches down to ``height``: the first of those that begin where the last one does.

    Qt puts an empty paragraph before a table, which reaches into the first row.
    """

    def place_of(number: int) -> QRectF:
        return layout.blockBoundingRect(document.findBlockByNumber(number))

    number = max(0, bisect_right(range(document.blockCount()), height, key=lambda each: place_of(each).top()) - 1)
    top = place_of(number).top()
    while number and ((before := place_of(number - 1)).top() == top or before.bottom() >= height):
        number -= 1  # the cells of a row begin at one height, and any of them may be the highest
    return document.findBlockByNumber(number)
