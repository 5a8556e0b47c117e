"""The chat as a scrolling column of messages, of which only those near the view exist as widgets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QWidget

from app.gui.models.message_list_model import MessageEntry, MessageListModel
from app.gui.widgets.message_widget import MessageWidget

COLUMN_WIDTH = 740
SIDE_MARGIN = 28
TOP_MARGIN = 20
BOTTOM_MARGIN = 28
OVERSCAN = 500
CHARACTERS_PER_LINE = 90
LINE_HEIGHT = 23
MOST_ROUNDS = 60


class MessageListView(QAbstractScrollArea):
    """Shows a ``MessageListModel``.

    Heights are measured when a message first comes near the view and estimated before; the message at the top of the
    view keeps its place when estimates turn out wrong. At the bottom the view follows what is being written.

    Signals: ``at_bottom_changed(at_bottom)``; ``widget_made(widget)`` when a message comes near the view.
    """

    at_bottom_changed = Signal(bool)
    widget_made = Signal(object)

    def __init__(
        self,
        model: MessageListModel,
        make_widget: Callable[[MessageEntry, QWidget], MessageWidget],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._make_widget = make_widget
        self._heights: list[int] = []
        self._measured: list[bool] = []
        self._tops: list[int] = [0]
        self._live: dict[int, MessageWidget] = {}
        self._following = True
        self._arranging = False
        self._overscan = OVERSCAN
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.arrange)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Conversation")
        self.verticalScrollBar().setSingleStep(48)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        model.modelReset.connect(self._on_reset)
        model.rowsInserted.connect(self._on_inserted)
        model.rowsRemoved.connect(self._on_removed)
        model.dataChanged.connect(self._on_changed)
        model.text_appended.connect(self._on_text_appended)
        self._on_reset()

    # -- for others ------------------------------------------------------------------------------------------------

    @property
    def live_count(self) -> int:
        """How many messages exist as widgets."""
        return len(self._live)

    def widget_at(self, row: int) -> MessageWidget | None:
        """The widget of a message, if it is near the view."""
        return self._live.get(row)

    def scroll_to_bottom(self) -> None:
        """Go to the newest message and follow it."""
        self._following = True
        self.arrange()

    def show_message(self, row: int) -> None:
        """Bring a message to the top of the view."""
        self._following = False
        # What is above it is measured on the way there, so its place is known only once it is near.
        for _ in range(MOST_ROUNDS):
            self.verticalScrollBar().setValue(self._tops[row])
            if self.verticalScrollBar().value() in (self._tops[row], self.verticalScrollBar().maximum()):
                break

    # -- layout ----------------------------------------------------------------------------------------------------

    @property
    def column_width(self) -> int:
        """The width of the messages."""
        return max(160, min(COLUMN_WIDTH, self.viewport().width() - 2 * SIDE_MARGIN))

    def arrange(self) -> None:
        """Make, measure and place the messages near the view."""
        if self._arranging:
            return
        self._arranging = True
        self._soon.stop()
        try:
            # Measuring moves what is near the view, so that other messages come near it, which are measured next.
            for _ in range(MOST_ROUNDS):
                if not self._measure_near():
                    break
            self._place()
        finally:
            self._arranging = False

    def _measure_near(self) -> bool:
        anchor, offset = self._anchor()
        changed = False
        for row in self._near_rows():
            height = self._measure(row)
            if height != self._heights[row]:
                self._heights[row] = height
                if not changed:
                    changed, first = True, row
        if changed:
            self._sum_up(first)
        self._update_range()
        bar = self.verticalScrollBar()
        wanted = bar.maximum() if self._following else self._tops[anchor] + offset
        moved = wanted != bar.value()
        bar.setValue(wanted)
        return changed or moved

    def _anchor(self) -> tuple[int, int]:
        """The first row in view and how far its top is above the top of the view."""
        value = self.verticalScrollBar().value()
        row = max(0, min(bisect_right(self._tops, value - TOP_MARGIN) - 1, len(self._heights) - 1))
        return row, value - self._tops[row]

    def _near_rows(self) -> range:
        top = self.verticalScrollBar().value() - TOP_MARGIN
        first = bisect_right(self._tops, top - self._overscan) - 1
        last = bisect_right(self._tops, top + self.viewport().height() + self._overscan)
        return range(max(0, first), min(len(self._heights), last))

    def _measure(self, row: int) -> int:
        widget = self._live.get(row)
        if widget is None:
            widget = self._make_widget(self._model.entry(row), self.viewport())
            widget.height_changed.connect(self._on_height_changed)
            self._live[row] = widget
            self._measured[row] = False
            self.widget_made.emit(widget)
        if not self._measured[row]:
            self._measured[row] = True
            height = widget.measure(self.column_width)
            if height == self._heights[row]:
                widget.arrange()  # the parts may have changed although their sum has not
            return height
        return self._heights[row]

    def _place(self) -> None:
        near = set(self._near_rows())
        for row in [row for row in self._live if row not in near]:
            if not self._live[row].isAncestorOf(QApplication.focusWidget() or self):
                self._drop(row)
        left = max(SIDE_MARGIN, (self.viewport().width() - self.column_width) // 2)
        value = self.verticalScrollBar().value()
        for row, widget in self._live.items():
            place = QRect(left, TOP_MARGIN + self._tops[row] - value, self.column_width, self._heights[row])
            if place.size() == widget.size():
                widget.move(place.topLeft())
            else:
                widget.setGeometry(place)
            widget.show()

    def _drop(self, row: int) -> None:
        widget = self._live.pop(row)
        widget.hide()
        widget.deleteLater()

    def _sum_up(self, first: int = 0) -> None:
        """Tell the places of the messages from ``first`` on anew; those before it stand where they stood."""
        self._tops[first:] = accumulate(self._heights[first:], initial=self._tops[first])

    def _update_range(self) -> None:
        total = TOP_MARGIN + self._tops[-1] + BOTTOM_MARGIN
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, total - self.viewport().height()))

    def _estimate(self, entry: MessageEntry) -> int:
        lines = 1 + len(entry.text) // CHARACTERS_PER_LINE + entry.text.count("\n", 0, 2000)
        return 44 + lines * LINE_HEIGHT + (0 if entry.is_question else 60)

    # -- the model -------------------------------------------------------------------------------------------------

    def _on_reset(self) -> None:
        for row in list(self._live):
            self._drop(row)
        entries = self._model.entries
        self._heights = [self._estimate(entry) for entry in entries]
        self._measured = [False] * len(entries)
        self._sum_up()
        self._following = True
        self._overscan = 0  # what is in view comes first, what is near it a moment later
        self.arrange()
        self._overscan = OVERSCAN
        self._soon.start()

    def _on_inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        new = [self._estimate(self._model.entry(row)) for row in range(first, last + 1)]
        self._heights[first:first] = new
        self._measured[first:first] = [False] * len(new)
        self._live = {row if row < first else row + len(new): widget for row, widget in self._live.items()}
        self._sum_up()
        self._soon.start()

    def _on_removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        for row in range(first, last + 1):
            if row in self._live:
                self._drop(row)
        count = last - first + 1
        del self._heights[first : last + 1]
        del self._measured[first : last + 1]
        self._live = {row if row < first else row - count: widget for row, widget in self._live.items()}
        self._sum_up()
        self._soon.start()

    def _on_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        for row in range(first.row(), last.row() + 1):
            self._measured[row] = False
            widget = self._live.get(row)
            if widget is not None:
                widget.show_entry(self._model.entry(row))
        self._soon.start()

    def _on_text_appended(self, row: int, text: str) -> None:
        self._measured[row] = False
        widget = self._live.get(row)
        if widget is not None:
            widget.append_text(text)
        self._soon.start()

    def _on_height_changed(self) -> None:
        sender = self.sender()
        for row, widget in self._live.items():
            if widget is sender:
                self._measured[row] = False
        self._soon.start()

    # -- scrolling -------------------------------------------------------------------------------------------------

    def _on_scrolled(self, value: int) -> None:
        if self._arranging:
            return
        following = value >= self.verticalScrollBar().maximum() - 4
        if following != self._following:
            self._following = following
            self.at_bottom_changed.emit(following)
        self.arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._measured = [False] * len(self._measured)
        if self._arranging:  # a scroll bar came or went
            self._soon.start()
        self.arrange()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.verticalScrollBar().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        page = max(40, self.viewport().height() - 60)
        steps = {
            Qt.Key.Key_Up: -bar.singleStep(),
            Qt.Key.Key_Down: bar.singleStep(),
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -bar.maximum(),
            Qt.Key.Key_End: bar.maximum(),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            bar.setValue(bar.value() + step)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            return True
        return super().viewportEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Everything is in the messages."""

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        """Messages are moved by ``arrange``."""

    def position_of(self, row: int) -> QPoint:
        """Where a message's top left corner is in the viewport."""
        widget = self._live.get(row)
        return widget.pos() if widget is not None else QPoint(0, TOP_MARGIN + self._tops[row])
