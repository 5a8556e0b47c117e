"""What chats remember beyond their messages: running summaries, and vectors of earlier turns."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.errors import BadInputError
from app.storage.database import Database
from app.storage.rows import clean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """A summary of the first ``covered`` turns of a chat, whose texts hash to ``digest``.

    ``written_by`` is the name of the model, or ``extractive``.
    """

    digest: bytes
    covered: int
    text: str
    written_by: str


class MemoryStore:
    """Summaries and vectors of the sessions of ``chats.db``. Thread-safe; methods may raise ``StorageError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def summaries(self, session_id: str) -> Sequence[StoredSummary]:
        """All summaries of a session, in any order."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT digest, covered, text, written_by FROM summaries WHERE session_id = ?", (session_id,)
            ).fetchall()
        return [StoredSummary(*row) for row in rows]

    def add_summary(self, session_id: str, summary: StoredSummary) -> None:
        """Keep a summary; one of the same digest is replaced. Raises ``BadInputError`` if the session is gone."""
        values = (session_id, summary.digest, summary.covered, clean(summary.text), summary.written_by, time.time())
        with self._write() as connection:
            connection.execute("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?, ?, ?)", values)

    def vectors(self, session_id: str, model_key: str, dimension: int) -> dict[bytes, NDArray[np.float32]]:
        """The vectors of a session's turns by digest, each of shape (pieces, dimension)."""
        import numpy as np

        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT digest, vectors FROM exchange_vectors WHERE session_id = ? AND model_key = ?",
                (session_id, model_key),
            ).fetchall()
        whole = [(digest, blob) for digest, blob in rows if blob and len(blob) % (2 * dimension) == 0]
        return {
            digest: np.frombuffer(blob, dtype="<f2").reshape(-1, dimension).astype(np.float32) for digest, blob in whole
        }

    def add_vectors(self, session_id: str, model_key: str, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Keep the vectors of turns by digest. Raises ``BadInputError`` if the session is gone."""
        rows = [(session_id, digest, model_key, each.astype("<f2").tobytes()) for digest, each in vectors.items()]
        with self._write() as connection:
            connection.executemany("INSERT OR REPLACE INTO exchange_vectors VALUES (?, ?, ?, ?)", rows)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._database.write() as connection:
                yield connection
        except sqlite3.IntegrityError as error:
            raise BadInputError("This chat no longer exists; it was deleted.") from error
