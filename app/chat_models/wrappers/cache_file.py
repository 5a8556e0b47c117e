"""A cache of answers in a SQLite file. Values are JSON text; nothing in the file is ever executed."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from pathlib import Path

DEFAULT_ROWS = 10_000


class SqliteCacheStore:
    """Keeps the ``max_rows`` answers that were used last. Thread-safe."""

    def __init__(self, path: Path, max_rows: int = DEFAULT_ROWS) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._max_rows = max_rows
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, value TEXT NOT NULL, used_at REAL NOT NULL)"
        )
        self._connection.execute("CREATE INDEX IF NOT EXISTS answers_by_use ON answers (used_at)")

    def get(self, key: str) -> str | None:
        """The value of ``key``; it counts as used."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM answers WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            self._connection.execute("UPDATE answers SET used_at = ? WHERE key = ?", (time.time(), key))
            return str(row[0])

    def put(self, key: str, value: str) -> None:
        """Keep ``value``; what was unused for longest makes room."""
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (key, value, time.time()))
            self._connection.execute(
                "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY used_at DESC LIMIT -1 OFFSET ?)",
                (self._max_rows,),
            )

    def clear(self) -> None:
        """Forget all answers."""
        with self._lock:
            self._connection.execute("DELETE FROM answers")

    def close(self) -> None:
        """Close the file."""
        with self._lock, contextlib.suppress(sqlite3.ProgrammingError):
            self._connection.close()
