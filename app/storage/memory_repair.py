"""Repair of what chats remember, after rows they belong to were lost."""

from __future__ import annotations

import sqlite3
import time

from app.storage.conversation_store import SESSION_SECONDS


def repair_memory(connection: sqlite3.Connection) -> None:
    """Forget summaries and vectors of lost chats, which are derived; give messages of lost conversations one again."""
    for table in ("summaries", "exchange_vectors"):
        connection.execute(f"DELETE FROM {table} WHERE session_id NOT IN (SELECT id FROM sessions)")  # noqa: S608  ours
    now = time.time()
    connection.execute(
        "INSERT INTO conversations SELECT DISTINCT conversation_id, '', ?, ?, ?, '{}' FROM conversation_messages "
        "WHERE conversation_id NOT IN (SELECT id FROM conversations)",
        (now, now, now + SESSION_SECONDS),
    )
