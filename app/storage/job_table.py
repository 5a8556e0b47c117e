"""Ingestions that have not ended, so that they survive a restart."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.storage.database import Database
from app.storage.rows import id_list

_WAITING = "state IN ('queued', 'parsing', 'embedding')"
_NOBODYS = f"{_WAITING} AND ifnull(job_id, 0) NOT IN (SELECT value FROM json_each(?))"  # noqa: S608  a part of a query


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

    def take_over_jobs(self, but: Collection[int]) -> StoredJob | None:
        """Make one ingestion of all that are left and of documents that belong to none; None if nothing is left.

        Those in ``but`` and their documents stay as they are.
        """
        with self._database.write() as connection:
            left = [job for job in self.jobs() if job.id not in but]
            paths = tuple(dict.fromkeys(path for job in left if not job.found_all for path in job.paths))
            waiting = connection.execute(
                f"SELECT EXISTS (SELECT 1 FROM documents WHERE {_NOBODYS})",  # noqa: S608  a constant
                (id_list(but),),
            ).fetchone()[0]
            for job in left:
                connection.execute("DELETE FROM ingest_jobs WHERE id = ?", (job.id,))
            if not waiting and not paths:
                return None
            job_id = self.add_job(paths)
            connection.execute(f"UPDATE documents SET job_id = ? WHERE {_NOBODYS}", (job_id, id_list(but)))  # noqa: S608  a constant
            if not paths:
                self.found_all(job_id)
        return StoredJob(job_id, paths, 0, paused=False, found_all=not paths)
