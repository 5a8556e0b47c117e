"""How answers came about: large, and read only when someone asks."""

from __future__ import annotations

from app.storage.migrations import Migration

TURN_DETAILS = Migration(
    "0007_turn_details",
    (
        # details is the JSON of a TurnDetails. A table of its own, so that reading a chat doesn't read it.
        """
        CREATE TABLE turn_details (
            message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
            details TEXT NOT NULL
        )
        """,
    ),
)
