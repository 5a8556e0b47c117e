"""What the user judged and opened, as examples for measuring search."""

from __future__ import annotations

from app.storage.migrations import Migration

FEEDBACK = Migration(
    "0004_feedback",
    (
        # One row for each cited place that was judged or opened; number 0 stands for an answer without footnotes.
        # Rows go with their message, and so with its session. Places are snapshots, as citations are.
        """
        CREATE TABLE feedback (
            message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            judgement TEXT NOT NULL,
            question TEXT NOT NULL,
            path NOT NULL,
            file_hash TEXT NOT NULL,
            page INTEGER,
            start INTEGER NOT NULL,
            "end" INTEGER NOT NULL,
            quote TEXT NOT NULL,
            at REAL NOT NULL,
            PRIMARY KEY (message_id, number, judgement)
        ) WITHOUT ROWID
        """,
    ),
)
