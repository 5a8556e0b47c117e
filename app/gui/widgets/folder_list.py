"""The followed folders, in the library panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QListView, QMenu, QWidget

from app.gui.models.folder_list_model import FolderEntry, FolderListModel
from app.gui.theme import Appearance
from app.gui.widgets.list_delegates import EntryDelegate, prepare_list
from app.gui.wording import shown

MOST_ROWS = 3


class FolderDelegate(EntryDelegate):
    """An icon, the name, and a line about how the folder is followed."""

    def paint_entry(self, painter: QPainter, row: QRect, entry: FolderEntry) -> None:
        icon, color = ("warning", "danger") if entry.needs_attention else ("folder", "text_secondary")
        self.paint_icon(painter, row.left() + 12, row.center().y(), icon, color)
        colors = ("text", "danger" if entry.needs_attention else "text_tertiary")
        self.paint_two_lines(painter, row.adjusted(42, 4, -10, -4), entry.name, entry.status_line, colors)

    def tip(self, entry: FolderEntry) -> str:
        return f"{shown(str(entry.path))}\n{entry.details}"


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
        prepare_list(self, "Followed folders")
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
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
        self.setFixedHeight(min(rows, MOST_ROWS) * FolderDelegate.row_height + 2 * self.frameWidth())
