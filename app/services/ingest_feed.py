"""The beginning of an ingestion: finds files, passes over unchanged ones and queues the others in the library."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.domain.documents import DocumentRecord, DocumentState
from app.domain.ingestion import FileOutcome
from app.jobs.stage import Stage
from app.services.discovery import FileDiscovery, FoundFile, Unreadable
from app.services.ingest_item import IngestItem, known_outcome
from app.services.ingest_job import IngestJob
from app.storage.library_store import LibraryStore

BUNCH_FILES = 256
BUNCH_SECONDS = 0.2
"""Found files are queued in bunches, a transaction each; the first must not wait long for the others."""


class Feeder:
    """Puts items into the first stage, waiting while that is full."""

    def __init__(self, store: LibraryStore, discovery: FileDiscovery, first: Stage[IngestItem]) -> None:
        self._store = store
        self._discovery = discovery
        self._first = first

    def feed_paths(
        self,
        job: IngestJob,
        paths: Sequence[Path],
        *,
        priority: int,
        retry: bool,
        passing_over: Collection[Path] = (),
    ) -> None:
        """Feed every file at or below ``paths`` that is new or changed.

        What failed before and has not changed is read again with ``retry`` only; what is quarantined, only if it is
        named itself as well.
        """
        named = set(paths) if retry else set()
        found = (each for each in self._discovery.find(list(paths)) if each.path not in passing_over)
        for bunch in _bunches(found):
            if job.token.cancelled:
                return
            wanted = self._wanted(job, bunch, named, retry)
            if wanted:
                with _dropped_on_failure(job, wanted):
                    self._first.put(self._queued(job, paths, wanted, priority), job.lane)
        if job.stored_id is not None:
            self._store.found_all(job.stored_id)

    def feed_documents(self, job: IngestJob, records: Iterable[DocumentRecord], *, only_vectors: bool = False) -> None:
        """Feed documents of the library that have work left."""
        items = []
        for record in records:
            resumed = only_vectors or record.state is DocumentState.EMBEDDING
            job.found(record.path, record.stamp.size)
            items.append(IngestItem(job, record.id, record.path, record.stamp.size, only_vectors=resumed))
        # Without waiting: the job may be a paused one, and must be seen all the same.
        self._first.pass_on(items, job.lane)

    def _wanted(
        self, job: IngestJob, bunch: Sequence[FoundFile | Unreadable], named: set[Path], retry: bool
    ) -> list[FoundFile]:
        known = self._store.documents_by_path(found.path for found in bunch if isinstance(found, FoundFile))
        wanted = []
        for found in bunch:
            if isinstance(found, Unreadable):
                job.found(found.path, 0)
                job.finished(_unreadable(found))
                continue
            job.found(found.path, found.stamp.size)
            record = known.get(found.path)
            if record and record.stamp == found.stamp and self._settled(record, found.path in named, retry):
                job.finished(known_outcome(found.path, record))
            else:
                wanted.append(found)
        return wanted

    def _settled(self, record: DocumentRecord, named: bool, retry: bool) -> bool:
        """Whether an unchanged file needs nothing."""
        if record.state is DocumentState.FAILED:
            return not retry or (not named and self._store.is_quarantined(record.id))
        return record.state is DocumentState.READY

    def _queued(
        self, job: IngestJob, paths: Sequence[Path], wanted: list[FoundFile], priority: int
    ) -> list[IngestItem]:
        """Queue files in the library, together with the job itself when they are its first."""
        with self._store.together():
            if job.stored_id is None:
                job.stored_id = self._store.add_job(paths, priority=priority, paused=job.paused)
            files = [(found.path, found.stamp) for found in wanted]
            self._store.enqueue_many(files, priority=priority, job_id=job.stored_id)
            queued = self._store.documents_by_path(found.path for found in wanted)
        return [IngestItem(job, queued[path].id, path, stamp.size) for path, stamp in files]


@contextmanager
def _dropped_on_failure(job: IngestJob, wanted: list[FoundFile]) -> Iterator[None]:
    """Files that can't be queued, because the disk is full, say, must not keep the job waiting for them."""
    try:
        yield
    except BaseException:
        for found in wanted:
            job.dropped(found.path)
        raise


def _bunches(found: Iterator[FoundFile | Unreadable]) -> Iterator[list[FoundFile | Unreadable]]:
    bunch: list[FoundFile | Unreadable] = []
    began = time.monotonic()
    for each in found:
        bunch.append(each)
        if len(bunch) == BUNCH_FILES or time.monotonic() - began > BUNCH_SECONDS:
            yield bunch
            bunch, began = [], time.monotonic()
    if bunch:
        yield bunch


def _unreadable(found: Unreadable) -> FileOutcome:
    error = found.error
    return FileOutcome(found.path, DocumentState.FAILED, reason=error.reason, error=str(error))
