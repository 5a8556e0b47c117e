"""What the lists beside the chat share: how a line stands there, and how their views behave."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QHelpEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from app.gui.theme import Appearance
from app.gui.widgets.basics import plain_tool_tip

Index = QModelIndex | QPersistentModelIndex
ENTRY_ROLE = Qt.ItemDataRole.UserRole
CORNER = 8


def prepare_list(view: QListView, name: str) -> None:
    """Make a view a list of the panel; ``name`` is what a screen reader calls it."""
    view.setMouseTracking(True)
    view.setUniformItemSizes(True)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    view.setAccessibleName(name)
    view.viewport().setBackgroundRole(QPalette.ColorRole.NoRole)


class ListDelegate(QStyledItemDelegate):
    """What all lists have in common: the ground of a line, and fonts."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self.appearance = appearance

    def caption(self, *, bold: bool = False) -> QFont:
        """The font of small words."""
        font = QFont(self.appearance.font)
        font.setPointSizeF(self.appearance.scale.sizes["caption"])
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font

    def paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, row: QRect) -> None:
        """What tells that a line is chosen, under the pointer, or has the keyboard."""
        theme = self.appearance.theme
        state = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("selected" if selected else "hover"))
            painter.drawRoundedRect(row, CORNER, CORNER)
        self.paint_focus(painter, option, row)

    def paint_focus(self, painter: QPainter, option: QStyleOptionViewItem, row: QRect) -> None:
        """What tells that a line has the keyboard."""
        theme, state = self.appearance.theme, option.state
        if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setPen(theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(row.adjusted(0, 0, -1, -1), CORNER, CORNER)


class EntryDelegate(ListDelegate):
    """Paints lines of ``row_height`` pixels. A list says how by ``paint_entry`` and ``tip``."""

    row_height = 42

    def paint_entry(self, painter: QPainter, row: QRect, entry: Any) -> None:
        """Paint an entry on the ground that is there already."""
        raise NotImplementedError(f"{type(self).__name__} must say how its entries look")

    def tip(self, entry: Any) -> str:
        """All there is to know of an entry, as plain text."""
        raise NotImplementedError(f"{type(self).__name__} must say what its entries are")

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(120, self.row_height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: QRect = option.rect.adjusted(0, 1, 0, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_ground(painter, option, row)
        painter.setPen(Qt.PenStyle.NoPen)
        self.paint_entry(painter, row, index.data(ENTRY_ROLE))
        painter.restore()

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        entry = index.data(ENTRY_ROLE)
        if entry is None:
            return False
        QToolTip.showText(event.globalPos(), plain_tool_tip(self.tip(entry)), view)
        return True

    # -- parts of a line -------------------------------------------------------------------------------------------

    def paint_icon(self, painter: QPainter, left: int, middle: int, name: str, color: str, size: int = 18) -> None:
        """An icon with its middle at a height."""
        pixmap = self.appearance.pixmap(name, color, size, painter.device().devicePixelRatio())
        painter.drawPixmap(left, middle - size // 2, pixmap)

    def paint_two_lines(self, painter: QPainter, place: QRect, name: str, line: str, colors: tuple[str, str]) -> None:
        """A name and, small below it, a line about it; ``colors`` of both."""
        half = place.height() // 2
        painter.setFont(self.appearance.font)
        self.paint_elided(painter, place.adjusted(0, 0, 0, -half), name, colors[0], Qt.TextElideMode.ElideMiddle)
        painter.setFont(self.small_font)
        self.paint_elided(painter, place.adjusted(0, half, 0, 0), line, colors[1])

    def paint_elided(
        self,
        painter: QPainter,
        place: QRect,
        text: str,
        color: str,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        """Text in the painter's font, shortened to its place."""
        painter.setPen(self.appearance.theme.color(color))
        painter.drawText(
            place, Qt.AlignmentFlag.AlignVCenter, painter.fontMetrics().elidedText(text, elide, place.width())
        )

    @property
    def small_font(self) -> QFont:
        """The font of what stands below a name."""
        font = QFont(self.appearance.font)
        font.setPointSizeF(self.appearance.scale.sizes["small"])
        return font
