"""The text of an answer on the screen: nothing in it is loaded, nothing in it opens by itself."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Sequence

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QMenu, QTextBrowser, QToolTip, QWidget

from app.domain.citations import AnswerSentence
from app.gui.answer_style import CHIP_RAISE, CHIP_SIZE, FORMULA_OBJECT, QUOTE_PROPERTY, AnswerStyle
from app.gui.answer_writer import IMAGE_CHARACTER, Chip
from app.gui.formula_object import FormulaObject
from app.gui.streamed_answer import StreamedAnswer
from app.gui.support_marks import SupportMark
from app.gui.theme import Appearance
from app.gui.typesetting import Typesetting
from app.gui.visible_blocks import PlacedBlock, blocks_between
from app.gui.widgets.basics import plain_tool_tip
from app.gui.widgets.code_panels import PANEL_MARGIN, CodePanels

FIRST_WIDTH = 600
RELAYING_MILLISECONDS = 40


class AnswerBrowser(QTextBrowser):
    """Shows one answer at its full height.

    Signals: ``footnote_activated(number)``; ``footnote_hovered(number, rectangle)`` in global coordinates and
    ``footnote_left``; ``link_activated(target)`` with the raw target, which may be anything; ``height_changed``.
    """

    footnote_activated = Signal(int)
    footnote_hovered = Signal(int, QRect)
    footnote_left = Signal()
    link_activated = Signal(str)
    height_changed = Signal()

    def __init__(
        self, appearance: Appearance, parent: QWidget | None = None, *, typesetting: Typesetting | None = None
    ) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._typesetting = typesetting or Typesetting()
        self.code_panels = CodePanels(appearance, self._typesetting, self)
        self._chip_metrics = QFontMetricsF(appearance.font)
        self._answer = self._new_answer()
        self._relaying = QTimer(self, singleShot=True, interval=RELAYING_MILLISECONDS)
        self._relaying.timeout.connect(self._lay_formulas_out)
        self._marking = QTimer(self, singleShot=True, interval=0)
        self._marking.timeout.connect(self._mark_more)
        self._hovered: Chip | None = None
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Wrapping at the widget's own width, Qt lays a text out anew at the size of a widget that is not shown yet.
        self.setLineWrapMode(QTextBrowser.LineWrapMode.FixedPixelWidth)
        self.setLineWrapColumnOrWidth(FIRST_WIDTH)
        self.viewport().setMouseTracking(True)
        self.anchorClicked.connect(self._on_anchor_clicked)
        self._typesetting.formulas_ready.connect(self._formulas_soon)

    # -- content ---------------------------------------------------------------------------------------------------

    @property
    def chips(self) -> Sequence[Chip]:
        """The footnote markers, in order."""
        return self._answer.chips

    @property
    def source_text(self) -> str:
        """The Markdown that was shown or appended so far."""
        return self._answer.source_text

    def show_answer(self, text: str, numbers: Container[int], sentences: Sequence[AnswerSentence] = ()) -> None:
        """Show a complete answer in which ``numbers`` are footnotes."""
        self._answer = self._new_answer()
        self._answer.show(text, numbers)
        self._answer.mark_support(sentences)
        self._mark_more()
        self._settle()

    def append_text(self, text: str, numbers: Container[int]) -> None:
        """More text of an answer that is being written."""
        self._answer.append(text, numbers)
        self._settle()

    def mark_footnotes(self, numbers: Container[int]) -> None:
        """More footnotes are known than when the open block was written."""
        self._answer.rewrite_tail(numbers)
        self._settle()

    def finish(self, sentences: Sequence[AnswerSentence] = ()) -> None:
        """The answer is complete."""
        self._answer.finish()
        self._answer.mark_support(sentences)
        self._mark_more()
        self._settle()

    def _mark_more(self) -> None:
        """Underline the next few sentences; the window lives between them, however many there are."""
        if self._answer.mark_more():
            self._marking.start()

    def support_mark_at(self, position: QPoint) -> SupportMark | None:
        """The mark of the sentence under ``position`` in the viewport, None where nothing is marked."""
        at = self.document().documentLayout().hitTest(QPointF(position), Qt.HitTestAccuracy.ExactHit)
        return next((mark for mark in self._answer.marks if mark.start <= at < mark.end), None)

    def unsupported_texts(self) -> list[str]:
        """The sentences that are marked because no passage supports them."""
        return self._answer.unsupported_texts()

    def chip_rectangle(self, chip: Chip) -> QRectF:
        """Where a marker's pill is painted, in the viewport."""
        block = self.document().findBlock(chip.start)
        line = block.layout().lineForTextPosition(chip.start - block.position())
        if not line.isValid():
            return QRectF()
        origin = self.document().documentLayout().blockBoundingRect(block).topLeft()
        left, right = (_x(line.cursorToX(at - block.position())) for at in (chip.start, chip.end))
        metrics = self._chip_metrics
        middle = line.y() + line.ascent() - metrics.height() * CHIP_RAISE / 100 - metrics.capHeight() / 2
        height = metrics.capHeight() + 8
        return QRectF(origin.x() + left + 1, origin.y() + middle - height / 2, right - left - 2, height)

    def _new_answer(self) -> StreamedAnswer:
        style = AnswerStyle(self._appearance)
        font = QFont(style.font)
        font.setPointSizeF(font.pointSizeF() * CHIP_SIZE)
        self._chip_metrics = QFontMetricsF(font)
        answer = StreamedAnswer(self.document(), style)
        handler = FormulaObject(style, self._typesetting, self.document())
        self.document().documentLayout().registerHandler(FORMULA_OBJECT, handler)
        self.code_panels.show(answer, style)
        self._laid_out: set[tuple[int, str]] = set()
        return answer

    def _formulas_soon(self) -> None:
        if any(each.formula is not None for each in self._answer.objects):
            self._relaying.start()

    def _lay_formulas_out(self) -> None:
        """Formulas that have been set by now take the room they need."""
        for each in self._answer.objects:
            place, found = (each.position, each.source), each.formula
            if found is None or place in self._laid_out:
                continue
            if self._typesetting.formula(found.tex, display=found.display) is not None:
                self._laid_out.add(place)
                self.document().markContentsDirty(each.position, 1)
        self._settle()

    # -- size ------------------------------------------------------------------------------------------------------

    def height_for(self, width: int) -> int:
        """The height of the whole text at a width."""
        if self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)
        return math.ceil(self.document().size().height()) + 2

    def sizeHint(self) -> QSize:
        width = max(self.width(), 200)
        return QSize(width, self.height_for(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 10)

    def _settle(self) -> None:
        self.code_panels.colour()
        self.updateGeometry()
        self.height_changed.emit()

    # -- what never happens ----------------------------------------------------------------------------------------

    def loadResource(self, _kind: int, _name: QUrl | str) -> QImage:
        """Nothing is ever loaded, from disk or network. An image, because Qt would ask again after None."""
        empty = QImage(1, 1, QImage.Format.Format_ARGB32)
        empty.fill(Qt.GlobalColor.transparent)
        return empty

    def doSetSource(self, _name: QUrl, _kind: object = None) -> None:  # type: ignore[override]  # never navigates
        """A link never replaces the text."""

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        cursor = self.textCursor()
        text = cursor.selection().toPlainText()
        for each in self._answer.objects:
            if cursor.selectionStart() <= each.position < cursor.selectionEnd():
                text = text.replace(IMAGE_CHARACTER, each.source, 1)
        data.setText(text)
        return data

    def canInsertFromMimeData(self, _source: QMimeData) -> bool:
        return False

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the list of messages scrolls

    # -- links -----------------------------------------------------------------------------------------------------

    def _on_anchor_clicked(self, url: QUrl) -> None:
        kind, _, value = url.toString().partition(":")
        if kind == "footnote" and value.isdecimal():
            self.footnote_activated.emit(int(value))
        elif kind == "link" and value.isdecimal() and int(value) < len(self._answer.links):
            self.link_activated.emit(self._answer.links[int(value)])

    def viewportEvent(self, event: QEvent) -> bool:
        """Say why a sentence is marked, while the pointer rests on it."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            mark = self.support_mark_at(event.pos())
            QToolTip.showText(event.globalPos(), plain_tool_tip(mark.words) if mark is not None else "", self)
            return True
        return super().viewportEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self._chip_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(None)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        copy = menu.addAction("Copy")
        copy.setEnabled(self.textCursor().hasSelection())
        copy.triggered.connect(self.copy)
        menu.addAction("Select all").triggered.connect(self.selectAll)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def _chip_at(self, position: QPoint) -> Chip | None:
        if not self.anchorAt(position).startswith("footnote:"):
            return None
        return next((chip for chip in self.chips if self.chip_rectangle(chip).contains(position)), None)

    def _hover(self, chip: Chip | None) -> None:
        if chip == self._hovered:
            return
        self._hovered = chip
        self.viewport().update()
        if chip is None:
            self.footnote_left.emit()
            return
        rectangle = self.chip_rectangle(chip).toRect()
        self.footnote_hovered.emit(
            chip.number, QRect(self.viewport().mapToGlobal(rectangle.topLeft()), rectangle.size())
        )

    # -- painting --------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        clip = QRectF(event.rect())
        blocks = list(blocks_between(self.document(), clip.top() - PANEL_MARGIN, clip.bottom() + PANEL_MARGIN))
        self.code_panels.paint(painter, clip, blocks)
        for bar in _bars(blocks):
            painter.setBrush(self._appearance.theme.color("border_strong"))
            painter.drawRoundedRect(bar, 1.5, 1.5)
        if blocks:
            self._paint_chips(painter, clip, blocks[0][0].position(), blocks[-1][0].position() + blocks[-1][0].length())
        painter.end()
        super().paintEvent(event)

    def _paint_chips(self, painter: QPainter, clip: QRectF, first: int, end: int) -> None:
        """Paint the markers from the position ``first`` up to ``end``; a long answer has hundreds elsewhere."""
        theme = self._appearance.theme
        hovered = QColor(theme.accent)
        hovered.setAlphaF(0.32)
        begin, stop = (bisect_left(self.chips, position, key=lambda chip: chip.start) for position in (first, end))
        for chip in self.chips[begin:stop]:
            rectangle = self.chip_rectangle(chip)
            if rectangle.intersects(clip):
                painter.setBrush(hovered if chip == self._hovered else theme.color("accent_soft"))
                painter.drawRoundedRect(rectangle, rectangle.height() / 2.6, rectangle.height() / 2.6)


def _bars(blocks: Iterable[PlacedBlock]) -> Iterator[QRectF]:
    """The bars beside quotations."""
    for block, rectangle in blocks:
        if block.blockFormat().hasProperty(QUOTE_PROPERTY):
            yield QRectF(2, rectangle.top(), 3, rectangle.height())


def _x(value: object) -> float:
    """The bindings return the position alone or with the cursor, depending on their version."""
    return float(value[0] if isinstance(value, tuple) else value)  # type: ignore[arg-type]
