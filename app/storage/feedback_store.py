"""Judgements of answers and opened footnotes."""

from __future__ import annotations

import sqlite3
import time

from app.domain.errors import BadInputError
from app.domain.feedback import FeedbackExample, Judgement
from app.storage.database import Database
from app.storage.rows import path_from_column

THUMBS = (Judgement.UP, Judgement.DOWN)
_COLUMNS = 'message_id, number, judgement, question, path, file_hash, page, start, "end", quote, at'
# The question of an answer is the last one before it in its session.
_QUESTION = """
    (SELECT text FROM messages AS asked WHERE asked.session_id = answers.session_id AND asked.role = 'user'
     AND asked.id < answers.id ORDER BY asked.id DESC LIMIT 1)
"""

_IN_TRASH = "SELECT messages.id FROM messages JOIN sessions ON sessions.id = session_id WHERE deleted_at IS NOT NULL"


class FeedbackStore:
    """The examples kept in ``chats.db``; those of a session go with it. Thread-safe. May raise ``StorageError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def judge(self, message_id: int, judgement: Judgement | None) -> None:
        """Thumbs up or down on an answer, with the places it cites; None takes it back.

        Raises ``BadInputError`` if the answer is gone, ``ValueError`` for what is no thumb.
        """
        if judgement is not None and judgement not in THUMBS:
            raise ValueError(f"{judgement} is not a judgement of an answer")
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM feedback WHERE message_id = ? AND judgement IN ('up', 'down')", (message_id,)
            )
            if judgement is None:
                return
            numbers = connection.execute("SELECT number FROM citations WHERE message_id = ?", (message_id,)).fetchall()
            for (number,) in numbers or [(0,)]:
                _keep(connection, message_id, number, judgement)

    def open_citation(self, message_id: int, number: int) -> None:
        """A footnote of an answer was opened; again is as good as once. Raises ``BadInputError`` if it is gone."""
        with self._database.write() as connection:
            _keep(connection, message_id, number, Judgement.OPENED)

    def judgements(self, session_id: str) -> dict[int, Judgement]:
        """The thumbs of a session's answers, by message."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT DISTINCT message_id, judgement FROM feedback WHERE judgement IN ('up', 'down') "
                "AND message_id IN (SELECT id FROM messages WHERE session_id = ?)",
                (session_id,),
            ).fetchall()
        return {message_id: Judgement(judgement) for message_id, judgement in rows}

    def examples(self) -> list[FeedbackExample]:
        """Everything that is kept, in the order of the answers; not what lies in the trash."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM feedback WHERE message_id NOT IN ({_IN_TRASH}) "  # noqa: S608  constants
                "ORDER BY message_id, number, judgement"
            ).fetchall()
        return [
            FeedbackExample(message, number, Judgement(judgement), question, path_from_column(path), *rest)
            for message, number, judgement, question, path, *rest in rows
        ]

    def clear(self) -> int:
        """Forget everything. Returns how many examples there were."""
        with self._database.write() as connection:
            return connection.execute("DELETE FROM feedback").rowcount


def _keep(connection: sqlite3.Connection, message_id: int, number: int, judgement: Judgement) -> None:
    kept = connection.execute(
        f"INSERT OR REPLACE INTO feedback ({_COLUMNS}) "  # noqa: S608  constants
        f"SELECT answers.id, ?2, ?3, coalesce({_QUESTION}, ''), coalesce(path, ''), coalesce(file_hash, ''), page, "
        "coalesce(start, 0), coalesce(\"end\", 0), coalesce(quote, ''), ?4 "
        "FROM messages AS answers LEFT JOIN citations ON message_id = answers.id AND number = ?2 "
        "WHERE answers.id = ?1 AND answers.role = 'assistant' AND (?2 = 0 OR number IS NOT NULL)",
        (message_id, number, judgement, time.time()),
    )
    if not kept.rowcount:
        raise BadInputError("This answer is gone, so nothing was noted about it.")
