"""Tables of what chats remember: running summaries, and vectors of earlier turns."""

from __future__ import annotations

from app.storage.migrations import Migration

MEMORY = Migration(
    "0008_memory",
    (
        # Both are found again by a hash of the texts they come from: editing or branching a chat makes none of them
        # wrong, only unused. They go with their session.
        """
        CREATE TABLE summaries (
            session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            digest BLOB NOT NULL,
            covered INTEGER NOT NULL,
            text TEXT NOT NULL,
            written_by TEXT NOT NULL,
            at REAL NOT NULL,
            PRIMARY KEY (session_id, digest)
        ) WITHOUT ROWID
        """,
        # vectors: little-endian float16, as many as the turn has pieces.
        """
        CREATE TABLE exchange_vectors (
            session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            digest BLOB NOT NULL,
            model_key TEXT NOT NULL,
            vectors BLOB NOT NULL,
            PRIMARY KEY (session_id, digest, model_key)
        ) WITHOUT ROWID
        """,
        # Chats by their users through the programming interface and the server, with messages of every kind. Times
        # are Unix times; expires_at NULL never comes. message is JSON.
        """
        CREATE TABLE conversations (
            id TEXT PRIMARY KEY,
            user_id TEXT NOT NULL,
            created_at REAL NOT NULL,
            last_activity REAL NOT NULL,
            expires_at REAL,
            metadata TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX conversations_user ON conversations (user_id, last_activity)",
        """
        CREATE TABLE conversation_messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            message TEXT NOT NULL
        )
        """,
        "CREATE INDEX conversation_messages_conversation ON conversation_messages (conversation_id, id)",
    ),
)
