"""The list of chats and the list of what a search over them found."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPalette
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from app.gui.models.chat_hit_model import ChatHitModel
from app.gui.models.session_list_model import SessionListModel
from app.gui.theme import Appearance
from app.gui.widgets.session_delegates import HitDelegate, SessionDelegate


class _PlainList(QListView):
    """One line under the other, all of one height: long lists are not measured line by line."""

    def __init__(self, name: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(name)
        self.viewport().setBackgroundRole(QPalette.ColorRole.NoRole)


class SessionList(_PlainList):
    """The chats. Signals: ``delete_key_pressed``; ``typed(text)``: letters, which are meant for a question."""

    delete_key_pressed = Signal()
    typed = Signal(str)

    def __init__(self, appearance: Appearance, model: SessionListModel, parent: QWidget | None = None) -> None:
        super().__init__("Chats", parent)
        self._sessions = model
        self.setModel(model)
        self.setItemDelegate(SessionDelegate(appearance, self))
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_key_pressed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._fold(self.currentIndex()):
            event.accept()
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        if search.strip():
            self.typed.emit(search)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if event.button() is Qt.MouseButton.LeftButton and self._fold(index):
            return
        super().mouseReleaseEvent(event)

    def _fold(self, index: QModelIndex) -> bool:
        section = index.data(SessionListModel.SectionRole) if index.isValid() else None
        if section is None or not section.foldable:
            return False
        self._sessions.toggle(section)
        return True


class HitList(_PlainList):
    """What was found. Signals: ``chosen(index)`` by click or Return."""

    chosen = Signal(QModelIndex)

    def __init__(self, appearance: Appearance, model: ChatHitModel, parent: QWidget | None = None) -> None:
        super().__init__("Search results", parent)
        self.setModel(model)
        self.setItemDelegate(HitDelegate(appearance, self))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.clicked.connect(self.chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex())
            return
        super().keyPressEvent(event)
