"""The outline of the document on show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.gui.reading.blocks import OutlineEntry
from app.gui.wording import shown

Index = QModelIndex | QPersistentModelIndex
INDENT = "\u2003"
DEEPEST = 5


class OutlineModel(QAbstractListModel):
    """Rows are headings, slides, sheets or bookmarks in the order of the document."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[OutlineEntry, ...] = ()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._entries):
            return None
        entry = self._entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return INDENT * min(entry.level, DEEPEST) + (shown(entry.title) or "(no title)")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return shown(entry.title)
        return None

    @property
    def entries(self) -> Sequence[OutlineEntry]:
        """All entries."""
        return self._entries

    def set_entries(self, entries: Sequence[OutlineEntry]) -> None:
        """Show another document's outline."""
        self.beginResetModel()
        self._entries = tuple(entries)
        self.endResetModel()

    def row_at(self, place: int) -> int:
        """The row of the entry that ``place`` stands under, -1 before the first."""
        return max((row for row, entry in enumerate(self._entries) if entry.start <= place), default=-1)
