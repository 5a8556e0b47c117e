"""The table of seals: checksums of what a finished document holds. SQLite itself has none over its pages."""

from __future__ import annotations

from app.storage.migrations import Migration

SEALS = Migration(
    "0011_seals",
    (
        # chunks and vectors hold four bytes for each chunk, in order of the chunks' ids.
        """
        CREATE TABLE seals (
            document_id INTEGER PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
            model_key TEXT NOT NULL,
            head INTEGER NOT NULL,
            sections INTEGER NOT NULL,
            chunks BLOB NOT NULL,
            vectors BLOB NOT NULL
        )
        """,
    ),
)
