"""The followed folders, in the library panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QHelpEvent, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from app.gui.models.folder_list_model import FolderEntry, FolderListModel
from app.gui.theme import Appearance
from app.gui.widgets.basics import plain_tool_tip
from app.gui.wording import shown

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 42
MOST_ROWS = 3


class FolderDelegate(QStyledItemDelegate):
    """An icon, the name, and a line about how the folder is followed."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(120, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: FolderEntry = index.data(FolderListModel.EntryRole)
        theme = self._appearance.theme
        row: QRect = option.rect.adjusted(0, 1, 0, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            painter.setBrush(theme.color("selected" if option.state & QStyle.StateFlag.State_Selected else "hover"))
            painter.drawRoundedRect(row, 8, 8)
        color = "danger" if entry.needs_attention else "text_secondary"
        icon = "warning" if entry.needs_attention else "folder"
        scale = painter.device().devicePixelRatio()
        top = row.center().y() - 9
        painter.drawPixmap(row.left() + 12, top, self._appearance.pixmap(icon, color, 18, scale))
        self._paint_words(painter, row.adjusted(42, 4, -10, -4), entry)
        painter.restore()

    def _paint_words(self, painter: QPainter, place: QRect, entry: FolderEntry) -> None:
        theme = self._appearance.theme
        half = place.height() // 2
        painter.setFont(self._appearance.font)
        painter.setPen(theme.color("text"))
        name = painter.fontMetrics().elidedText(entry.name, Qt.TextElideMode.ElideMiddle, place.width())
        painter.drawText(place.adjusted(0, 0, 0, -half), Qt.AlignmentFlag.AlignVCenter, name)
        small = QFont(self._appearance.font)
        small.setPointSizeF(self._appearance.scale.sizes["small"])
        painter.setFont(small)
        painter.setPen(theme.color("danger" if entry.needs_attention else "text_tertiary"))
        line = painter.fontMetrics().elidedText(entry.status_line, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place.adjusted(0, half, 0, 0), Qt.AlignmentFlag.AlignVCenter, line)

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        entry = index.data(FolderListModel.EntryRole)
        if entry is None:
            return False
        text = f"{shown(str(entry.path))}\n{entry.details}"
        QToolTip.showText(event.globalPos(), plain_tool_tip(text), view)
        return True


class FolderList(QListView):
    """Hidden without folders. ``extend_menu(menu, paths)`` adds to the menu of a folder. Signals, each with a
    ``FolderEntry``: ``rescan_wished``, ``remove_wished``, ``reveal_wished``.
    """

    rescan_wished = Signal(object)
    remove_wished = Signal(object)
    reveal_wished = Signal(object)

    def __init__(self, appearance: Appearance, model: FolderListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.extend_menu: Callable[[QMenu, Sequence[Path]], None] = lambda menu, paths: None
        self.setModel(model)
        self.setItemDelegate(FolderDelegate(appearance, self))
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setAccessibleName("Followed folders")
        self.viewport().setBackgroundRole(QPalette.ColorRole.NoRole)
        self.customContextMenuRequested.connect(self._show_menu)
        model.folders_changed.connect(self._fit)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        entry = self.currentIndex().data(FolderListModel.EntryRole)
        if event.key() == Qt.Key.Key_Delete and entry is not None:
            self.remove_wished.emit(entry)
            return
        super().keyPressEvent(event)

    def menu_for(self, entry: FolderEntry) -> QMenu:
        """What can be done with a folder."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, icon, signal in (
            ("Rescan", "refresh", self.rescan_wished),
            ("Show in folder", "reveal", self.reveal_wished),
            ("Remove from library", "trash", self.remove_wished),
        ):
            action = menu.addAction(self._appearance.icon(icon, "text_secondary"), text)
            action.triggered.connect(lambda _checked=False, chosen=signal: chosen.emit(entry))
        self.extend_menu(menu, [entry.path])
        return menu

    def _show_menu(self, position: QPoint) -> None:
        entry = self.indexAt(position).data(FolderListModel.EntryRole)
        if entry is not None:
            self.menu_for(entry).popup(self.viewport().mapToGlobal(position))

    def _fit(self) -> None:
        rows = self.model().rowCount()
        self.setVisible(rows > 0)
        self.setFixedHeight(min(rows, MOST_ROWS) * ROW_HEIGHT + 2 * self.frameWidth())
