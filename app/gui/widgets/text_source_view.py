"""The text of a document with a passage marked."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import (
    QFont,
    QKeyEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.gui.sources import TextExtract
from app.gui.theme import Appearance

SMALLEST_SIZE, LARGEST_SIZE = 6.0, 40.0


class TextSourceView(QTextEdit):
    """Read-only plain text; prose in the window's font, code and tables in one of fixed pitch."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._extract = TextExtract("")
        self._zoom = 1.0
        self._matches: list[QTextCursor] = []
        # Until the reader scrolls himself, the passage is kept in view while the panel changes its size.
        self._keeping_passage = False
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setUndoRedoEnabled(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setAccessibleName("Text of the document")
        self.setTabChangesFocus(True)
        self.verticalScrollBar().actionTriggered.connect(self._let_go)
        appearance.changed.connect(self._mark)

    def show_extract(self, extract: TextExtract) -> None:
        """Show a text, its passage marked and in view."""
        self._extract = extract
        self._matches = []
        self._set_font()
        self.setPlainText(extract.text)
        self._set_spacing()
        self._mark()
        self._keeping_passage = True
        self.reveal_passage()

    @property
    def marked_text(self) -> str:
        """The text under the mark."""
        return self.passage_cursor().selectedText().replace("\u2029", "\n")

    def reveal_passage(self) -> None:
        """Bring the passage to the upper third of the view."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(min(self._extract.start, self.document().characterCount() - 1))
        self._reveal(cursor)

    def zoom(self, factor: float) -> None:
        """Larger or smaller text."""
        size = self._appearance.scale.sizes["body"] * self._zoom * factor
        if SMALLEST_SIZE <= size <= LARGEST_SIZE:
            self._zoom *= factor
            self._set_font()

    def reset_zoom(self) -> None:
        """The size the window uses."""
        self._zoom = 1.0
        self._set_font()

    def find_all(self, text: str) -> int:
        """Mark every place where ``text`` stands. Returns how many there are."""
        self._matches = []
        cursor = QTextCursor(self.document())
        while text and len(self._matches) < 2000:
            cursor = self.document().find(text, cursor)
            if cursor.isNull():
                break
            self._matches.append(QTextCursor(cursor))
        self._mark()
        return len(self._matches)

    @property
    def match_count(self) -> int:
        """How many places the last search found."""
        return len(self._matches)

    def show_match(self, number: int) -> None:
        """Bring one of the places found into view."""
        self._let_go()
        if self._matches:
            match = self._matches[number % len(self._matches)]
            self._mark(current=match)
            self._reveal(match)

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(self.textCursor().selection().toPlainText())
        return data

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._keeping_passage:
            self.reveal_passage()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._let_go()
        super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._let_go()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1.1 if event.angleDelta().y() > 0 else 1 / 1.1)
            event.accept()
            return
        super().wheelEvent(event)

    def _let_go(self) -> None:
        self._keeping_passage = False

    def passage_cursor(self) -> QTextCursor:
        """The marked passage."""
        cursor = QTextCursor(self.document())
        last = self.document().characterCount() - 1
        cursor.setPosition(min(self._extract.start, last))
        cursor.setPosition(min(self._extract.end, last), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _set_font(self) -> None:
        size = self._appearance.scale.sizes["body"] * self._zoom
        font = QFont(self._appearance.monospace() if self._extract.fixed_pitch else self._appearance.font)
        font.setPointSizeF(size * (0.94 if self._extract.fixed_pitch else 1.0))
        self.document().setDefaultFont(font)

    def _set_spacing(self) -> None:
        self.document().setDocumentMargin(20)
        spaced = QTextBlockFormat()
        percent = 125 if self._extract.fixed_pitch else 145
        spaced.setLineHeight(percent, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeBlockFormat(spaced)

    def _mark(self, current: QTextCursor | None = None) -> None:
        theme = self._appearance.theme
        marks = [(self.passage_cursor(), theme.color("highlight_text"))]
        marks += [(match, theme.color("selection")) for match in self._matches]
        if current is not None:
            marks.append((current, theme.color("highlight_text")))
        selections = []
        for cursor, color in marks:
            selection = QTextEdit.ExtraSelection()
            form = QTextCharFormat()
            form.setBackground(color)
            form.setForeground(theme.color("text"))
            selection.cursor, selection.format = cursor, form
            selections.append(selection)
        self.setExtraSelections(selections)

    def _reveal(self, cursor: QTextCursor) -> None:
        bar = self.verticalScrollBar()
        inside = self.cursorRect(QTextCursor(cursor)).top()
        bar.setValue(bar.value() + inside - self.viewport().height() // 3)
