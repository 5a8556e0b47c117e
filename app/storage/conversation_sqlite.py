"""Conversations in ``chats.db``: the default, which outlives the program."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.domain.messages import Message
from app.storage.conversation_store import (
    SESSION_SECONDS,
    Conversation,
    entries_of,
    messages_of,
    metadata_entry,
    metadata_of,
    new_session_id,
    unknown_session,
)
from app.storage.database import Database
from app.storage.rows import clean


class SqliteConversationStore:
    """Conversations in a database of the chats' schema, which stays the caller's to close. Thread-safe."""

    def __init__(
        self,
        database: Database,
        *,
        session_seconds: float | None = SESSION_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._session_seconds = session_seconds
        self._now = now

    def create_session(self, user_id: str, metadata: Mapping[str, Any] | None = None) -> Conversation:
        """Begin a session. Sessions that have expired make room."""
        entry = metadata_entry(metadata)
        with self._database.write() as connection:
            connection.execute("DELETE FROM conversations WHERE expires_at <= ?", (self._now(),))
            return self._made(connection, new_session_id(), user_id, entry)

    def session(self, session_id: str) -> Conversation | None:
        """The session with that id."""
        with self._database.read() as connection:
            return self._live(connection, session_id)

    def load_messages(self, session_id: str) -> list[Message]:
        """Its messages."""
        with self._database.read() as connection:
            if self._live(connection, session_id) is None:
                return []
            rows = connection.execute(
                "SELECT message FROM conversation_messages WHERE conversation_id = ? ORDER BY id", (session_id,)
            ).fetchall()
        return messages_of((row[0] for row in rows), session_id)

    def save_messages(self, session_id: str, messages: Sequence[Message]) -> None:
        """Replace its messages."""
        entries = entries_of(messages)
        with self._database.write() as connection:
            if self._live(connection, session_id) is None:
                connection.execute("DELETE FROM conversations WHERE id = ?", (session_id,))
                self._made(connection, session_id, "", metadata_entry(None))
            connection.execute("DELETE FROM conversation_messages WHERE conversation_id = ?", (session_id,))
            self._add(connection, session_id, entries)

    def add_messages(self, session_id: str, messages: Sequence[Message]) -> int:
        """Add messages."""
        entries = entries_of(messages)
        with self._database.write() as connection:
            found = self._live(connection, session_id)
            if found is None:
                raise unknown_session(session_id)
            self._add(connection, session_id, entries)
        return found.message_count + len(entries)

    def drop_oldest(self, session_id: str, count: int) -> None:
        """Take the first messages out."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM conversation_messages WHERE id IN "
                "(SELECT id FROM conversation_messages WHERE conversation_id = ? ORDER BY id LIMIT ?)",
                (session_id, max(0, count)),
            )

    def clear_session(self, session_id: str) -> None:
        """Take all messages out."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM conversation_messages WHERE conversation_id = ?", (session_id,))

    def extend_session(self, session_id: str) -> bool:
        """Let the session live on."""
        with self._database.write() as connection:
            if self._live(connection, session_id) is None:
                return False
            connection.execute("UPDATE conversations SET expires_at = ? WHERE id = ?", (self._end(), session_id))
            return True

    def user_sessions(self, user_id: str) -> list[str]:
        """The ids of a user's sessions, the one used last first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id FROM conversations WHERE user_id = ? AND (expires_at IS NULL OR expires_at > ?) "
                "ORDER BY last_activity DESC, created_at DESC",
                (clean(user_id), self._now()),
            ).fetchall()
        return [row[0] for row in rows]

    def delete_session(self, session_id: str) -> bool:
        """Delete a session."""
        with self._database.write() as connection:
            known = self._live(connection, session_id) is not None
            connection.execute("DELETE FROM conversations WHERE id = ?", (session_id,))
            return known

    def close(self) -> None:
        """Nothing to let go of: the database is the caller's."""

    def _made(self, connection: sqlite3.Connection, session_id: str, user_id: str, metadata: str) -> Conversation:
        now, end = self._now(), self._end()
        values = (session_id, clean(user_id), now, now, end, metadata)
        connection.execute("INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?)", values)
        return Conversation(session_id, clean(user_id), now, now, end, metadata_of(metadata, session_id))

    def _add(self, connection: sqlite3.Connection, session_id: str, entries: Sequence[str]) -> None:
        connection.executemany(
            "INSERT INTO conversation_messages (conversation_id, message) VALUES (?, ?)",
            [(session_id, entry) for entry in entries],
        )
        connection.execute(
            "UPDATE conversations SET last_activity = ?, expires_at = ? WHERE id = ?",
            (self._now(), self._end(), session_id),
        )

    def _live(self, connection: sqlite3.Connection, session_id: str) -> Conversation | None:
        row = connection.execute(
            "SELECT id, user_id, created_at, last_activity, expires_at, metadata, "
            "(SELECT count(*) FROM conversation_messages WHERE conversation_id = conversations.id) "
            "FROM conversations WHERE id = ? AND (expires_at IS NULL OR expires_at > ?)",
            (session_id, self._now()),
        ).fetchone()
        if row is None:
            return None
        ident, user_id, created_at, last_activity, expires_at, metadata, count = row
        facts = metadata_of(metadata, session_id)
        return Conversation(ident, user_id, created_at, last_activity, expires_at, facts, count)

    def _end(self) -> float | None:
        return None if self._session_seconds is None else self._now() + self._session_seconds
