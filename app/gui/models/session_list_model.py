"""The chats under their headings: pinned, folders, days, archive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.domain.turns import SessionRecord
from app.gui.session_sections import ARCHIVE, Section, sections
from app.gui.wording import counted, shown

UNTITLED = "New chat"
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Row:
    """A heading, or where there is a ``session_id`` a chat under it."""

    section: Section
    session_id: str = ""


class SessionListModel(QAbstractListModel):
    """Rows are headings and chats. Editing a chat asks for a new title; the controller stores it.

    Signals: ``rename_wished(session_id, title)``; ``folded(keys)``: other sections are folded.
    """

    IdRole = Qt.ItemDataRole.UserRole
    SectionRole = Qt.ItemDataRole.UserRole + 1
    BusyRole = Qt.ItemDataRole.UserRole + 2
    TagsRole = Qt.ItemDataRole.UserRole + 3
    CountRole = Qt.ItemDataRole.UserRole + 4
    FoldedRole = Qt.ItemDataRole.UserRole + 5

    rename_wished = Signal(str, str)
    folded = Signal(list)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._records: dict[str, SessionRecord] = {}
        self._rows: list[Row] = []
        self._counts: dict[Section, int] = {}
        self._busy: set[str] = set()
        self._folded: set[str] = {ARCHIVE.key}

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        return self._chat_data(row, role) if row.session_id else self._heading_data(row.section, role)

    def _chat_data(self, row: Row, role: int) -> Any:
        record = self._records.get(row.session_id)
        if record is None:  # asked for while it is being taken away
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return shown(record.title) or UNTITLED
        if role == Qt.ItemDataRole.EditRole:
            return shown(record.title)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            tags = "".join(f", tag {shown(tag)}" for tag in record.tags)
            return f"{shown(record.title) or UNTITLED}{tags}, in {row.section.title}"
        values = {self.IdRole: record.id, self.BusyRole: record.id in self._busy, self.TagsRole: record.tags}
        return values.get(role)

    def _heading_data(self, section: Section, role: int) -> Any:
        is_folded = section.key in self._folded and section.foldable
        if role == Qt.ItemDataRole.AccessibleTextRole:
            state = (", folded" if is_folded else ", unfolded") if section.foldable else ""
            return f"{section.title}, {counted(self._counts.get(section, 0), 'chat')}{state}"
        values = {
            Qt.ItemDataRole.DisplayRole: section.title,
            self.SectionRole: section,
            self.CountRole: self._counts.get(section, 0),
            self.FoldedRole: is_folded,
        }
        return values.get(role)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        row = self._rows[index.row()]
        if not row.session_id:  # the arrow keys stop at headings that can be folded, and pass over the others
            return Qt.ItemFlag.ItemIsEnabled if row.section.foldable else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        title = shown(str(value))
        if role != Qt.ItemDataRole.EditRole or not title or not index.isValid():
            return False
        record = self._records[self._rows[index.row()].session_id]
        if title != record.title:
            self.set_title(record.id, title)
            self.rename_wished.emit(record.id, title)
        return True

    @property
    def records(self) -> Sequence[SessionRecord]:
        """All chats in the order of the list, those in folded sections too."""
        return tuple(record for _, chats in sections(self._records.values()) for record in chats)

    @property
    def folders(self) -> list[str]:
        """The names of the folders, as they are stored."""
        return sorted({each.folder for each in self._records.values() if each.folder}, key=str.casefold)

    def set_sessions(self, records: Iterable[SessionRecord]) -> None:
        """Show these and no others."""
        self.beginResetModel()
        self._records = {record.id: record for record in records}
        self._rows = self._arranged()
        self.endResetModel()

    def put(self, records: Iterable[SessionRecord]) -> None:
        """Add chats, or show what has changed of them."""
        changed = {record.id: record for record in records}
        self._records |= changed
        self._rearrange()
        for session_id in changed:
            row = self.row_of(session_id)
            if row is not None:
                self.dataChanged.emit(self.index(row), self.index(row))

    def put_first(self, record: SessionRecord) -> None:
        """Add a chat that was used just now, or show that it was."""
        self.put([record])

    def remove(self, session_id: str) -> None:
        """Take a chat off the list."""
        if self._records.pop(session_id, None) is not None:
            self._rearrange()

    def record(self, session_id: str) -> SessionRecord | None:
        """The chat of that id, if it is listed."""
        return self._records.get(session_id)

    def row_of(self, session_id: str) -> int | None:
        """The row of a chat, None if it isn't shown."""
        return next((number for number, row in enumerate(self._rows) if row.session_id == session_id), None)

    def neighbour(self, session_id: str) -> str:
        """The chat that is shown below this one, or else above it; "" if there is none."""
        ids = [row.session_id for row in self._rows if row.session_id]
        if session_id not in ids:
            return ids[0] if ids else ""
        place = ids.index(session_id)
        others = [*ids[place + 1 :], *reversed(ids[:place])]
        return others[0] if others else ""

    def set_title(self, session_id: str, title: str) -> None:
        """Change a title on the screen."""
        record = self._records.get(session_id)
        if record is not None:
            self.put([replace(record, title=title)])

    def set_busy(self, session_id: str, busy: bool) -> None:
        """Mark a session in which an answer is being written."""
        (self._busy.add if busy else self._busy.discard)(session_id)
        row = self.row_of(session_id)
        if row is not None:
            self.dataChanged.emit(self.index(row), self.index(row))

    @property
    def folded_keys(self) -> list[str]:
        """The sections that are folded, whether they are there now or not."""
        return sorted(self._folded)

    def set_folded(self, keys: Iterable[str]) -> None:
        """Fold these sections and no others."""
        self._folded = set(keys)
        self._rearrange()

    def toggle(self, section: Section) -> None:
        """Fold a section, or unfold it."""
        if section.foldable:
            self._folded ^= {section.key}
            self._rearrange()
            self.folded.emit(sorted(self._folded))

    def reveal(self, session_id: str) -> None:
        """Unfold the section of a chat."""
        found = next(
            (part for part, chats in sections(self._records.values()) for each in chats if each.id == session_id), None
        )
        if found is not None and found.key in self._folded:
            self.toggle(found)

    def _arranged(self) -> list[Row]:
        """The rows for the chats there are."""
        rows: list[Row] = []
        self._counts = {}
        for section, chats in sections(self._records.values()):
            self._counts[section] = len(chats)
            rows.append(Row(section))
            if not (section.foldable and section.key in self._folded):
                rows.extend(Row(section, record.id) for record in chats)
        return rows

    def _rearrange(self) -> None:
        """Go over to the rows there should be, touching only those between the equal ones at both ends."""
        old, new = self._rows, self._arranged()
        head = 0
        while head < min(len(old), len(new)) and old[head] == new[head]:
            head += 1
        tail = 0
        while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
            tail += 1
        if len(old) - tail > head:
            self.beginRemoveRows(QModelIndex(), head, len(old) - tail - 1)
            self._rows = old[:head] + old[len(old) - tail :]
            self.endRemoveRows()
        if len(new) - tail > head:
            self.beginInsertRows(QModelIndex(), head, len(new) - tail - 1)
            self._rows = new
            self.endInsertRows()
        if new:
            self.dataChanged.emit(self.index(0), self.index(len(new) - 1), [self.CountRole])
