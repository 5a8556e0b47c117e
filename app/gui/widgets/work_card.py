"""Small panels: work that goes on in the background, and something the user should know."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, TextButton, plain_label

FINE_STEPS = 1000


class WorkCard(QFrame):
    """What is being done, how far it is, and a button that stops it. Signals: ``stop_wished``."""

    stop_wished = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", "true")
        self.headline = plain_label("", wrap=True)
        self.detail = plain_label("", scale="small", tone="secondary", wrap=True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.stop_button = TextButton(appearance, "Stop", on_click=self.stop_wished.emit)
        self.stop_button.setAutoDefault(False)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.bar, 1)
        row.addWidget(self.stop_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 12, 10)
        column.setSpacing(4)
        column.addWidget(self.headline)
        column.addLayout(row)
        column.addWidget(self.detail)
        self.hide()

    def show_progress(self, headline: str, done: int, total: int, detail: str = "") -> None:
        """Show where it stands; a total of 0 is not known."""
        self.headline.setText(headline)
        self.detail.setText(detail)
        self.detail.setVisible(bool(detail))
        self.bar.setRange(0, FINE_STEPS if total else 0)
        self.bar.setValue(round(FINE_STEPS * min(1.0, done / total)) if total else 0)
        self.stop_button.setEnabled(True)
        self.show()

    def show_stopping(self) -> None:
        """The user has stopped it; it ends soon."""
        self.detail.setText("Stopping…")
        self.detail.show()
        self.stop_button.setEnabled(False)


class NoticeCard(QFrame):
    """Some words and what can be done about them. Signals: ``acted``, ``dismissed``."""

    acted = Signal()
    dismissed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", "warning")
        self.words = plain_label("", scale="small", wrap=True)
        self.action = TextButton(appearance, "", kind="link", on_click=self.acted.emit)
        self.action.setAutoDefault(False)
        self.action.setAccessibleName("Do something about it")  # until there are words that say what
        self.close_button = IconButton(appearance, "close", "Dismiss", size=14, on_click=self.dismissed.emit)
        row = QHBoxLayout()
        row.setContentsMargins(-7, 0, 0, 0)  # the words of a link stand in line with those above
        row.addWidget(self.action)
        row.addStretch(1)
        row.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 8, 6)
        column.setSpacing(2)
        column.addWidget(self.words)
        column.addLayout(row)
        self.hide()

    def say(self, words: str, action: str) -> None:
        """Show the words, with a button that says ``action``."""
        self.words.setText(words)
        self.action.setText(action)
        self.action.setAccessibleName(action)
        self.show()
