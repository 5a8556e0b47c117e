"""The documents of the library, filtered by name and by state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import (
    QMimeData,
    QModelIndex,
    QObject,
    Qt,
    Signal,
)

from app.domain.documents import DocumentRecord, DocumentState
from app.domain.errors import FailureReason
from app.domain.ingestion import FileOutcome
from app.gui.dragging import PATHS_TYPE, mime_of
from app.gui.models.entry_list_model import EntryListModel, Index
from app.gui.wording import counted, shown, shown_folder, shown_name

WAITING_STATES = frozenset({DocumentState.QUEUED, DocumentState.PARSING, DocumentState.EMBEDDING})
STATE_WORDS = {
    DocumentState.QUEUED: "Waiting",
    DocumentState.PARSING: "Reading…",
    DocumentState.EMBEDDING: "Indexing…",
    DocumentState.OFFLINE: "Its drive is not connected; still searchable",
    DocumentState.EXCLUDED: "Left out",
}
REASON_WORDS = {
    FailureReason.ENCRYPTED: "Protected with a password",
    FailureReason.DAMAGED: "Damaged or incomplete",
    FailureReason.EMPTY: "Empty",
    FailureReason.NO_TEXT: "Holds no text, perhaps a scan",
    FailureReason.BINARY: "Not a text file",
    FailureReason.UNSUPPORTED: "Files of this kind can't be read",
    FailureReason.TOO_LARGE: "Too large",
    FailureReason.NO_PERMISSION: "No permission to read it",
    FailureReason.NOT_FOUND: "No longer there",
    FailureReason.TIMEOUT: "Took too long to read",
    FailureReason.OUT_OF_MEMORY: "Needs too much memory",
    FailureReason.CRASHED: "Could not be read",
}


@dataclass(slots=True, eq=False)
class DocumentEntry:
    """A file as the library panel shows it. ``id`` is None for a path that could not become a document."""

    path: Path
    state: DocumentState
    id: int | None = None
    title: str = ""
    media_type: str = ""
    pages: int | None = None
    chunks: int = 0
    reason: FailureReason | None = None
    problem: str = ""
    warning: str = ""

    @classmethod
    def of_record(cls, record: DocumentRecord) -> DocumentEntry:
        """The entry of a stored document."""
        return cls(
            record.path,
            record.state,
            record.id,
            record.title,
            record.media_type,
            record.page_count,
            record.chunk_count,
            record.reason,
            record.message,
            record.warning,
        )

    @classmethod
    def of_outcome(cls, outcome: FileOutcome) -> DocumentEntry:
        """The entry of a file that has just been worked on."""
        return cls(
            outcome.path,
            outcome.state,
            outcome.document_id,
            pages=outcome.pages,
            chunks=outcome.chunks,
            reason=outcome.reason,
            problem=outcome.error,
            warning=outcome.warning,
        )

    @property
    def failed(self) -> bool:
        """Whether it could not be read."""
        return self.state is DocumentState.FAILED

    @property
    def can_open(self) -> bool:
        """Whether the viewer has something to show."""
        return self.id is not None and not self.failed

    @property
    def name(self) -> str:
        """The file's name, harmless."""
        return shown_name(self.path)

    @property
    def status_line(self) -> str:
        """What became of it, in a few words."""
        if self.failed:
            return REASON_WORDS[self.reason or FailureReason.CRASHED]
        if self.state is not DocumentState.READY:
            return STATE_WORDS[self.state]
        parts = [counted(self.pages, "page")] if self.pages else []
        parts.append(counted(self.chunks, "passage"))
        return " · ".join([*parts, "incomplete"] if self.warning else parts)

    @property
    def details(self) -> str:
        """What became of it, in full."""
        if self.failed and self.problem:
            return shown(self.problem)
        return f"{self.status_line}. {shown(self.warning)}" if self.warning else self.status_line


class DocumentListModel(EntryListModel):
    """Rows are the entries that pass the filter, by name.

    Signals: ``counts_changed`` when the numbers of all, failed or waiting documents may have changed.
    """

    counts_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: dict[Path, DocumentEntry] = {}
        self._rows: list[DocumentEntry] = []
        self._filter = ""
        self._problems_only = False
        self._members: frozenset[int] | None = None

    def flags(self, index: Index) -> Qt.ItemFlag:
        extra = Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | extra

    def mimeTypes(self) -> list[str]:
        return [PATHS_TYPE]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        entries: list[DocumentEntry] = [index.data(self.EntryRole) for index in indexes]
        return mime_of(entry.path for entry in entries if entry.id is not None)

    @property
    def members(self) -> frozenset[int] | None:
        """The documents that the list is limited to, by id; None where it is not."""
        return self._members

    @property
    def entries(self) -> Sequence[DocumentEntry]:
        """Everything known, in no order."""
        return list(self._entries.values())

    def count(self, *states: DocumentState) -> int:
        """How many documents are in these states; all of them without any."""
        return sum(not states or entry.state in states for entry in self.entries)

    @property
    def passage_count(self) -> int:
        """How many passages can be searched."""
        return sum(entry.chunks for entry in self.entries if entry.state is DocumentState.READY)

    def entry(self, path: Path) -> DocumentEntry | None:
        """What is known about a file."""
        return self._entries.get(path)

    def set_records(self, records: Sequence[DocumentRecord]) -> None:
        """Show what the library holds, and still the problems of paths that it doesn't hold."""
        strays = {path: entry for path, entry in self._entries.items() if entry.id is None and entry.failed}
        self._entries = strays | {record.path: DocumentEntry.of_record(record) for record in records}
        self._arrange()

    def put(self, entries: Iterable[DocumentEntry]) -> None:
        """Add entries or replace those of the same paths."""
        added = False
        for entry in entries:
            known = self._entries.get(entry.path)
            self._entries[entry.path] = entry
            if known is None:
                added = True
                continue
            entry.title, entry.media_type = entry.title or known.title, entry.media_type or known.media_type
            if known in self._rows:
                row = self._rows.index(known)
                self._rows[row] = entry
                self.dataChanged.emit(self.index(row), self.index(row))
        if added or self._problems_only:
            self._arrange()
        self.counts_changed.emit()

    def drop(self, path: Path) -> None:
        """Forget a file."""
        self._entries.pop(path, None)
        self._arrange()

    def set_filter(self, text: str) -> None:
        """Show only files whose name or folder holds ``text``."""
        self._filter = text.casefold().strip()
        self._arrange()

    def set_problems_only(self, problems_only: bool) -> None:
        """Show only files that could not be read."""
        self._problems_only = problems_only
        self._arrange()

    def set_members(self, members: frozenset[int] | None) -> None:
        """Show only these documents, by id; all of them for None."""
        if members != self._members:
            self._members = members
            self._arrange()

    def _passes(self, entry: DocumentEntry) -> bool:
        if self._members is not None and entry.id not in self._members:
            return False
        if self._problems_only and not entry.failed:
            return False
        return not self._filter or self._filter in f"{entry.name} {shown_folder(entry.path)}".casefold()

    def _arrange(self) -> None:
        self.beginResetModel()
        passing = [entry for entry in self._entries.values() if self._passes(entry)]
        self._rows = sorted(passing, key=lambda entry: (entry.name.casefold(), str(entry.path)))
        self.endResetModel()
        self.counts_changed.emit()
