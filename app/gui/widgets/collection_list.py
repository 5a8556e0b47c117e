"""The collections, in the library panel: shown, filled by dropping on them, changed by their menu."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QFont, QHelpEvent, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from app.gui.models.collection_list_model import CollectionEntry, CollectionListModel
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, plain_label, plain_tool_tip

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 32
MOST_ROWS = 6


class CollectionDelegate(QStyledItemDelegate):
    """An icon, the name, and at the right how many documents it holds."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(120, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: CollectionEntry = index.data(CollectionListModel.EntryRole)
        theme = self._appearance.theme
        row: QRect = option.rect.adjusted(0, 1, 0, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        selected = option.state & QStyle.StateFlag.State_Selected
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(theme.color("selected" if selected else "hover"))
            painter.drawRoundedRect(row, 8, 8)
        icon = "file" if entry.record is None else "library"
        scale = painter.device().devicePixelRatio()
        top = row.center().y() - 8
        painter.drawPixmap(row.left() + 12, top, self._appearance.pixmap(icon, "text_secondary", 17, scale))
        self._paint_words(painter, row.adjusted(40, 0, -12, 0), entry)
        painter.restore()

    def _paint_words(self, painter: QPainter, place: QRect, entry: CollectionEntry) -> None:
        theme = self._appearance.theme
        small = QFont(self._appearance.font)
        small.setPointSizeF(self._appearance.scale.sizes["small"])
        painter.setFont(small)
        painter.setPen(theme.color("text_tertiary"))
        count = f"{entry.documents:,}"
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, count)
        place = place.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(count) - 10, 0)
        painter.setFont(self._appearance.font)
        painter.setPen(theme.color("text"))
        name = painter.fontMetrics().elidedText(entry.name, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, name)

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        entry = index.data(CollectionListModel.EntryRole)
        if entry is None:
            return False
        QToolTip.showText(event.globalPos(), plain_tool_tip(f"{entry.name}\n{entry.details}"), view)
        return True


class CollectionView(QListView):
    """The lines. Signals: ``delete_key_pressed``, ``rename_key_pressed``."""

    delete_key_pressed = Signal()
    rename_key_pressed = Signal()

    def __init__(self, appearance: Appearance, model: CollectionListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(CollectionDelegate(appearance, self))
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DropOnly)
        self.setDropIndicatorShown(True)
        self.setAccessibleName("Collections")
        self.viewport().setBackgroundRole(QPalette.ColorRole.NoRole)

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
        self.view.setFixedHeight(min(rows, MOST_ROWS) * ROW_HEIGHT + 2 * self.view.frameWidth())
