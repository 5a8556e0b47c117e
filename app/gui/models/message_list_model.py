"""The messages of the open session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.domain.citations import AnswerSentence, Citation
from app.domain.feedback import Judgement
from app.domain.turns import MessageStatus, StoredMessage
from app.gui.answer_facts import AnswerFacts
from app.gui.attached_files import AttachedFile
from app.gui.turn_notes import TurnNotes

Index = QModelIndex | QPersistentModelIndex
SCREEN_ONLY = frozenset({"passage_count", "unread_count", "judgement", "facts", "reasoning", "notes", "attached"})


@dataclass(slots=True, eq=False)
class MessageEntry:
    """A message on the screen.

    ``passage_count`` is None until retrieval has answered. ``unread_count`` is how many documents were still being read
    when the answer was written. ``judgement`` is the thumb that the user gave. ``siblings`` are the ids of the
    alternatives at this place, itself included; none if there is only one. ``facts`` are None until they were read.
    ``damage`` says what of the stored message could not be read. ``notes`` tell what happened around it.
    ``attached`` are the files that came with a question.
    """

    id: int
    role: str
    text: str
    status: MessageStatus = MessageStatus.COMPLETE
    model: str = ""
    answered: bool = True
    error: str = ""
    citations: Sequence[Citation] = ()
    sentences: Sequence[AnswerSentence] = ()
    timings: dict[str, float] = field(default_factory=dict)
    passage_count: int | None = None
    unread_count: int = 0
    judgement: Judgement | None = None
    parent_id: int | None = None
    siblings: tuple[int, ...] = ()
    damage: Sequence[str] = ()
    facts: AnswerFacts | None = None
    reasoning: str = ""
    notes: TurnNotes = field(default_factory=TurnNotes)
    attached: Sequence[AttachedFile] = ()

    @classmethod
    def of(cls, message: StoredMessage) -> MessageEntry:
        """The entry for a stored message."""
        return cls(
            message.id,
            message.role,
            message.text,
            message.status,
            message.model,
            message.answered,
            message.error,
            message.citations,
            message.sentences,
            message.timings,
            parent_id=message.parent_id,
            siblings=message.siblings,
            damage=message.damage,
        )

    @property
    def is_question(self) -> bool:
        """Whether the user wrote it."""
        return self.role == "user"

    @property
    def streaming(self) -> bool:
        """Whether it is being written."""
        return self.status is MessageStatus.STREAMING


class MessageListModel(QAbstractListModel):
    """Rows are messages, oldest first.

    Signals: ``text_appended(row, text)`` while an answer is streamed, instead of ``dataChanged``.
    """

    EntryRole = Qt.ItemDataRole.UserRole

    text_appended = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[MessageEntry] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._entries):
            return None
        entry = self._entries[index.row()]
        if role == self.EntryRole:
            return entry
        return entry.text if role == Qt.ItemDataRole.DisplayRole else None

    @property
    def entries(self) -> Sequence[MessageEntry]:
        """All entries, oldest first."""
        return tuple(self._entries)

    def entry(self, row: int) -> MessageEntry:
        """The entry of a row."""
        return self._entries[row]

    def row_of(self, message_id: int) -> int | None:
        """The row of a message. Searched from the end, where the action is."""
        return next((row for row in range(len(self._entries) - 1, -1, -1) if self._entries[row].id == message_id), None)

    def set_messages(self, messages: Sequence[StoredMessage]) -> None:
        """Show the messages of another session; only questions and answers are shown."""
        self.beginResetModel()
        self._entries = _entries(messages)
        self.endResetModel()

    def put_before(self, messages: Sequence[StoredMessage]) -> None:
        """Older messages of the session on the screen have been read."""
        older = _entries(messages)
        if older:
            self.beginInsertRows(QModelIndex(), 0, len(older) - 1)
            self._entries[:0] = older
            self.endInsertRows()

    def show_branch(self, messages: Sequence[StoredMessage]) -> None:
        """Show another branch of the same session. What both have in common stays on the screen as it is."""
        new = _entries(messages)
        common = 0
        while common < min(len(new), len(self._entries)) and new[common].id == self._entries[common].id:
            common += 1
        self.cut(common)
        if new[common:]:
            self.append(*new[common:])

    def cut(self, row: int) -> None:
        """Take the messages from ``row`` on off the screen."""
        if row < len(self._entries):
            self.beginRemoveRows(QModelIndex(), row, len(self._entries) - 1)
            del self._entries[row:]
            self.endRemoveRows()

    def append(self, *entries: MessageEntry) -> None:
        """Add messages at the end."""
        row = len(self._entries)
        self.beginInsertRows(QModelIndex(), row, row + len(entries) - 1)
        self._entries.extend(entries)
        self.endInsertRows()

    def remove(self, message_id: int) -> None:
        """Take a message off the screen."""
        row = self.row_of(message_id)
        if row is not None:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._entries[row]
            self.endRemoveRows()

    def append_text(self, entry: MessageEntry, text: str) -> None:
        """More text of an answer that is being written, whether it is on the screen or not."""
        entry.text += text
        row = self._row(entry)
        if row is not None and text:
            self.text_appended.emit(row, text)

    def update(self, entry: MessageEntry, **values: Any) -> None:
        """Change fields of an entry, whether it is on the screen or not."""
        for name, value in values.items():
            setattr(entry, name, value)
        row = self._row(entry)
        if row is not None:
            self._changed(row)

    def store(self, entry: MessageEntry, message: StoredMessage) -> None:
        """The message was stored: show it as it was."""
        stored = MessageEntry.of(message)
        names = [each.name for each in fields(MessageEntry) if each.name not in SCREEN_ONLY]
        self.update(entry, **{name: getattr(stored, name) for name in names})

    def put_running(self, question: MessageEntry, answer: MessageEntry) -> None:
        """Show a running turn in place of what was stored of it."""
        for entry in (question, answer):
            row = self.row_of(entry.id)
            if row is not None:
                self._entries[row] = entry
                self._changed(row)
            elif self._row(entry) is None:
                self.append(entry)

    def _row(self, entry: MessageEntry) -> int | None:
        return next((row for row in range(len(self._entries) - 1, -1, -1) if self._entries[row] is entry), None)

    def _changed(self, row: int) -> None:
        self.dataChanged.emit(self.index(row), self.index(row), [self.EntryRole])


HIDDEN_ROLES = frozenset({"system", "tool"})  # a role that can't be read is shown


def _entries(messages: Sequence[StoredMessage]) -> list[MessageEntry]:
    return [MessageEntry.of(message) for message in messages if message.role not in HIDDEN_ROLES]
