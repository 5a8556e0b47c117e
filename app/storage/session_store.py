"""Chat sessions and their messages."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.citations import AnswerSentence, Citation
from app.domain.errors import BadInputError, StorageError
from app.domain.turn_details import TurnDetails
from app.domain.turns import MessageStatus, SessionRecord, StoredMessage
from app.storage.chats_schema import CHATS_SCHEMA
from app.storage.database import Database
from app.storage.message_rows import (
    MessageRow,
    citation_rows,
    citations_of,
    message_from,
    sentences_to_column,
    timings_to_column,
)
from app.storage.message_search import match_expression, matching_spans, search_text
from app.storage.rows import clean
from app.storage.turn_details_json import details_from_json, details_to_json


def open_chats(path: Path, *, read_only: bool = False) -> Database:
    """Open or create ``chats.db``. Raises ``StorageError`` as ``Database`` does."""
    return Database(path, CHATS_SCHEMA, read_only=read_only)


@dataclass(frozen=True, slots=True)
class MessageHit:
    """A message found by ``SessionStore.search``. ``spans`` are [start, end) offsets in its text to mark."""

    message: StoredMessage
    session_title: str
    spans: tuple[tuple[int, int], ...]


class SessionStore:
    """Sessions and messages of ``chats.db``. Thread-safe.

    A message is on the disk when the method that stores it returns. Methods may raise ``StorageError``; those that
    take an id raise ``BadInputError`` when the session or message is gone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

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

    def sessions(self) -> list[SessionRecord]:
        """All sessions, the one used last first."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM session_records ORDER BY used DESC").fetchall()
        return [SessionRecord(*row[:5]) for row in rows]

    def session(self, session_id: str) -> SessionRecord:
        """The session with that id."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM session_records WHERE id = ?", (session_id,)).fetchone()
        if row is None:
            raise _gone("chat")
        return SessionRecord(*row[:5])

    def rename(self, session_id: str, title: str) -> None:
        """Give a session another title."""
        with self._database.write() as connection:
            changed = connection.execute("UPDATE sessions SET title = ? WHERE id = ?", (clean(title), session_id))
            if not changed.rowcount:
                raise _gone("chat")

    def delete(self, session_id: str) -> None:
        """Delete a session with its messages. One that is gone already is no error."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM sessions WHERE id = ?", (session_id,))

    def messages(self, session_id: str) -> list[StoredMessage]:
        """The messages of a session in the order they were stored; none for a session that is gone."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM message_records WHERE session_id = ? ORDER BY id", (session_id,)
            ).fetchall()
            return _with_citations(connection, rows)

    def message(self, message_id: int) -> StoredMessage:
        """The message with that id."""
        with self._database.read() as connection:
            return _message(connection, message_id)

    def add_message(
        self,
        session_id: str,
        role: str,
        text: str,
        *,
        status: MessageStatus = MessageStatus.COMPLETE,
        model: str = "",
        answered: bool = True,
        error: str = "",
        citations: Sequence[Citation] = (),
        sentences: Sequence[AnswerSentence] = (),
        timings: Mapping[str, float] | None = None,
    ) -> StoredMessage:
        """Store a message at the end of a session; its session becomes the one used last."""
        now = time.time()
        with self._database.write() as connection:
            _use(connection, session_id, now)
            cursor = connection.execute(
                "INSERT INTO messages (session_id, role, text, search_text, status, created_at, model, answered, "
                "error, sentences, timings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    session_id,
                    role,
                    clean(text),
                    search_text(text),
                    status,
                    now,
                    model,
                    answered,
                    clean(error),
                    sentences_to_column(sentences),
                    timings_to_column(timings or {}),
                ),
            )
            message_id = cursor.lastrowid or 0
            _store_citations(connection, message_id, citations)
            return _message(connection, message_id)

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
            message_id,
        )
        with self._database.write() as connection:
            connection.execute(_UPDATE_MESSAGE, values)
            message = _message(connection, message_id)
            if details is not None:
                row = (message_id, details_to_json(details))
                connection.execute("INSERT OR REPLACE INTO turn_details (message_id, details) VALUES (?, ?)", row)
            if citations is None:
                return message
            connection.execute("DELETE FROM citations WHERE message_id = ?", (message_id,))
            _store_citations(connection, message_id, citations)
            return _message(connection, message_id)

    def turn_details(self, message_id: int) -> TurnDetails | None:
        """How an answer came about; None for questions and for answers that ended before anything was noted."""
        with self._database.read() as connection:
            row = connection.execute("SELECT details FROM turn_details WHERE message_id = ?", (message_id,)).fetchone()
        return details_from_json(row[0]) if row else None

    def mark_interrupted(self) -> int:
        """Mark messages that were still streaming when the program ended. Call at start only. Returns how many."""
        with self._database.write() as connection:
            changed = connection.execute("UPDATE messages SET status = 'interrupted' WHERE status = 'streaming'")
            return changed.rowcount

    def search(self, text: str, limit: int = 50) -> list[MessageHit]:
        """Messages that hold all words of ``text`` (the last may be unfinished), newest first.

        Any text may be asked for; one without words finds nothing.
        """
        expression = match_expression(text)
        if expression is None:
            return []
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM message_records WHERE id IN ("
                "SELECT rowid FROM messages_fts WHERE messages_fts MATCH ? ORDER BY rowid DESC LIMIT ?) "
                "ORDER BY id DESC",
                (expression, limit),
            ).fetchall()
            found = _with_citations(connection, rows)
            titles = dict(connection.execute("SELECT id, title FROM sessions"))
        return [MessageHit(each, titles[each.session_id], tuple(matching_spans(each.text, text))) for each in found]

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
        sentences = ifnull(?, sentences), timings = ifnull(?, timings)
    WHERE id = ?
"""


def _use(connection: sqlite3.Connection, session_id: str, now: float) -> None:
    changed = connection.execute(
        "UPDATE sessions SET updated_at = ?, used = (SELECT max(used) + 1 FROM sessions) WHERE id = ?",
        (now, session_id),
    )
    if not changed.rowcount:
        raise _gone("chat")


def _message(connection: sqlite3.Connection, message_id: int) -> StoredMessage:
    rows = connection.execute("SELECT * FROM message_records WHERE id = ?", (message_id,)).fetchall()
    if not rows:
        raise _gone("message")
    return _with_citations(connection, rows)[0]


def _with_citations(connection: sqlite3.Connection, rows: Sequence[MessageRow]) -> list[StoredMessage]:
    citations = citations_of(connection, [row[0] for row in rows])
    return [message_from(row, citations.get(row[0], ())) for row in rows]


def _store_citations(connection: sqlite3.Connection, message_id: int, citations: Sequence[Citation]) -> None:
    connection.executemany(
        "INSERT INTO citations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", citation_rows(message_id, citations)
    )


def _gone(what: str) -> BadInputError:
    return BadInputError(f"This {what} no longer exists; it was deleted.")
