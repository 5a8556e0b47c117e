"""The text of a question: plain, selectable, as wide as it needs to be."""

from __future__ import annotations

import math

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QTextOption, QWheelEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextEdit, QWidget

from app.gui.theme import Appearance

LONGEST_SHOWN = 20_000
FIRST_WIDTH = 600


class QuestionText(QTextEdit):
    """Read-only plain text. A very long question is cut on the screen; copying takes all of it."""

    def __init__(self, appearance: Appearance, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setLineWrapColumnOrWidth(FIRST_WIDTH)
        font = QFont(appearance.font)
        font.setPointSizeF(appearance.scale.sizes["answer"])
        self.document().setDefaultFont(font)
        self.document().setDocumentMargin(0)
        self._size = QSize(200, 20)
        self.show_text(text)

    def show_text(self, text: str) -> None:
        """Show a question."""
        self.setPlainText(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + " …")

    def fit(self, widest: int) -> None:
        """Take the width the text needs, at most ``widest`` pixels, and the height that follows."""
        self.setLineWrapColumnOrWidth(widest)
        width = min(widest, math.ceil(self.document().idealWidth()) + 2)
        self._size = QSize(width, math.ceil(self.document().size().height()) + 1)
        self.setFixedSize(self._size)

    def sizeHint(self) -> QSize:
        return self._size

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the list of messages scrolls
