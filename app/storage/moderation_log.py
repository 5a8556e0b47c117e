"""What the moderation rules decided."""

from __future__ import annotations

import time
from dataclasses import dataclass

from app.storage.database import Database
from app.storage.rows import clean


@dataclass(frozen=True, slots=True)
class ModerationEntry:
    """One decision. ``at`` is a Unix time; ``session_id`` is None where there was no session or it was deleted."""

    id: int
    at: float
    stage: str
    rule: str
    decision: str
    reason: str
    session_id: str | None


class ModerationLog:
    """The log kept in ``chats.db``. It never holds the text that was judged. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, stage: str, rule: str, decision: str, reason: str, session_id: str | None = None) -> None:
        """Note a decision of ``rule`` at ``stage``. A session that is gone is left out."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO moderation_log (at, stage, rule, decision, reason, session_id) "
                "VALUES (?, ?, ?, ?, ?, (SELECT id FROM sessions WHERE id = ?))",
                (time.time(), stage, rule, decision, clean(reason), session_id),
            )

    def entries(self, limit: int = 100) -> list[ModerationEntry]:
        """The newest entries, newest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id, at, stage, rule, decision, reason, session_id FROM moderation_log ORDER BY id DESC LIMIT ?",
                (limit,),
            ).fetchall()
        return [ModerationEntry(*row) for row in rows]
