"""Files attached to one chat: their text, chunks and vectors stand beside the chat and go with it."""

from __future__ import annotations

from app.storage.migrations import Migration

ATTACHMENTS = Migration(
    "0009_attachments",
    (
        # One version of a file in one chat. picture: the file itself where a model may look at it, else NULL.
        """
        CREATE TABLE attachments (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            path NOT NULL,
            file_hash TEXT NOT NULL,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            title TEXT NOT NULL,
            media_type TEXT NOT NULL,
            page_count INTEGER,
            text BLOB NOT NULL,
            picture BLOB,
            added_at REAL NOT NULL,
            UNIQUE (session_id, path, file_hash)
        )
        """,
        # vector: little-endian float16 of the model model_key.
        """
        CREATE TABLE attachment_chunks (
            attachment_id INTEGER NOT NULL REFERENCES attachments (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            start INTEGER NOT NULL,
            "end" INTEGER NOT NULL,
            page INTEGER,
            headings TEXT NOT NULL,
            token_count INTEGER NOT NULL,
            search_text TEXT NOT NULL,
            model_key TEXT NOT NULL,
            vector BLOB NOT NULL,
            PRIMARY KEY (attachment_id, position)
        ) WITHOUT ROWID
        """,
    ),
)
