"""The field in which a question is written."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFont, QImage, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from app.gui.chips import Trigger, trigger_at
from app.gui.theme import Appearance
from app.gui.widgets.dropped import dropped_paths

MOST_LINES = 9
LONGEST_PASTE = 30_000
"""A longer text is attached as a file: a question of so many characters can't be read or edited any more."""


class QuestionEdit(QPlainTextEdit):
    """Grows with its text. Enter sends, Shift+Enter begins a line.

    ``takes_keys`` is asked first about every key. While ``recalling`` an earlier question the arrow keys leave it at
    its first and last line.

    Signals: ``sent``; ``focus_changed(focused)``; ``trigger_changed(trigger or None)`` as words are typed;
    ``earlier_wished(step)``: the arrow keys ask for an earlier question (-1) or a later one (1);
    ``paths_pasted(list of paths)``, ``image_pasted(image)``, ``long_text_pasted(text)``.
    """

    sent = Signal()
    focus_changed = Signal(bool)
    trigger_changed = Signal(object)
    earlier_wished = Signal(int)
    paths_pasted = Signal(list)
    image_pasted = Signal(QImage)
    long_text_pasted = Signal(str)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        font = QFont(appearance.font)
        font.setPointSizeF(appearance.scale.sizes["answer"])
        self.setFont(font)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAcceptDrops(False)  # the composer around it takes files
        self.document().setDocumentMargin(2)
        self.takes_keys: Callable[[QKeyEvent], bool] = lambda _event: False
        self.recalling = False
        self.textChanged.connect(self._fit)
        self.textChanged.connect(self._look_for_trigger)
        self.setAccessibleName("Question")
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.takes_keys(event):
            return
        enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.sent.emit()
        elif event.key() == Qt.Key.Key_Up and not event.modifiers() and self._leaves_upwards():
            self.earlier_wished.emit(-1)
        elif event.key() == Qt.Key.Key_Down and not event.modifiers() and self._leaves_downwards():
            self.earlier_wished.emit(1)
        else:
            super().keyPressEvent(event)

    def _leaves_upwards(self) -> bool:
        cursor = self.textCursor()
        return cursor.atStart() or (self.recalling and not cursor.movePosition(QTextCursor.MoveOperation.Up))

    def _leaves_downwards(self) -> bool:
        cursor = self.textCursor()
        return cursor.atEnd() or (self.recalling and not cursor.movePosition(QTextCursor.MoveOperation.Down))

    def replace_trigger(self, trigger: Trigger, text: str = "") -> None:
        """Put ``text`` in place of what was typed to ask for suggestions."""
        cursor = self.textCursor()
        end = cursor.position()
        cursor.setPosition(trigger.start)
        cursor.setPosition(max(end, trigger.start), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text)
        self.setTextCursor(cursor)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() or source.hasImage() or source.hasUrls()

    def insertFromMimeData(self, source: QMimeData) -> None:
        paths = dropped_paths(source)
        if paths:
            self.paths_pasted.emit(paths)
        elif source.hasImage() and not source.hasText():
            self.image_pasted.emit(QImage(source.imageData()))
        else:
            self.insert_text(source.text())

    def insert_text(self, text: str) -> None:
        """Put text in at the cursor; one that is too long to be a question becomes a file."""
        if len(text) > LONGEST_PASTE:
            self.long_text_pasted.emit(text)
        else:
            self.insertPlainText(text)

    def sizeHint(self) -> QSize:
        return QSize(300, self.height())

    def _look_for_trigger(self) -> None:
        if self.document().characterCount() < LONGEST_PASTE:
            self.trigger_changed.emit(trigger_at(self.toPlainText(), self.textCursor().position()))

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
