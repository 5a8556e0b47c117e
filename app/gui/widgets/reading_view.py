"""A document set for reading, with a passage marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QMimeData, QPoint, QRectF, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QMenu, QTextEdit, QWidget

from app.gui.reading.blocks import Reading
from app.gui.reading.reading_style import NUMBER_PROPERTY, PANEL_PROPERTY, QUOTE_PROPERTY, ReadingStyle
from app.gui.reading.reading_writer import PlaceMap, ReadingWriter
from app.gui.theme import Appearance

SMALLEST_ZOOM, LARGEST_ZOOM = 0.5, 3.5
MOST_MATCHES = 2000
ZOOM_PAUSE_MILLISECONDS = 40
READ_SHARE = 0.3  # of the view's height from its top: there the reader is taken to, and there he is taken to read


class ReadingView(QTextEdit):
    """Read-only, selectable. Nothing in it is loaded, no link in it leads anywhere.

    Signals: ``place_changed(place)``, the offset in the document's text that is being read, while it scrolls.
    """

    place_changed = Signal(int)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._reading = Reading()
        self._style = ReadingStyle(appearance)
        self._places = PlaceMap()
        self._zoom = 1.0
        self._matches: list[QTextCursor] = []
        self._current = -1
        # Until the reader scrolls himself, the passage is kept in view while the panel changes its size.
        self._kept_place: int | None = None
        self._rezoom = QTimer(self, singleShot=True, interval=ZOOM_PAUSE_MILLISECONDS)
        self._rezoom.timeout.connect(self._set_again)
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
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        appearance.changed.connect(self._set_again)

    # -- content ---------------------------------------------------------------------------------------------------

    @property
    def reading(self) -> Reading:
        """What is on show."""
        return self._reading

    def show_reading(self, reading: Reading, place: int | None = None) -> None:
        """Show a document, its passage marked, and ``place`` or else the passage in view."""
        self._reading = reading
        self._kept_place = reading.start if place is None else place
        self._write()

    def clear_reading(self) -> None:
        """Show nothing."""
        self.show_reading(Reading())

    @property
    def marked_text(self) -> str:
        """The text under the mark, a line for each paragraph or cell."""
        texts = (cursor.selectedText() for cursor in self.passage_cursors())
        return "\n".join(text.replace("\u2028", "\n") for text in texts)

    def passage_cursors(self) -> list[QTextCursor]:
        """The marked passage: a selection for each paragraph, cell or run of them."""
        return self._cursors(self._reading.start, self._reading.end)

    def passage_cursor(self) -> QTextCursor:
        """The first selection of the passage."""
        return next(iter(self.passage_cursors()), QTextCursor(self.document()))

    def go_to(self, place: int) -> None:
        """Bring an offset of the document's text, if it is set, to the top of the view."""
        self._let_go()
        self._reveal(self._places.position_of(place), share=0.04)

    # -- find ------------------------------------------------------------------------------------------------------

    def find_all(self, text: str) -> int:
        """Mark every place where ``text`` stands in what is set. Returns how many there are."""
        self._matches, self._current = [], -1
        cursor = QTextCursor(self.document())
        while text and len(self._matches) < MOST_MATCHES:
            cursor = self.document().find(text, cursor)
            if cursor.isNull():
                break
            self._matches.append(QTextCursor(cursor))
        self._mark()
        return len(self._matches)

    def mark_places(self, places: Sequence[tuple[int, int]], current: tuple[int, int] | None) -> None:
        """Mark ``places`` of the document's text, as far as they are set, and bring the current one into view."""
        self._matches, self._current = [], -1
        for start, end in places:
            for cursor in self._cursors(start, end):
                if (start, end) == current:
                    self._current = len(self._matches)
                self._matches.append(cursor)
        self._mark()
        if self._current >= 0:
            self._let_go()
            self._reveal(self._matches[self._current].selectionStart())

    @property
    def match_count(self) -> int:
        """How many places the last search found."""
        return len(self._matches)

    def show_match(self, number: int) -> None:
        """Bring one of the places found into view."""
        self._let_go()
        if self._matches:
            self._current = number % len(self._matches)
            self._mark()
            self._reveal(self._matches[self._current].selectionStart())

    # -- size ------------------------------------------------------------------------------------------------------

    def zoom(self, factor: float) -> None:
        """Larger or smaller text."""
        zoom = max(SMALLEST_ZOOM, min(LARGEST_ZOOM, self._zoom * factor))
        if zoom != self._zoom:
            self._zoom = zoom
            self._rezoom.start()

    def reset_zoom(self) -> None:
        """The size the window uses."""
        self.zoom(1 / self._zoom)

    @property
    def text_size(self) -> float:
        """The size of running text in points."""
        return ReadingStyle(self._appearance, self._zoom).font.pointSizeF()

    def _set_again(self) -> None:
        """Set the same text with other formats; what stands at the top stays there."""
        place = self._kept_place
        if place is None:
            place = self._places.place_of(self.cursorForPosition(self.viewport().rect().topLeft()).position())
        matches = [(cursor.selectionStart(), cursor.selectionEnd()) for cursor in self._matches]
        kept = self._kept_place
        self._kept_place = place
        self._write()
        self._kept_place = kept
        self._matches = [self._cursor(start, end) for start, end in matches]
        self._mark()
        if kept is None:
            self._reveal(self._places.position_of(place), share=0.02)

    def _write(self) -> None:
        self._style = ReadingStyle(self._appearance, self._zoom)
        self._matches, self._current = [], -1
        code = self._reading.is_code
        self.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap if code else QTextEdit.LineWrapMode.WidgetWidth)
        self._places = ReadingWriter(self.document(), self._style).write(self._reading)
        self._mark()
        self.reveal_passage()

    # -- marks -----------------------------------------------------------------------------------------------------

    def reveal_passage(self) -> None:
        """Bring the passage to the upper third of the view."""
        if self._kept_place is not None:
            self._reveal(self._places.position_of(self._kept_place))

    def _cursors(self, start: int, end: int) -> list[QTextCursor]:
        return [self._cursor(first, last) for first, last in self._places.ranges(start, end)]

    def _cursor(self, first: int, last: int) -> QTextCursor:
        cursor = QTextCursor(self.document())
        end = self.document().characterCount() - 1
        cursor.setPosition(min(first, end))
        cursor.setPosition(min(last, end), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _mark(self) -> None:
        theme = self._appearance.theme
        marks = [(cursor, theme.color("highlight_text")) for cursor in self.passage_cursors()]
        marks += [(match, theme.color("selection")) for match in self._matches]
        if 0 <= self._current < len(self._matches):
            marks.append((self._matches[self._current], theme.color("highlight_text")))
        selections = []
        for cursor, color in marks:
            selection = QTextEdit.ExtraSelection()
            form = QTextCharFormat()
            form.setBackground(color)
            if theme.dark or not self._reading.is_code:
                form.setForeground(theme.color("text"))
            selection.cursor, selection.format = cursor, form
            selections.append(selection)
        self.setExtraSelections(selections)

    def _reveal(self, position: int, share: float = READ_SHARE) -> None:
        bar = self.verticalScrollBar()
        cursor = self._cursor(position, position)
        bar.setValue(bar.value() + self.cursorRect(cursor).top() - round(self.viewport().height() * share))

    def _let_go(self) -> None:
        self._kept_place = None

    def _on_scrolled(self) -> None:
        read = self.cursorForPosition(QPoint(0, round(self.viewport().height() * READ_SHARE)))
        self.place_changed.emit(self._places.place_of(read.position()))

    # -- events ----------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
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

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        copy = menu.addAction("Copy")
        copy.setEnabled(self.textCursor().hasSelection())
        copy.triggered.connect(self.copy)
        menu.addAction("Select all").triggered.connect(self.selectAll)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(self.textCursor().selection().toPlainText())
        return data

    def loadResource(self, _kind: int, _name: QUrl | str) -> QImage:
        """Nothing is ever loaded. An image, because Qt would ask again after None."""
        empty = QImage(1, 1, QImage.Format.Format_ARGB32)
        empty.fill(Qt.GlobalColor.transparent)
        return empty

    # -- painting --------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        blocks = list(self._visible_blocks(QRectF(event.rect())))
        self._paint_panels(painter, blocks)
        self._paint_numbers(painter, blocks)
        painter.end()
        super().paintEvent(event)

    def _visible_blocks(self, clip: QRectF) -> Iterator[tuple[QTextBlock, QRectF]]:
        layout = self.document().documentLayout()
        offset = self.verticalScrollBar().value()
        block = self.cursorForPosition(clip.topLeft().toPoint()).block()
        if block.previous().isValid():
            block = block.previous()
        while block.isValid():
            rectangle = layout.blockBoundingRect(block).translated(0, -offset)
            if rectangle.top() > clip.bottom():
                return
            yield block, rectangle
            block = block.next()

    def _paint_panels(self, painter: QPainter, blocks: Sequence[tuple[QTextBlock, QRectF]]) -> None:
        theme = self._appearance.theme
        painter.setBrush(theme.color("code"))
        for panel in self._panels(blocks):
            painter.drawRoundedRect(panel, 4, 4)
        painter.setBrush(theme.color("border_strong"))
        for block, rectangle in blocks:
            if block.blockFormat().hasProperty(QUOTE_PROPERTY):
                painter.drawRoundedRect(QRectF(22, rectangle.top() + 6, 3, rectangle.height() - 6), 1.5, 1.5)

    def _panels(self, blocks: Sequence[tuple[QTextBlock, QRectF]]) -> Iterator[QRectF]:
        """The ground of each run of code: one piece, however Qt rounds the heights of its lines."""
        left = 20 - self.horizontalScrollBar().value()
        width = max(float(self.viewport().width()), self.document().size().width()) - 40
        panel: QRectF | None = None
        for block, rectangle in blocks:
            form = block.blockFormat()
            if not form.hasProperty(PANEL_PROPERTY):
                continue
            first, last = form.topMargin() > 0, form.bottomMargin() > 0
            top = rectangle.top() + max(0.0, form.topMargin() - 12) if first or panel is None else panel.top()
            bottom = rectangle.bottom() - (4 if last else 0)
            panel = QRectF(left, top, width, bottom - top)
            if last:
                yield panel
                panel = None
        if panel is not None:  # it goes on below what is painted now
            yield panel.adjusted(0, 0, 0, 8)

    def _paint_numbers(self, painter: QPainter, blocks: Sequence[tuple[QTextBlock, QRectF]]) -> None:
        painter.setPen(self._appearance.theme.color("text_tertiary"))
        painter.setFont(self._style.code_font)
        width, left = self._style.number_width, 16 - self.horizontalScrollBar().value()
        for block, rectangle in blocks:
            number = block.blockFormat().intProperty(NUMBER_PROPERTY)
            if number:
                line = block.layout().lineAt(0)
                place = QRectF(left, rectangle.top() + line.y(), width - 4, line.height())
                painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, str(number))
