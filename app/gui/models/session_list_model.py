"""The sessions, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.domain.turns import SessionRecord
from app.gui.wording import day_group, shown

UNTITLED = "New chat"
Index = QModelIndex | QPersistentModelIndex


class SessionListModel(QAbstractListModel):
    """Rows are sessions that are not hidden. Editing a row asks for a new title; the controller stores it.

    Signals: ``rename_wished(session_id, title)``.
    """

    IdRole = Qt.ItemDataRole.UserRole
    GroupRole = Qt.ItemDataRole.UserRole + 1
    BusyRole = Qt.ItemDataRole.UserRole + 2

    rename_wished = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._records: list[SessionRecord] = []
        self._hidden: dict[str, SessionRecord] = {}
        self._busy: set[str] = set()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._records)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._records):
            return None
        record = self._records[index.row()]
        values: dict[int, Any] = {
            Qt.ItemDataRole.DisplayRole: shown(record.title) or UNTITLED,
            Qt.ItemDataRole.EditRole: shown(record.title),
            Qt.ItemDataRole.AccessibleTextRole: shown(record.title) or UNTITLED,
            self.IdRole: record.id,
            self.BusyRole: record.id in self._busy,
        }
        if role == self.GroupRole:
            return self._group_starting_at(index.row())
        return values.get(role)

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        title = shown(str(value))
        if role != Qt.ItemDataRole.EditRole or not title or not index.isValid():
            return False
        record = self._records[index.row()]
        if title != record.title:
            self.set_title(record.id, title)
            self.rename_wished.emit(record.id, title)
        return True

    @property
    def records(self) -> Sequence[SessionRecord]:
        """The sessions shown, in order."""
        return tuple(self._records)

    def set_sessions(self, records: Sequence[SessionRecord]) -> None:
        """Show these, apart from those that are hidden."""
        self.beginResetModel()
        ordered = sorted(records, key=lambda record: record.updated_at, reverse=True)
        self._records = [record for record in ordered if record.id not in self._hidden]
        self.endResetModel()

    def put_first(self, record: SessionRecord) -> None:
        """Add a session, or move one that is listed, to the top."""
        row = self.row_of(record.id)
        if row == 0:
            self._records[0] = record
        elif row is None:
            self.beginInsertRows(QModelIndex(), 0, 0)
            self._records.insert(0, record)
            self.endInsertRows()
        else:
            self.beginMoveRows(QModelIndex(), row, row, QModelIndex(), 0)
            del self._records[row]
            self._records.insert(0, record)
            self.endMoveRows()
        self._repaint_all()

    def record(self, session_id: str) -> SessionRecord | None:
        """The session of that id, if it is shown."""
        row = self.row_of(session_id)
        return None if row is None else self._records[row]

    def row_of(self, session_id: str) -> int | None:
        """The row of a session, None if it isn't shown."""
        return next((row for row, record in enumerate(self._records) if record.id == session_id), None)

    def set_title(self, session_id: str, title: str) -> None:
        """Change a title on the screen."""
        row = self.row_of(session_id)
        if row is not None:
            self._records[row] = replace(self._records[row], title=title)
            self.dataChanged.emit(self.index(row), self.index(row))

    def set_busy(self, session_id: str, busy: bool) -> None:
        """Mark a session in which an answer is being written."""
        (self._busy.add if busy else self._busy.discard)(session_id)
        row = self.row_of(session_id)
        if row is not None:
            self.dataChanged.emit(self.index(row), self.index(row))

    def hide(self, session_id: str) -> None:
        """Take a session off the list; ``unhide`` brings it back."""
        row = self.row_of(session_id)
        if row is None:
            return
        self.beginRemoveRows(QModelIndex(), row, row)
        self._hidden[session_id] = self._records.pop(row)
        self.endRemoveRows()
        self._repaint_all()

    def unhide(self, session_id: str) -> None:
        """Bring a hidden session back to its place."""
        record = self._hidden.pop(session_id, None)
        if record is not None:
            self.set_sessions([*self._records, record])

    def forget(self, session_id: str) -> None:
        """A hidden session is gone for good."""
        self._hidden.pop(session_id, None)

    def _group_starting_at(self, row: int) -> str:
        group = day_group(self._records[row].updated_at)
        if row and day_group(self._records[row - 1].updated_at) == group:
            return ""
        return group

    def _repaint_all(self) -> None:
        if self._records:
            self.dataChanged.emit(self.index(0), self.index(len(self._records) - 1))
