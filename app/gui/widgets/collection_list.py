"""The collections, in the library panel: shown, filled by dropping on them, changed by their menu."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QListView, QMenu, QVBoxLayout, QWidget

from app.gui.models.collection_list_model import CollectionEntry, CollectionListModel
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, plain_label
from app.gui.widgets.list_delegates import EntryDelegate, prepare_list

MOST_ROWS = 6


class CollectionDelegate(EntryDelegate):
    """An icon, the name, and at the right how many documents it holds."""

    row_height = 32

    def paint_entry(self, painter: QPainter, row: QRect, entry: CollectionEntry) -> None:
        icon = "file" if entry.record is None else "library"
        self.paint_icon(painter, row.left() + 12, row.center().y(), icon, "text_secondary", 17)
        place = row.adjusted(40, 0, -12, 0)
        painter.setFont(self.small_font)
        painter.setPen(self.appearance.theme.color("text_tertiary"))
        count = f"{entry.documents:,}"
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, count)
        place = place.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(count) - 10, 0)
        painter.setFont(self.appearance.font)
        self.paint_elided(painter, place, entry.name, "text")

    def tip(self, entry: CollectionEntry) -> str:
        return f"{entry.name}\n{entry.details}"


class CollectionView(QListView):
    """The lines. Signals: ``delete_key_pressed``, ``rename_key_pressed``."""

    delete_key_pressed = Signal()
    rename_key_pressed = Signal()

    def __init__(self, appearance: Appearance, model: CollectionListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(CollectionDelegate(appearance, self))
        prepare_list(self, "Collections")
        self.setDragDropMode(QAbstractItemView.DragDropMode.DropOnly)
        self.setDropIndicatorShown(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_key_pressed.emit()
        elif event.key() == Qt.Key.Key_F2:
            self.rename_key_pressed.emit()
        else:
            super().keyPressEvent(event)


class CollectionList(QWidget):
    """A heading with a button for a new one, and the collections.

    Signals: ``create_wished``; with a ``CollectionRecord``: ``rename_wished``, ``delete_wished``, ``export_wished``;
    ``chosen(id)`` of the collection to show, None for all documents.
    """

    create_wished = Signal()
    rename_wished = Signal(object)
    delete_wished = Signal(object)
    export_wished = Signal(object)
    chosen = Signal(object)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._shown: int | None = None
        self.model = CollectionListModel(self)
        self.view = CollectionView(appearance, self.model)
        self.add_button = IconButton(appearance, "plus", "New collection", size=16, on_click=self.create_wished.emit)
        head = QHBoxLayout()
        head.setContentsMargins(2, 0, 0, 0)
        head.addWidget(plain_label("Collections", scale="caption", tone="secondary"), 1)
        head.addWidget(self.add_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.view)
        self.view.selectionModel().currentChanged.connect(self._on_current)
        self.view.customContextMenuRequested.connect(self._show_menu)
        self.view.delete_key_pressed.connect(lambda: self._with_current(self.delete_wished))
        self.view.rename_key_pressed.connect(lambda: self._with_current(self.rename_wished))
        self.model.modelReset.connect(self._on_reset)
        self._fit()

    @property
    def shown(self) -> int | None:
        """The id of the collection whose documents are shown; None for all documents."""
        return self._shown

    def choose(self, collection_id: int | None) -> None:
        """Show the documents of a collection."""
        self.view.setCurrentIndex(self.model.index(self.model.row_of(collection_id)))

    def menu_for(self, entry: CollectionEntry) -> QMenu:
        """What can be done with a collection."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, icon, signal in (
            ("Rename…", "rename", self.rename_wished),
            ("Export as a pack…", "external", self.export_wished),
            ("Delete collection", "trash", self.delete_wished),
        ):
            action = menu.addAction(self._appearance.icon(icon, "text_secondary"), text)
            action.triggered.connect(lambda _checked=False, chosen=signal: chosen.emit(entry.record))
        return menu

    def _show_menu(self, position: QPoint) -> None:
        entry = self.view.indexAt(position).data(CollectionListModel.EntryRole)
        if entry is not None and entry.record is not None:
            self.menu_for(entry).popup(self.view.viewport().mapToGlobal(position))

    def _with_current(self, signal: SignalInstance) -> None:
        entry = self.view.currentIndex().data(CollectionListModel.EntryRole)
        if entry is not None and entry.record is not None:
            signal.emit(entry.record)

    def _on_current(self, index: QModelIndex, _before: QModelIndex | None = None) -> None:
        entry = index.data(CollectionListModel.EntryRole)
        if entry is None:
            return
        wanted = entry.record.id if entry.record is not None else None
        if wanted != self._shown:
            self._shown = wanted
            self.chosen.emit(wanted)

    def _on_reset(self) -> None:
        """The lines are others: what was shown stays so if it is still there."""
        self._fit()
        if self.model.rowCount():
            self.choose(self._shown)
        elif self._shown is not None:
            self._shown = None
            self.chosen.emit(None)

    def _fit(self) -> None:
        rows = self.model.rowCount()
        self.view.setVisible(rows > 0)
        self.view.setFixedHeight(min(rows, MOST_ROWS) * CollectionDelegate.row_height + 2 * self.view.frameWidth())
