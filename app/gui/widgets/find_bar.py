"""Find in the document on show."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, plain_label


class FindBar(QWidget):
    """Signals: ``text_changed(text)``, ``next_wished``, ``previous_wished``, ``closed``."""

    text_changed = Signal(str)
    next_wished = Signal()
    previous_wished = Signal()
    closed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.edit = QLineEdit()
        self.edit.setPlaceholderText("Find in this document")
        self.edit.setAccessibleName("Find in this document")
        self._count = plain_label("", scale="small", tone="tertiary")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 12, 6)
        row.setSpacing(4)
        row.addWidget(self.edit, 1)
        row.addWidget(self._count)
        row.addWidget(IconButton(appearance, "chevron-up", "Previous match", on_click=self.previous_wished.emit))
        row.addWidget(IconButton(appearance, "chevron-down", "Next match", on_click=self.next_wished.emit))
        row.addWidget(IconButton(appearance, "close", "Close", on_click=self.close_bar))
        self.edit.textChanged.connect(self.text_changed)
        self.edit.returnPressed.connect(self.next_wished)
        self.hide()

    @property
    def count_text(self) -> str:
        """What it says about the matches."""
        return self._count.text()

    def open_bar(self) -> None:
        """Show it, ready to type."""
        self.show()
        self.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.edit.selectAll()

    def close_bar(self) -> None:
        """Hide it and forget the search."""
        self.hide()
        self.edit.clear()
        self.closed.emit()

    def show_count(self, current: int, total: int) -> None:
        """Say which match is shown, counting from 0, of how many."""
        if not self.edit.text():
            self._count.setText("")
        else:
            self._count.setText(f"{current + 1} of {total}" if total else "Not found")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
            return
        super().keyPressEvent(event)
