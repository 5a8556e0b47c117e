"""What the chat shows before the first question: an invitation."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.gui.icons import application_icon
from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_label

MARK_SIZE = 56
WIDEST = 620


class EmptyChat(QWidget):
    """Invites to drop files or, once there are some, to ask.

    Signals: ``question_chosen(text)``, ``add_files_wished``, ``add_folder_wished``, ``retry_wished``.
    """

    question_chosen = Signal(str)
    add_files_wished = Signal()
    add_folder_wished = Signal()
    retry_wished = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._mark = QLabel()
        self._mark.setTextFormat(Qt.TextFormat.PlainText)
        self._mark.setPixmap(_mark_pixmap(self.devicePixelRatioF()))
        self._title = plain_label("", scale="display")
        self._words = plain_label("", tone="secondary", wrap=True)
        for label in (self._mark, self._title, self._words):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._suggestions = QWidget()
        self._grid = QGridLayout(self._suggestions)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(10)
        self._buttons: list[TextButton] = []
        self._adding = self._make_adding()
        inner = QWidget()
        inner.setMaximumWidth(WIDEST)
        column = QVBoxLayout(inner)
        column.setContentsMargins(24, 0, 24, 0)
        column.setSpacing(10)
        column.addWidget(self._mark)
        column.addSpacing(6)
        for widget in (self._title, self._words):
            column.addWidget(widget)
        column.addSpacing(12)
        column.addWidget(self._suggestions)
        column.addWidget(self._adding)
        self._retry = TextButton(appearance, "Try again", kind="primary", on_click=self.retry_wished.emit)
        column.addWidget(self._retry, alignment=Qt.AlignmentFlag.AlignHCenter)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(inner, 20)
        row.addStretch(1)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        outer.addLayout(row)
        outer.addStretch(3)

    def _make_adding(self) -> QWidget:
        adding = QWidget()
        row = QHBoxLayout(adding)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addStretch(1)
        row.addWidget(
            TextButton(
                self._appearance,
                "Add files…",
                kind="primary",
                icon="file-add",
                icon_color="on_accent",
                on_click=self.add_files_wished.emit,
            )
        )
        row.addWidget(
            TextButton(self._appearance, "Add folder…", icon="folder-add", on_click=self.add_folder_wished.emit)
        )
        row.addStretch(1)
        return adding

    def show_opening(self) -> None:
        """The library is being opened."""
        self._set("Footnote", "Opening your library…")

    def show_failed(self, message: str) -> None:
        """The library can't be opened."""
        self._set("Your library can't be opened", message)
        self._retry.show()

    @property
    def words(self) -> str:
        """The sentence below the title."""
        return self._words.text()

    @property
    def suggestions(self) -> list[TextButton]:
        """The buttons with suggested questions."""
        return self._buttons

    def show_without_documents(self) -> None:
        """There is nothing to ask about yet."""
        self._set(
            "Drop files or folders here",
            "Footnote reads them on this computer. Then ask, and every sentence of the answer points to the place it "
            "comes from.",
            adding=True,
        )

    def show_reading(self) -> None:
        """The first documents are on their way."""
        self._set(
            "Reading your files",
            "You can ask as soon as the first document is ready; the others join as they are finished.",
        )

    def show_ready(self, documents: str, questions: Sequence[str]) -> None:
        """There are documents; ``questions`` are suggestions for a start."""
        words = f"{documents} ready. Each answer shows where it comes from, word for word."
        self._set("What would you like to know?", words, questions=questions)

    def _set(self, title: str, words: str, *, adding: bool = False, questions: Sequence[str] = ()) -> None:
        self._title.setText(title)
        self._words.setText(words)
        self._adding.setVisible(adding)
        self._retry.hide()
        self._suggestions.setVisible(bool(questions))
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self._buttons = []
        for number, question in enumerate(questions):
            button = TextButton(self._appearance, question, kind="suggestion")
            button.clicked.connect(lambda _checked=False, chosen=question: self.question_chosen.emit(chosen))
            self._grid.addWidget(button, number, 0)
            self._buttons.append(button)


def _mark_pixmap(scale: float) -> QPixmap:
    pixmap = application_icon().pixmap(round(MARK_SIZE * scale), round(MARK_SIZE * scale))
    pixmap.setDevicePixelRatio(scale)
    return pixmap
