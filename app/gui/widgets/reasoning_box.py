"""What a model thought before it answered: folded away, there for who wants to read it."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFont, QTextCursor, QTextOption, QWheelEvent
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.gui.models.message_list_model import MessageEntry
from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton

INDENT, GAP, BELOW = 14, 4, 8
BUTTON_PADDING = 8
FIRST_WIDTH = 600
LONGEST_SHOWN = 200_000


class _Thoughts(QTextEdit):
    """Plain text at its full height."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setLineWrapColumnOrWidth(FIRST_WIDTH)
        self.setTabChangesFocus(True)
        self.setAccessibleName("What the model thought")
        self.setProperty("tone", "secondary")
        font = QFont(appearance.font)
        self.document().setDefaultFont(font)
        self.document().setDocumentMargin(0)
        self.document().setUndoRedoEnabled(False)

    def append_plain(self, text: str) -> None:
        """Add text at the end; what is there is not laid out again."""
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the list of messages scrolls


class ReasoningBox(QWidget):
    """A line that unfolds. While only thoughts arrive it says so.

    Signals: ``height_changed``.
    """

    height_changed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = ""
        self._written = 0
        self._head = TextButton(appearance, "Thinking…", kind="quiet", icon="chevron-right", parent=self)
        self._head.setCheckable(True)
        self._head.toggled.connect(self._on_toggled)
        self._body = _Thoughts(appearance, self)
        self._body.hide()
        self._bar = QFrame(self)
        self._bar.setProperty("line", "vertical")
        self._bar.hide()
        self._appearance = appearance

    @property
    def unfolded(self) -> bool:
        """Whether the thoughts are shown."""
        return self._head.isChecked()

    @property
    def shown_text(self) -> str:
        """The thoughts as they are on the screen."""
        return self._body.toPlainText()

    def unfold(self, unfolded: bool = True) -> None:
        """Show or hide the thoughts."""
        self._head.setChecked(unfolded)

    def show_for(self, entry: MessageEntry) -> None:
        """Show the thoughts behind an answer, as far as they have come."""
        self._text = entry.reasoning[:LONGEST_SHOWN]
        self.setVisible(bool(self._text))
        words = "Thinking…" if entry.streaming and not entry.text else "What the model thought"
        if self._head.accessibleName() != words:
            self._head.setText(" " + words)
            self._head.setAccessibleName(words)
        if self.unfolded:
            self._write()

    def height_for(self, width: int) -> int:
        """Its height at a width."""
        head = self._head.sizeHint().height()
        if not self.unfolded:
            return head
        self._body.setLineWrapColumnOrWidth(max(60, width - INDENT))
        return head + GAP + math.ceil(self._body.document().size().height()) + BELOW

    def resizeEvent(self, event: QEvent) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]  # passed on untouched
        head = self._head.sizeHint()
        self._head.setGeometry(-BUTTON_PADDING, 0, head.width(), head.height())
        top = head.height() + GAP
        height = max(0, self.height() - top - BELOW)
        self._body.setGeometry(INDENT, top, self.width() - INDENT, height)
        self._bar.setGeometry(2, top, 2, height)

    def _on_toggled(self, unfolded: bool) -> None:
        self._head.set_icon("chevron-down" if unfolded else "chevron-right")
        self._write()
        self._body.setVisible(unfolded)
        self._bar.setVisible(unfolded)
        self.height_changed.emit()

    def _write(self) -> None:
        if len(self._text) < self._written:
            self._body.clear()
            self._written = 0
        self._body.append_plain(self._text[self._written :])
        self._written = len(self._text)
