"""The folders that the library follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import (
    QMimeData,
    QModelIndex,
    QObject,
    Qt,
    Signal,
)

from app.domain.folders import FolderState, FolderStatus
from app.gui.dragging import PATHS_TYPE, mime_of
from app.gui.models.entry_list_model import EntryListModel, Index
from app.gui.wording import counted, shown, shown_name

STATE_WORDS = {
    FolderState.LIVE: "Followed",
    FolderState.POLLING: "Checked every few seconds",
    FolderState.OFFLINE: "Not reachable; still searchable",
    FolderState.PAUSED: "Paused",
}


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A followed folder as the library panel shows it."""

    status: FolderStatus

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.status.path

    @property
    def name(self) -> str:
        """Its name, harmless."""
        return shown_name(self.status.path)

    @property
    def needs_attention(self) -> bool:
        """Whether changes in it are not taken over now."""
        return self.status.state in (FolderState.OFFLINE, FolderState.PAUSED)

    @property
    def status_line(self) -> str:
        """How it is followed and what it holds, in a few words."""
        return f"{STATE_WORDS[self.status.state]} · {counted(self.status.documents, 'document')}"

    @property
    def details(self) -> str:
        """How it is followed, in full."""
        return shown(self.status.message) or self.status_line


class FolderListModel(EntryListModel):
    """Rows are folders, by path. Signals: ``folders_changed`` when there are others or they stand differently."""

    folders_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[FolderEntry] = []

    def spoken(self, entry: FolderEntry) -> str:
        """That it is a folder, its name and how it is followed."""
        return f"Folder {super().spoken(entry)}"

    def flags(self, index: Index) -> Qt.ItemFlag:
        extra = Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | extra

    def mimeTypes(self) -> list[str]:
        return [PATHS_TYPE]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        entries: list[FolderEntry] = [index.data(self.EntryRole) for index in indexes]
        return mime_of(entry.path for entry in entries)

    @property
    def entries(self) -> Sequence[FolderEntry]:
        """All folders."""
        return list(self._rows)

    def set_statuses(self, statuses: Sequence[FolderStatus]) -> None:
        """Show these folders."""
        entries = [FolderEntry(status) for status in statuses]
        if entries == self._rows:
            return
        if [each.path for each in entries] == [each.path for each in self._rows]:
            self._rows = entries
            self.dataChanged.emit(self.index(0), self.index(len(entries) - 1))
        else:
            self.beginResetModel()
            self._rows = entries
            self.endResetModel()
        self.folders_changed.emit()
