"""The migration that notes, for each document, the size that its chunks were cut to."""

from __future__ import annotations

from app.storage.migrations import Migration

CHUNKING = Migration(
    "0012_chunking",
    # In tokens of the embedding model; 0 where it is not known.
    ("ALTER TABLE documents ADD COLUMN chunk_tokens INTEGER NOT NULL DEFAULT 0",),
)
