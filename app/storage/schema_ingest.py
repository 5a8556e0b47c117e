"""What ingestion remembers between two runs: its jobs, and files that ended their parser."""

from __future__ import annotations

from app.storage.migrations import Migration

INGEST = Migration(
    "0008_ingest",
    (
        # paths: a JSON list. found_all: every file below the paths is among the documents, so none need be looked for.
        """
        CREATE TABLE ingest_jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            paths TEXT NOT NULL,
            priority INTEGER NOT NULL,
            paused INTEGER NOT NULL,
            found_all INTEGER NOT NULL,
            created_at REAL NOT NULL
        )
        """,
        "ALTER TABLE documents ADD COLUMN job_id INTEGER",
        # How often reading this version of the file ended the process that read it.
        "ALTER TABLE documents ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0",
    ),
)
