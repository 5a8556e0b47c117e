"""Chats as trees: every message knows the one it follows, and every chat the end of the branch on show."""

from __future__ import annotations

from app.storage.migrations import Migration

BRANCHES = Migration(
    "0005_branches",
    (
        # A message's parent was stored before it, so it has the smaller id; NULL begins a chat.
        "ALTER TABLE messages ADD COLUMN parent_id INTEGER REFERENCES messages (id)",
        # Which process writes a streaming answer: a name that only a living process holds (see writer_mark.py).
        "ALTER TABLE messages ADD COLUMN writer TEXT NOT NULL DEFAULT ''",
        # A name that is the same on every computer, for messages that came from elsewhere.
        "ALTER TABLE messages ADD COLUMN origin TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE sessions ADD COLUMN leaf_id INTEGER",
        """
        UPDATE messages SET parent_id = (
            SELECT max(before.id) FROM messages AS before
            WHERE before.session_id = messages.session_id AND before.id < messages.id
        )
        """,
        "UPDATE sessions SET leaf_id = (SELECT max(id) FROM messages WHERE session_id = sessions.id)",
        "DROP INDEX messages_session",
        # Holds the tree of a chat: it is read without its messages.
        "CREATE INDEX messages_session ON messages (session_id, id, parent_id)",
        "CREATE INDEX messages_parent ON messages (parent_id)",
        "DROP VIEW message_records",
        """
        CREATE VIEW message_records AS
        SELECT id, session_id, role, text, status, created_at, model, answered, error, sentences, timings, parent_id
        FROM messages
        """,
    ),
)
