"""Where questions are written."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFont, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, plain_label, restyle

MOST_LINES = 9
LONGEST_PASTE = 2_000_000


class QuestionEdit(QPlainTextEdit):
    """Grows with its text. Enter sends, Shift+Enter begins a line.

    Signals: ``sent``; ``focus_changed(focused)``; ``height_changed``.
    """

    sent = Signal()
    focus_changed = Signal(bool)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        font = QFont(appearance.font)
        font.setPointSizeF(appearance.scale.sizes["answer"])
        self.setFont(font)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAcceptDrops(False)  # files dropped here belong to the library, as anywhere on the window
        self.document().setDocumentMargin(2)
        self.textChanged.connect(self._fit)
        self.setAccessibleName("Question")
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.sent.emit()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() and not source.hasUrls()

    def insertFromMimeData(self, source: QMimeData) -> None:
        self.insertPlainText(source.text()[:LONGEST_PASTE])

    def sizeHint(self) -> QSize:
        return QSize(300, self.height())

    def _fit(self) -> None:
        line = self.fontMetrics().lineSpacing()
        lines = min(MOST_LINES, max(1, round(self.document().size().height())))
        self.setFixedHeight(lines * line + 8)
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if lines >= MOST_LINES else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]  # passed on untouched
        self._fit()


class Composer(QFrame):
    """The question's text, buttons, and a line that says what it will be asked of.

    Signals: ``question_sent(text)``; ``stop_wished``; ``add_files_wished``.
    """

    question_sent = Signal(str)
    stop_wished = Signal()
    add_files_wished = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", "composer")
        self._answering = False
        self._ready = False
        self.edit = QuestionEdit(appearance)
        self.edit.setPlaceholderText("Ask about your files…")
        self._add = IconButton(appearance, "plus", "Add files", shortcut="Ctrl+O", on_click=self.add_files_wished.emit)
        self._scope = plain_label("", scale="small", tone="tertiary")
        self._send = IconButton(appearance, "send", "Send", color="on_accent", size=18, on_click=self._on_button)
        self._send.setProperty("kind", "send")
        self._send.setFixedSize(34, 34)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._add)
        row.addWidget(self._scope, 1)
        row.addWidget(self._send)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 10, 9)
        column.setSpacing(6)
        column.addWidget(self.edit)
        column.addLayout(row)
        self.edit.sent.connect(self._submit)
        self.edit.textChanged.connect(self._update_button)
        self.edit.focus_changed.connect(self._show_focus)
        self._update_button()

    @property
    def send_button(self) -> IconButton:
        """Sends the question, or stops the answer while one is being written."""
        return self._send

    def set_ready(self, ready: bool) -> None:
        """Whether questions can be asked at all."""
        self._ready = ready
        self._update_button()

    def set_answering(self, answering: bool) -> None:
        """While an answer is being written the button stops it."""
        self._answering = answering
        self._send.set_name("Stop" if answering else "Send", "Esc" if answering else "Enter")
        self._update_button()

    def set_scope(self, text: str) -> None:
        """Say what the question will be asked of."""
        self._scope.setText(text)

    def set_text(self, text: str) -> None:
        """Put a question in, for the user to send."""
        self.edit.setPlainText(text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)

    def _on_button(self) -> None:
        if self._answering:
            self.stop_wished.emit()
        else:
            self._submit()

    def _submit(self) -> None:
        text = self.edit.toPlainText().strip()
        if text and self._ready:
            self.edit.clear()
            self.question_sent.emit(text)

    def _update_button(self) -> None:
        has_text = bool(self.edit.toPlainText().strip()) if self.edit.document().characterCount() < 500 else True
        enabled = self._answering or (self._ready and has_text)
        self._send.setEnabled(enabled)
        self._send.set_icon("stop" if self._answering else "send", "on_accent" if enabled else "text_tertiary")

    def _show_focus(self, focused: bool) -> None:
        self.setProperty("focused", focused)
        restyle(self)
