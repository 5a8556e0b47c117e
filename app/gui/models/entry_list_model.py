"""What the models of the lists beside the chat share: rows that are entries with a name."""

from __future__ import annotations

from typing import Any, Protocol

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex


class Entry(Protocol):
    """A row: what it is called, harmless, and what becomes of it in full."""

    @property
    def name(self) -> str: ...
    @property
    def details(self) -> str: ...


class EntryListModel(QAbstractListModel):
    """Rows are entries; ``EntryRole`` gives the entry itself. ``spoken`` is what a screen reader says of one."""

    EntryRole = Qt.ItemDataRole.UserRole

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Any] = []

    def spoken(self, entry: Any) -> str:
        """Its name and what becomes of it."""
        described: Entry = entry
        return f"{described.name}, {described.details}"

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        entry = self._rows[index.row()]
        if role == self.EntryRole:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.name
        return self.spoken(entry) if role == Qt.ItemDataRole.AccessibleTextRole else None
