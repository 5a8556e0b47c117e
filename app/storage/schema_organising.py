"""What keeps many chats in order: pins, archive, trash, folders, tags, and the choices made in a chat."""

from __future__ import annotations

from app.storage.migrations import Migration

ORGANISING = Migration(
    "0006_organising",
    (
        "ALTER TABLE sessions ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE sessions ADD COLUMN archived INTEGER NOT NULL DEFAULT 0",
        # When it went into the trash, as a Unix time; NULL for a chat that is not there.
        "ALTER TABLE sessions ADD COLUMN deleted_at REAL",
        "ALTER TABLE sessions ADD COLUMN folder TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE sessions ADD COLUMN tags TEXT NOT NULL DEFAULT ''",
        # JSON of SessionChoices; nothing for a chat without choices of its own.
        "ALTER TABLE sessions ADD COLUMN choices TEXT NOT NULL DEFAULT ''",
        "DROP VIEW session_records",
        # The columns of a SessionRecord, in its order; used, by which chats are sorted, comes last.
        """
        CREATE VIEW session_records AS
        SELECT id, title, created_at, updated_at,
            (SELECT count(*) FROM messages WHERE session_id = sessions.id) AS message_count,
            pinned, archived, deleted_at, folder, tags, choices, used
        FROM sessions
        """,
    ),
)
