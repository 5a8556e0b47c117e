"""A list of things to pick from, above the composer or in a pop-up with a field to narrow it down."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.gui.models.suggestion_model import Suggestion, SuggestionModel
from app.gui.theme import Appearance
from app.gui.widgets.basics import plain_label

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 44
MOST_ROWS = 7
WIDTH = 600
NARROW = 420
"""Beside what is being typed, where names are short."""


class PickDelegate(QStyledItemDelegate):
    """Paints a name with what there is to say about it below."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = self._appearance.theme
        row: QRect = option.rect.adjusted(4, 1, -4, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            painter.setPen(Qt.PenStyle.NoPen)
            chosen = option.state & QStyle.StateFlag.State_Selected
            painter.setBrush(theme.color("selected" if chosen else "hover"))
            painter.drawRoundedRect(row, 8, 8)
        icon = self._appearance.icon(str(index.data(SuggestionModel.IconRole)), "text_secondary", 18)
        icon.paint(painter, QRect(row.left() + 10, row.center().y() - 9, 18, 18))
        enabled = bool(index.data(SuggestionModel.EnabledRole))
        place = row.adjusted(38, 4, -10, -4)
        self._write(painter, place, str(index.data()), "text" if enabled else "text_tertiary", top=True)
        self._write(painter, place, str(index.data(SuggestionModel.DetailRole)), "text_tertiary", top=False)
        painter.restore()

    def _write(self, painter: QPainter, place: QRect, text: str, color: str, *, top: bool) -> None:
        font = QFont(self._appearance.font)
        if not top:
            font.setPointSizeF(self._appearance.scale.sizes["small"])
        painter.setFont(font)
        painter.setPen(self._appearance.theme.color(color))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, place.width())
        side = Qt.AlignmentFlag.AlignTop if top else Qt.AlignmentFlag.AlignBottom
        painter.drawText(place, side | Qt.AlignmentFlag.AlignLeft, shown)


class PickList(QFrame):
    """The list, and with ``title`` a field above it. Signals: ``picked(suggestion)``; ``typed_in(text)``: Enter was
    pressed where nothing fits what was typed; ``closed``.
    """

    picked = Signal(object)
    typed_in = Signal(str)
    closed = Signal()

    def __init__(self, appearance: Appearance, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup if title else Qt.WindowType.Widget)
        self.setProperty("card", "floating")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._above: QWidget | None = None
        self.model = SuggestionModel(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(PickDelegate(appearance, self.list))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setAccessibleName(title or "Suggestions")
        self.list.clicked.connect(lambda index: self._pick(index.row()))
        self.field = QLineEdit()
        self._nothing = plain_label("Nothing fits.", scale="small", tone="tertiary")
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(6)
        if title:
            self.field.setPlaceholderText(title)
            self.field.setAccessibleName(title)
            self.field.textChanged.connect(self.narrow)
            self.field.installEventFilter(self)
            column.addWidget(self.field)
        else:
            self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column.addWidget(self.list)
        column.addWidget(self._nothing)
        self.setFixedWidth(WIDTH if title else NARROW)

    def set_suggestions(self, suggestions: Iterable[Suggestion]) -> None:
        """Everything there is to pick from. What was typed and what was chosen stay."""
        current = self.model.suggestion(self.list.currentIndex().row())
        self.model.set_suggestions(suggestions)
        self._fit()
        if current is not None and self.isVisible():
            self._choose(current.value)

    def narrow(self, typed: str) -> None:
        """Show what fits."""
        self.model.narrow(typed)
        self._fit()

    def pop_up(self, above: QWidget) -> None:
        """Show it over a widget, as wide as it is itself, ready to type."""
        self._above = above
        self.field.clear()
        self.narrow("")
        self.show()
        self.field.setFocus()

    def handle(self, event: QKeyEvent) -> bool:
        """Take a key that moves, picks or closes. False for any other."""
        key = event.key()
        if key in {Qt.Key.Key_Down, Qt.Key.Key_Up}:
            self._move(1 if key == Qt.Key.Key_Down else -1)
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab}:
            if not self._pick(self.list.currentIndex().row()):
                self.typed_in.emit(self.field.text().strip())
        elif key == Qt.Key.Key_Escape:
            self.hide()
        else:
            return False
        return True

    def eventFilter(self, _field: QObject, event: QEvent) -> bool:
        return isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress and self.handle(event)

    def hideEvent(self, event: QEvent) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]  # passed on untouched
        self.closed.emit()

    def _choose(self, value: object) -> None:
        for row in range(self.model.rowCount()):
            each = self.model.suggestion(row)
            if each is not None and each.value == value:
                self.list.setCurrentIndex(self.model.index(row))
                return

    def _move(self, step: int) -> None:
        count = self.model.rowCount()
        if count:
            self.list.setCurrentIndex(self.model.index((self.list.currentIndex().row() + step) % count))

    def _pick(self, row: int) -> bool:
        suggestion = self.model.suggestion(row)
        if suggestion is None:
            return False
        self.hide()
        self.picked.emit(suggestion)
        return True

    def _fit(self) -> None:
        count = self.model.rowCount()
        self.list.setFixedHeight(min(MOST_ROWS, max(1, count)) * ROW_HEIGHT + 2)
        self.list.setVisible(count > 0)
        self._nothing.setVisible(count == 0)
        if count:
            self.list.setCurrentIndex(self.model.index(0))
        self.adjustSize()
        if self._above is not None:
            corner = self._above.mapToGlobal(QPoint(0, 0))
            self.move(corner.x(), max(0, corner.y() - self.height() - 6))
