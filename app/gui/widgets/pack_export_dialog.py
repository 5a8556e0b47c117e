"""Writing a collection pack: how far it is, and what became of it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_label
from app.gui.widgets.work_card import WorkCard

ABOUT = "One file with the text, the passages and their vectors. The documents' own files are not in it."


class PackExportDialog(QDialog):
    """Signals: ``stop_wished``, also when it is closed before the end."""

    stop_wished = Signal()

    def __init__(self, appearance: Appearance, file_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export a pack")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(480)
        self.work = WorkCard(appearance)
        self.work.stop_wished.connect(self.stop_wished)
        self.outcome = plain_label("", wrap=True)
        self.outcome.hide()
        self.close_button = TextButton(appearance, "Close", on_click=self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 18)
        column.setSpacing(12)
        column.addWidget(plain_label(f"Export “{file_name}”", scale="title", wrap=True))
        column.addWidget(plain_label(ABOUT, scale="small", tone="secondary", wrap=True))
        column.addWidget(self.work)
        column.addWidget(self.outcome)
        column.addStretch(1)
        column.addLayout(buttons)
        self.work.show_progress("Writing…", 0, 0)
        self.finished.connect(lambda _result: self.stop_wished.emit())

    def show_progress(self, done: int, total: int) -> None:
        """So many documents are written."""
        self.work.show_progress(f"{done:,} of {total:,} documents", done, total)

    def show_outcome(self, words: str, *, failed: bool = False) -> None:
        """It has ended."""
        self.work.hide()
        self.outcome.setProperty("tone", "danger" if failed else "primary")
        self.outcome.setText(words)
        self.outcome.show()
        self.outcome.style().polish(self.outcome)
        self.adjustSize()
