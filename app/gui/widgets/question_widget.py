"""A question as it stands in the chat, and how it is put in other words."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.gui.models.message_list_model import MessageEntry
from app.gui.theme import Appearance
from app.gui.widgets.attached_strip import AttachedStrip
from app.gui.widgets.basics import IconButton, TextButton, plain_label
from app.gui.widgets.branch_switcher import BranchSwitcher
from app.gui.widgets.message_widget import MessageWidget
from app.gui.widgets.question_text import QuestionText

BUBBLE_SHARE = 0.82
BUBBLE_MARGINS = QMargins(16, 10, 16, 10)
ABOVE_QUESTION, BELOW_QUESTION = 16, 10
BELOW_FILES = 6
MOST_EDIT_LINES = 12


class QuestionEditor(QFrame):
    """Where a past question is put in other words.

    Signals: ``accepted(text)``; ``cancelled``; ``height_changed``.
    """

    accepted = Signal(str)
    cancelled = Signal()
    height_changed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("card", "composer")
        self.setProperty("focused", True)
        self.edit = QPlainTextEdit()
        self.edit.setFrameShape(QFrame.Shape.NoFrame)
        self.edit.setAccessibleName("The question in other words")
        self.edit.setTabChangesFocus(True)
        font = QFont(appearance.font)
        font.setPointSizeF(appearance.scale.sizes["answer"])
        self.edit.setFont(font)
        self.edit.textChanged.connect(self._fit)
        self.ask_button = TextButton(appearance, "Ask", kind="primary", on_click=self._accept)
        cancel = TextButton(appearance, "Cancel", kind="secondary", on_click=self.cancelled.emit)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(plain_label("What followed stays as another branch.", scale="small", tone="tertiary"), 1)
        row.addWidget(cancel)
        row.addWidget(self.ask_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 10, 10)
        column.setSpacing(8)
        column.addWidget(self.edit)
        column.addLayout(row)

    def begin(self, text: str) -> None:
        """Start with the words that are there."""
        self.edit.setPlainText(text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)
        self._fit()
        self.show()
        self.edit.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._accept()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _accept(self) -> None:
        text = self.edit.toPlainText().strip()
        if text:
            self.accepted.emit(text)

    def _fit(self) -> None:
        lines = min(MOST_EDIT_LINES, max(2, round(self.edit.document().size().height())))
        height = lines * self.edit.fontMetrics().lineSpacing() + 12
        if height != self.edit.height():
            self.edit.setFixedHeight(height)
            self.height_changed.emit()


class QuestionWidget(MessageWidget):
    """A bubble on the right, with what can be done with the question beside it."""

    def __init__(self, appearance: Appearance, entry: MessageEntry, parent: QWidget | None = None) -> None:
        super().__init__(entry, parent)
        self.setAccessibleName("Your question")
        self._appearance = appearance
        self.bubble = QFrame()
        self.bubble.setProperty("card", "bubble")
        self._text = QuestionText(appearance, entry.text)
        self._text.setAccessibleName("Your question")
        self._text.setParent(self.bubble)
        self.bubble.setParent(self)
        self.switcher = BranchSwitcher(appearance, "wording", self)
        self.switcher.branch_wished.connect(self.branch_wished)
        self._copy = self._button("copy", "Copy question")
        self._copy.clicked.connect(lambda: self.copy_wished.emit(self.entry.id))
        self.edit_button = self._button("rename", "Edit and ask again")
        self.edit_button.clicked.connect(self.begin_editing)
        self.attached = AttachedStrip(appearance, self)
        self.attached.opened.connect(self.attached_opened)
        self.editor: QuestionEditor | None = None
        self.refresh()

    def begin_editing(self) -> None:
        """Put the editor in place of the bubble."""
        if self.editor is None:
            self.editor = QuestionEditor(self._appearance, self)
            self.editor.accepted.connect(self._on_accepted)
            self.editor.cancelled.connect(self._end_editing)
            self.editor.height_changed.connect(self.height_changed)
        self.editor.begin(self.entry.text)
        self._show_parts()

    def measure(self, width: int) -> int:
        if self.editor is not None and self._editing:
            return self.editor.sizeHint().height() + ABOVE_QUESTION + BELOW_QUESTION
        self._text.fit(int(width * BUBBLE_SHARE) - BUBBLE_MARGINS.left() - BUBBLE_MARGINS.right())
        return self._above_bubble(width) + self._bubble_size().height() + BELOW_QUESTION

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    def arrange(self) -> None:
        if self.editor is not None and self._editing:
            self.editor.setGeometry(0, ABOVE_QUESTION, self.width(), self.editor.sizeHint().height())
            return
        size = self._bubble_size()
        top = self._above_bubble(self.width())
        self.attached.setGeometry(0, ABOVE_QUESTION, self.width(), max(0, top - ABOVE_QUESTION - BELOW_FILES))
        place = QRect(QPoint(self.width() - size.width(), top), size)
        self.bubble.setGeometry(place)
        self._text.move(BUBBLE_MARGINS.left(), BUBBLE_MARGINS.top())
        right = place.left() - 6
        for part in (self._copy, self.edit_button, self.switcher):
            if not part.isHidden():
                wanted = part.sizeHint()
                corner = QPoint(right - wanted.width(), place.bottom() - wanted.height())
                part.setGeometry(QRect(corner, wanted))
                right = corner.x() - 2

    def refresh(self) -> None:
        self.switcher.show_for(self.entry)
        self.edit_button.setEnabled(self.entry.id > 0)
        if self.attached.show_files(self.entry.attached):
            self.height_changed.emit()
        self.arrange()

    def render_all(self) -> None:
        self._text.show_text(self.entry.text)
        self.refresh()

    def append_text(self, text: str) -> None:
        self.render_all()

    @property
    def _editing(self) -> bool:
        return self.editor is not None and not self.editor.isHidden()

    def _button(self, icon: str, name: str) -> IconButton:
        return IconButton(self._appearance, icon, name, color="text_tertiary", size=15, parent=self)

    def _above_bubble(self, width: int) -> int:
        files = self.attached.height_for(width)
        return ABOVE_QUESTION + (files + BELOW_FILES if files else 0)

    def _bubble_size(self) -> QSize:
        return self._text.sizeHint().grownBy(BUBBLE_MARGINS)

    def _on_accepted(self, text: str) -> None:
        self._end_editing()
        if text != self.entry.text:
            self.edited.emit(self.entry.id, text)

    def _end_editing(self) -> None:
        if self.editor is not None:
            self.editor.hide()
        self._show_parts()

    def _show_parts(self) -> None:
        for part in (self.bubble, self._copy, self.edit_button):
            part.setVisible(not self._editing)
        self.attached.setVisible(not self._editing and bool(self.entry.attached))
        self.switcher.show_for(self.entry)
        if self._editing:
            self.switcher.hide()
        self.height_changed.emit()
