"""Chat sessions and their messages."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.domain.chat_transfer import Arrival, ArrivingChat
from app.domain.citations import AnswerSentence, Citation
from app.domain.errors import StorageError
from app.domain.session_choices import SessionChoices
from app.domain.turn_details import TurnDetails
from app.domain.turns import MessageStatus, SessionRecord, StoredMessage
from app.storage.chat_copying import duplicate, origins, take_in
from app.storage.chat_search import MessageHit, search_messages
from app.storage.chats_schema import CHATS_SCHEMA
from app.storage.database import Database
from app.storage.lenient_rows import read_rows
from app.storage.message_reading import gone, read_all, read_branch, read_message, read_path, session_of
from app.storage.message_rows import sentences_to_column, timings_to_column
from app.storage.message_search import search_text
from app.storage.message_tree import read_tree
from app.storage.message_writing import (
    parent_for,
    replace_citations,
    show_leaf,
    store_citations,
    store_details,
    use_session,
)
from app.storage.rows import clean
from app.storage.session_rows import choices_to_column, record_from, tags_to_column
from app.storage.turn_details_json import details_from_json
from app.storage.writer_mark import WriterMark

__all__ = ["MessageHit", "SessionStore", "open_chats"]

INSERT_MESSAGE = (
    "INSERT INTO messages (session_id, parent_id, role, text, search_text, status, created_at, model, answered, "
    "error, sentences, timings, writer) VALUES (:session_id, :parent_id, :role, :text, :search_text, :status, "
    ":created_at, :model, :answered, :error, :sentences, :timings, :writer)"
)


def open_chats(path: Path, *, read_only: bool = False) -> Database:
    """Open or create ``chats.db``. Raises ``StorageError`` as ``Database`` does."""
    return Database(path, CHATS_SCHEMA, read_only=read_only)


class SessionStore:
    """Sessions and messages of ``chats.db``. Thread-safe.

    The messages of a session are a tree: each follows another one, and what follows the same message are alternatives,
    such as two answers to a question. One branch is on show, from the beginning to its leaf.

    A message is on the disk when the method that stores it returns. Methods may raise ``StorageError``; those that
    take an id raise ``BadInputError`` when the session or message is gone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mark = WriterMark(database.path.with_name(f"{database.path.name}.writers"))

    def close(self) -> None:
        """Answers that are still being written from here may be taken for interrupted from now on."""
        self._mark.release()

    def create(self, title: str = "") -> SessionRecord:
        """Begin a session."""
        now = time.time()
        record = SessionRecord(uuid.uuid4().hex, clean(title), now, now)
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO sessions (id, title, created_at, updated_at, used) "
                "VALUES (?, ?, ?, ?, (SELECT ifnull(max(used), 0) + 1 FROM sessions))",
                (record.id, record.title, now, now),
            )
        return record

    def sessions(self, *, trash: bool = False) -> list[SessionRecord]:
        """All sessions outside of the trash, archived ones too, or all in it; the one used last first."""
        with self._database.read() as connection:
            rows = read_rows(
                connection,
                "SELECT * FROM session_records WHERE (deleted_at IS NOT NULL) = ? ORDER BY used DESC",
                (trash,),
            )
        return [record_from(row) for row in rows]

    def session(self, session_id: str) -> SessionRecord:
        """The session with that id, wherever it is."""
        with self._database.read() as connection:
            rows = read_rows(connection, "SELECT * FROM session_records WHERE id = ?", (session_id,))
        if not rows:
            raise gone("chat")
        return record_from(rows[0])

    def rename(self, session_id: str, title: str) -> None:
        """Give a session another title."""
        with self._database.write() as connection:
            changed = connection.execute("UPDATE sessions SET title = ? WHERE id = ?", (clean(title), session_id))
            if not changed.rowcount:
                raise gone("chat")

    def organise(
        self,
        session_ids: Sequence[str],
        *,
        pinned: bool | None = None,
        archived: bool | None = None,
        folder: str | None = None,
        tags: Sequence[str] | None = None,
        choices: SessionChoices | None = None,
    ) -> None:
        """Change the given parts of sessions, in one transaction; those that are gone are left out."""
        values = (
            pinned,
            archived,
            None if folder is None else clean(folder),
            None if tags is None else tags_to_column(tags),
            None if choices is None else choices_to_column(choices),
            _text_list(session_ids),
        )
        with self._database.write() as connection:
            connection.execute(_ORGANISE, values)

    def duplicate(self, session_id: str, title: str) -> SessionRecord:
        """Copy a session with all of its branches, footnotes and details; the copy becomes the one used last."""
        with self._database.write() as connection:
            copy = duplicate(connection, session_id, title)
        return self.session(copy or session_id)

    def take_in(self, chat: ArrivingChat) -> Arrival:
        """Store a session that arrives from elsewhere, or of one that is here what it lacks, in one transaction."""
        with self._database.write() as connection:
            return take_in(connection, chat)

    def origins(self, session_id: str) -> dict[int, str]:
        """The names by which the messages of a session are known on every computer, by id."""
        with self._database.read() as connection:
            return origins(connection, session_id)

    def trash(self, session_ids: Sequence[str]) -> None:
        """Put sessions into the trash, where search doesn't look; those that are gone or there already stay so."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE sessions SET deleted_at = ? WHERE deleted_at IS NULL "
                "AND id IN (SELECT value FROM json_each(?))",
                (time.time(), _text_list(session_ids)),
            )

    def restore(self, session_ids: Sequence[str]) -> None:
        """Take sessions out of the trash, as they were."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE sessions SET deleted_at = NULL WHERE id IN (SELECT value FROM json_each(?))",
                (_text_list(session_ids),),
            )

    def empty_trash(self, before: float) -> int:
        """Delete for good what went into the trash before a Unix time. Returns how many sessions."""
        with self._database.write() as connection:
            return connection.execute("DELETE FROM sessions WHERE deleted_at < ?", (before,)).rowcount

    def delete(self, session_id: str) -> None:
        """Delete a session with its messages for good. One that is gone already is no error."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM sessions WHERE id = ?", (session_id,))

    def messages(self, session_id: str, *, last: int | None = None, before: int | None = None) -> list[StoredMessage]:
        """The branch on show, from its beginning to its leaf; nothing for a session that is gone.

        ``last`` and ``before`` limit it to so many messages, those before another one, for reading in batches.
        """
        with self._database.read() as connection:
            return read_branch(connection, session_id, last, before)

    def all_messages(self, session_id: str) -> list[StoredMessage]:
        """The messages of all branches in the order they were stored; none for a session that is gone."""
        with self._database.read() as connection:
            return read_all(connection, session_id)

    def path_to(self, message_id: int) -> list[StoredMessage]:
        """The messages from the beginning of the session to this one, itself included."""
        with self._database.read() as connection:
            return read_path(connection, message_id)

    def message(self, message_id: int) -> StoredMessage:
        """The message with that id."""
        with self._database.read() as connection:
            return read_message(connection, message_id)

    def siblings(self, message_id: int) -> list[int]:
        """The messages that follow the same one, itself included; none where it has no alternative."""
        return list(self.message(message_id).siblings)

    def show_branch(self, message_id: int) -> None:
        """Put a branch that holds this message on show; of several below it, the one that was written last."""
        with self._database.write() as connection:
            session_id = session_of(connection, message_id)
            show_leaf(connection, session_id, read_tree(connection, session_id).leaf_below(message_id))

    def add_message(
        self,
        session_id: str,
        role: str,
        text: str,
        *,
        parent_id: int | None = None,
        status: MessageStatus = MessageStatus.COMPLETE,
        model: str = "",
        answered: bool = True,
        error: str = "",
        citations: Sequence[Citation] = (),
        sentences: Sequence[AnswerSentence] = (),
        timings: Mapping[str, float] | None = None,
    ) -> StoredMessage:
        """Store a message behind ``parent_id``: None for the end of the branch on show, ``ROOT`` to begin another one.

        It becomes the leaf of the branch on show, and its session the one used last.
        """
        now = time.time()
        with self._database.write() as connection:
            use_session(connection, session_id, now)
            columns = {
                "session_id": session_id,
                "parent_id": parent_for(connection, session_id, parent_id),
                "role": role,
                "text": clean(text),
                "search_text": search_text(text),
                "status": status,
                "created_at": now,
                "model": model,
                "answered": answered,
                "error": clean(error),
                "sentences": sentences_to_column(sentences),
                "timings": timings_to_column(timings or {}),
                "writer": self._writer(status) or "",
            }
            message_id = connection.execute(INSERT_MESSAGE, columns).lastrowid or 0
            show_leaf(connection, session_id, message_id)
            store_citations(connection, message_id, citations)
            return read_message(connection, message_id)

    def update_message(
        self,
        message_id: int,
        *,
        text: str | None = None,
        status: MessageStatus | None = None,
        model: str | None = None,
        answered: bool | None = None,
        error: str | None = None,
        citations: Sequence[Citation] | None = None,
        sentences: Sequence[AnswerSentence] | None = None,
        timings: Mapping[str, float] | None = None,
        details: TurnDetails | None = None,
    ) -> StoredMessage:
        """Change the given parts of a message, in one transaction; citations and details are replaced as a whole."""
        values = (
            None if text is None else clean(text),
            None if text is None else search_text(text),
            status,
            model,
            answered,
            None if error is None else clean(error),
            None if sentences is None else sentences_to_column(sentences),
            None if timings is None else timings_to_column(timings),
            self._writer(status),
            message_id,
        )
        with self._database.write() as connection:
            if not connection.execute(_UPDATE_MESSAGE, values).rowcount:
                raise gone("message")
            if details is not None:
                store_details(connection, message_id, details)
            if citations is not None:
                replace_citations(connection, message_id, citations)
            return read_message(connection, message_id)

    def turn_details(self, message_id: int) -> TurnDetails | None:
        """How an answer came about; None for questions and for answers that ended before anything was noted."""
        with self._database.read() as connection:
            row = connection.execute("SELECT details FROM turn_details WHERE message_id = ?", (message_id,)).fetchone()
        return details_from_json(row[0]) if row else None

    def mark_interrupted(self) -> int:
        """Mark messages that were still streaming when the process that wrote them ended. Returns how many."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT DISTINCT writer FROM messages WHERE status = 'streaming'").fetchall()
        ended = [writer for (writer,) in rows if not self._mark.living(writer)]
        self._mark.tidy()
        if not ended:
            return 0
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE messages SET status = 'interrupted' WHERE status = 'streaming' "
                "AND writer IN (SELECT value FROM json_each(?))",
                (_text_list(ended),),
            )
            return changed.rowcount

    def search(self, text: str, limit: int = 50) -> list[MessageHit]:
        """Messages that hold all words of ``text`` (the last may be unfinished), newest first; trash is left out.

        Any text may be asked for; one without words finds nothing.
        """
        with self._database.read() as connection:
            return search_messages(connection, text, limit)

    def _writer(self, status: MessageStatus | None) -> str | None:
        """Who writes a message of that status; None where nobody does."""
        return self._mark.name() if status is MessageStatus.STREAMING else None

    def integrity(self) -> list[str]:
        """Problems found in the file or its search index; empty when it is sound. Reads everything."""
        problems = self._database.integrity()
        if problems or self._database.read_only:
            return problems
        try:
            with self._database.write() as connection:
                # rank 1 compares the index with the messages themselves (FTS5, "The 'integrity-check' Command").
                connection.execute("INSERT INTO messages_fts (messages_fts, rank) VALUES ('integrity-check', 1)")
        except StorageError as error:
            if getattr(error.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_CORRUPT_VTAB:
                raise
            return ["the search index of the messages does not match them"]
        return []


_UPDATE_MESSAGE = """
    UPDATE messages SET
        text = ifnull(?, text), search_text = ifnull(?, search_text), status = ifnull(?, status),
        model = ifnull(?, model), answered = ifnull(?, answered), error = ifnull(?, error),
        sentences = ifnull(?, sentences), timings = ifnull(?, timings), writer = ifnull(?, writer)
    WHERE id = ?
"""
_ORGANISE = """
    UPDATE sessions SET
        pinned = ifnull(?, pinned), archived = ifnull(?, archived), folder = ifnull(?, folder),
        tags = ifnull(?, tags), choices = ifnull(?, choices)
    WHERE id IN (SELECT value FROM json_each(?))
"""


def _text_list(texts: Sequence[str]) -> str:
    """Texts as JSON, for ``IN (SELECT value FROM json_each(?))``."""
    return json.dumps(list(texts))
