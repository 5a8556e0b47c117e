"""The trash: chats that were deleted, for thirty days."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QDialog, QHBoxLayout, QListView, QMessageBox, QVBoxLayout, QWidget

from app.domain.turns import SessionRecord
from app.gui.models.session_list_model import UNTITLED
from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_label
from app.gui.widgets.dialogs import ask_before
from app.gui.widgets.session_delegates import SEPARATOR, TrashDelegate
from app.gui.wording import counted, shown

Index = QModelIndex | QPersistentModelIndex
DAYS = 30
DAY_SECONDS = 86_400
ABOUT = f"Chats stay here for {DAYS} days, then they are deleted for good. Searches don't find them."


class TrashModel(QAbstractListModel):
    """Rows are deleted chats, the last one first."""

    IdRole = Qt.ItemDataRole.UserRole

    def __init__(self) -> None:
        super().__init__()
        self._records: list[SessionRecord] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._records)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._records):
            return None
        record = self._records[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{shown(record.title) or UNTITLED}{SEPARATOR}{_time_left(record)}"
        return record.id if role == self.IdRole else None

    @property
    def ids(self) -> list[str]:
        """The chats that are listed."""
        return [record.id for record in self._records]

    def show(self, records: Sequence[SessionRecord]) -> None:
        """List these and no others."""
        self.beginResetModel()
        self._records = list(records)
        self.endResetModel()


class TrashDialog(QDialog):
    """Signals: ``restore_wished(ids)``; ``delete_wished(ids)``, after the user was asked."""

    restore_wished = Signal(list)
    delete_wished = Signal(list)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Trash")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(520, 420)
        self.model = TrashModel()
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(TrashDelegate(appearance, self.list))
        self.list.setMouseTracking(True)
        self.list.setAccessibleName("Deleted chats")
        self.list.setUniformItemSizes(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.empty_label = plain_label("The trash is empty.", tone="tertiary")
        self.empty_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty_button = TextButton(appearance, "Empty trash…", on_click=self._ask_to_empty)
        self.delete_button = TextButton(appearance, "Delete for good…", on_click=self._ask_to_delete)
        self.restore_button = TextButton(appearance, "Restore", kind="primary", on_click=self._restore)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.empty_button)
        buttons.addStretch(1)
        buttons.addWidget(self.delete_button)
        buttons.addWidget(self.restore_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 18, 22, 16)
        column.setSpacing(10)
        column.addWidget(plain_label("Trash", scale="title"))
        column.addWidget(plain_label(ABOUT, scale="small", tone="secondary", wrap=True))
        column.addWidget(self.list, 1)
        column.addWidget(self.empty_label, 1)
        column.addLayout(buttons)
        for button in (self.empty_button, self.delete_button, self.restore_button):
            button.setAutoDefault(False)
        self.list.selectionModel().selectionChanged.connect(self._show_state)
        self.list.doubleClicked.connect(lambda _index: self._restore())
        self.show_records([])

    def show_records(self, records: Sequence[SessionRecord]) -> None:
        """List these chats, the first one chosen."""
        self.model.show(records)
        self.list.setVisible(bool(records))
        self.empty_label.setVisible(not records)
        if records:
            self.list.setCurrentIndex(self.model.index(0))
        self._show_state()

    @property
    def chosen(self) -> list[str]:
        """The chats that are selected."""
        rows = sorted(index.row() for index in self.list.selectionModel().selectedRows())
        return [self.model.ids[row] for row in rows]

    def _show_state(self) -> None:
        self.restore_button.setEnabled(bool(self.chosen))
        self.delete_button.setEnabled(bool(self.chosen))
        self.empty_button.setEnabled(bool(self.model.ids))

    def _restore(self) -> None:
        if self.chosen:
            self.restore_wished.emit(self.chosen)

    def _ask_to_delete(self) -> None:
        self.ask(self.chosen)

    def _ask_to_empty(self) -> None:
        self.ask(self.model.ids)

    def ask(self, ids: Sequence[str]) -> QMessageBox:
        """Delete chats for good only if the user says so."""
        question = f"Delete {counted(len(ids), 'chat')} for good?"
        more = "There is no way back. The files that were asked about stay where they are."
        return ask_before(question, more, "Delete", lambda: self.delete_wished.emit(list(ids)), self)


def _time_left(record: SessionRecord) -> str:
    left = DAYS - int((time.time() - (record.deleted_at or 0.0)) // DAY_SECONDS)
    return f"{counted(max(1, left), 'day')} left"
