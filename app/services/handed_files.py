"""What following folders gave to ingestion and has not heard of again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from app.services.folder_places import is_inside
from app.services.ingest_job import IngestJob


class HandedFiles:
    """Paths that were handed over to be read, each with the ingestion that has it. Not thread-safe."""

    def __init__(self) -> None:
        self._jobs: dict[str, IngestJob] = {}
        self._at_work: set[IngestJob] = set()  # few, so that asking often costs nothing

    def note(self, paths: Iterable[str], job: IngestJob) -> None:
        """``job`` has these paths now."""
        self._jobs.update((path, job) for path in paths)
        self._at_work.add(job)

    def was_read(self, path: str) -> None:
        """A path has its outcome."""
        self._jobs.pop(path, None)

    def is_being_read(self, path: str) -> bool:
        """Whether an ingestion that goes on has the path."""
        job = self._jobs.get(path)
        return job is not None and not job.ended

    def take_stopped(self) -> list[str]:
        """The paths of ingestions that the user cancelled, whether they have ended or are about to."""
        return [path for path, _ in self._take(lambda job: job.token.cancelled and job.failure is None)]

    def take_unread(self) -> list[str]:
        """The paths of ingestions that ended without an outcome for these paths; failed ones would only fail again."""
        return [path for path, job in self._take(lambda job: job.ended) if job.failure is None]

    def cancel_inside(self, folder: Path) -> None:
        """Cancel every ingestion that has a path in ``folder``."""
        for job in {job for path, job in self._jobs.items() if is_inside(Path(path), [folder])}:
            job.cancel()

    def _take(self, wanted: Callable[[IngestJob], bool]) -> list[tuple[str, IngestJob]]:
        jobs = {job for job in self._at_work if wanted(job)}
        self._at_work -= jobs
        taken = [(path, job) for path, job in self._jobs.items() if job in jobs] if jobs else []
        for path, _ in taken:
            del self._jobs[path]
        return taken
