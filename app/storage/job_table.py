"""Ingestions that have not ended, so that they survive a restart."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.storage.database import Database

_WAITING = "state IN ('queued', 'parsing', 'embedding')"


@dataclass(frozen=True, slots=True)
class StoredJob:
    """An ingestion as it was left. Without ``found_all`` files below ``paths`` may not have been found yet."""

    id: int
    paths: tuple[Path, ...]
    priority: int
    paused: bool
    found_all: bool


class JobTable:
    """Ingestions by id. Part of ``LibraryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_job(self, paths: Sequence[Path], *, priority: int = 0, paused: bool = False) -> int:
        """Remember an ingestion. Returns its id."""
        with self._database.write() as connection:
            cursor = connection.execute(
                "INSERT INTO ingest_jobs (paths, priority, paused, found_all, created_at) VALUES (?, ?, ?, 0, ?)",
                (json.dumps([str(path) for path in paths]), priority, paused, time.time()),
            )
            return int(cursor.lastrowid or 0)

    def jobs(self) -> list[StoredJob]:
        """Every ingestion that has not ended, in the order they were begun."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id, paths, priority, paused, found_all FROM ingest_jobs ORDER BY id"
            ).fetchall()
        return [
            StoredJob(ident, tuple(map(Path, json.loads(paths))), priority, bool(paused), bool(found_all))
            for ident, paths, priority, paused, found_all in rows
        ]

    def pause_job(self, job_id: int, paused: bool) -> None:
        """Remember whether it is paused."""
        with self._database.write() as connection:
            connection.execute("UPDATE ingest_jobs SET paused = ? WHERE id = ?", (paused, job_id))

    def found_all(self, job_id: int) -> None:
        """All its files are among the documents now."""
        with self._database.write() as connection:
            connection.execute("UPDATE ingest_jobs SET found_all = 1 WHERE id = ?", (job_id,))

    def end_job(self, job_id: int) -> None:
        """Forget it. Documents it left unfinished belong to no ingestion then."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM ingest_jobs WHERE id = ?", (job_id,))
            connection.execute(f"UPDATE documents SET job_id = NULL WHERE job_id = ? AND {_WAITING}", (job_id,))  # noqa: S608  a constant

    def pending_ids(self, job_id: int) -> list[int]:
        """Documents of one ingestion with work left, in the order to do it."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT id FROM documents WHERE job_id = ? AND {_WAITING} ORDER BY priority DESC, queued_at, id",  # noqa: S608  a constant
                (job_id,),
            ).fetchall()
        return [row[0] for row in rows]

    def pending_ids_not_paused(self) -> list[int]:
        """Documents with work left that belong to no paused ingestion, in the order to do it."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT id FROM documents WHERE {_WAITING} AND ifnull(job_id, 0) NOT IN "  # noqa: S608  a constant
                "(SELECT id FROM ingest_jobs WHERE paused) ORDER BY priority DESC, queued_at, id"
            ).fetchall()
        return [row[0] for row in rows]
