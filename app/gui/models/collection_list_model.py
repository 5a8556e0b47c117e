"""The collections, with a line for all documents above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QMimeData, QObject, Qt, Signal

from app.domain.collections import CollectionRecord
from app.gui.dragging import PATHS_TYPE, paths_of
from app.gui.models.entry_list_model import EntryListModel, Index
from app.gui.wording import counted, shown

ALL = "All documents"


@dataclass(frozen=True, slots=True)
class CollectionEntry:
    """A line: a collection, or all documents where ``record`` is None."""

    record: CollectionRecord | None
    documents: int

    @property
    def name(self) -> str:
        """Its name, harmless."""
        return ALL if self.record is None else shown(self.record.name)

    @property
    def details(self) -> str:
        """What it holds, in full."""
        folders = self.record.folders if self.record is not None else ()
        lines = [f"All of {shown(str(folder))}" for folder in folders]
        return "\n".join([counted(self.documents, "document"), *lines])


class CollectionListModel(EntryListModel):
    """Rows: all documents, then collections by name; no row at all without a collection.

    Signals: ``collections_changed`` when there are others, or they hold others; ``paths_dropped(entry, paths)`` for
    documents and folders of the library that were dropped on a line.
    """

    collections_changed = Signal()
    paths_dropped = Signal(object, list)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[CollectionEntry] = []

    def spoken(self, entry: CollectionEntry) -> str:
        """Its name and how many documents it holds."""
        return f"{entry.name}, {counted(entry.documents, 'document')}"

    def flags(self, index: Index) -> Qt.ItemFlag:
        extra = Qt.ItemFlag.ItemIsDropEnabled if index.isValid() else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | extra

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction

    def mimeTypes(self) -> list[str]:
        return [PATHS_TYPE]

    def dropMimeData(self, data: QMimeData, _action: Qt.DropAction, _row: int, _column: int, parent: Index) -> bool:
        entry, paths = parent.data(self.EntryRole), paths_of(data)
        if entry is None or not paths:
            return False
        self.paths_dropped.emit(entry, paths)
        return True

    @property
    def records(self) -> list[CollectionRecord]:
        """The collections."""
        return [entry.record for entry in self._rows if entry.record is not None]

    def record(self, collection_id: int) -> CollectionRecord | None:
        """A collection; None if it is not (or no longer) there."""
        return next((each for each in self.records if each.id == collection_id), None)

    def row_of(self, collection_id: int | None) -> int:
        """The line of a collection; the first, of all documents, for None and for one that is not there."""
        found = [row for row, entry in enumerate(self._rows) if entry.record and entry.record.id == collection_id]
        return found[0] if found else 0

    def set_records(self, records: Sequence[CollectionRecord], documents: int) -> None:
        """Show these collections, in a library of so many documents."""
        rows = [CollectionEntry(each, each.documents) for each in records]
        if rows:
            rows.insert(0, CollectionEntry(None, documents))
        if rows == self._rows:
            return
        if [_key(each) for each in rows] == [_key(each) for each in self._rows]:
            self._rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
        else:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
        self.collections_changed.emit()


def _key(entry: CollectionEntry) -> int | None:
    return None if entry.record is None else entry.record.id
