"""Ingestion: files in, searchable chunks out, in overlapping stages; a kill at any point resumes where it was."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from app.domain.errors import UserFacingError
from app.domain.ingestion import FileOutcome
from app.jobs.idle_gate import IdleGate
from app.jobs.stage import StageClosedError
from app.retrieval.embedder import Embedder
from app.retrieval.text_splitter import TextSplitter
from app.services.discovery import FileDiscovery
from app.services.document_files import DocumentFiles, PlainFiles
from app.services.ingest_feed import Feeder
from app.services.ingest_job import IngestEvent, IngestJob, JobHooks
from app.services.ingest_pipeline import IngestPipeline
from app.services.ingest_reading import Parser
from app.storage.job_table import StoredJob
from app.storage.library_store import LibraryStore

log = logging.getLogger(__name__)


class IngestService:
    """Runs ingestions through the stages parse → split → embed → store.

    The library's states are the persisted queue: what is not ``ready`` when the program ends is taken up again by
    ``resume_pending``, but for what belongs to a paused ingestion, which comes back paused.
    """

    def __init__(
        self,
        store: LibraryStore,
        parser: Parser,
        discovery: FileDiscovery,
        open_splitter: Callable[[], TextSplitter],
        open_embedder: Callable[[], Embedder],
        library_changed: Callable[[], None],
        *,
        files: DocumentFiles | None = None,
        gate: IdleGate | None = None,
        model_prepared: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._open_embedder = open_embedder
        self._library_changed = library_changed
        self._gate = gate
        self._pipeline = IngestPipeline(store, parser, files or PlainFiles(), open_splitter, open_embedder)
        self._feeder = Feeder(store, discovery, self._pipeline.first)
        self._lock = threading.Lock()
        self._listeners: dict[int, Callable[[IngestEvent], None]] = {}
        self._next_listener = 0
        self._jobs: list[IngestJob] = []
        self._feeders: list[threading.Thread] = []
        self._all_paused = self._closed = False
        self._waiting_for = ""
        self._hooks = JobHooks(
            publish=self._publish,
            chunks_per_second=lambda: self._pipeline.meter.rate,
            waiting_for=lambda: self._waiting_for,
            preparing=lambda: not model_prepared(),
            paused=self._job_paused,
            cancelled=self._pipeline.withdraw,
            ended=self._job_ended,
        )

    def add(self, paths: Sequence[Path], *, priority: int = 0, retry: bool = True) -> IngestJob:
        """Ingest files and folders. Returns at once; unchanged files cost a stat.

        What has the higher ``priority`` overtakes what waits. Unchanged files that failed before are read again with
        ``retry`` only. One that ended its parser twice is left alone until it changes or is named itself.
        """
        wanted = list(paths)
        job = self._new_job(priority, paused=self._all_paused)
        return self._start(job, lambda: self._feeder.feed_paths(job, wanted, priority=priority, retry=retry))

    def resume_pending(self) -> IngestJob | None:
        """Take up what an earlier run left unfinished, and what another embedding model embedded. None if nothing.

        Paused ingestions come back as ``active_jobs``, paused.
        """
        known = {job.stored_id for job in self.active_jobs}
        left = [job for job in self._store.jobs() if job.id not in known]
        for stored in left:
            if stored.paused:
                self._restore(stored)
        keep = known | {stored.id for stored in left if stored.paused}
        stored_again = self._store.take_over_jobs([each for each in keep if each is not None])
        lacking = self._embedded_by_another_model()
        if stored_again is None and not lacking:
            return None
        job = self._new_job(0, paused=self._all_paused, stored=stored_again)
        return self._start(job, lambda: self._feed_again(job, stored_again, lacking))

    def pause(self) -> None:
        """Take no new work, in any ingestion, those that are added later too; what is under way is finished."""
        self._all_paused = True
        for job in self.active_jobs:
            job.pause()

    def resume(self) -> None:
        """Go on after ``pause``, and with what waits for an idle computer."""
        self._all_paused = False
        self.wait_no_longer()
        for job in self.active_jobs:
            job.resume()

    def wait_no_longer(self) -> None:
        """Read now, whatever the setting says about mains power and an idle computer, until there is nothing left."""
        if self._gate is not None:
            self._wait_for(self._gate.override())

    def subscribe(self, listener: Callable[[IngestEvent], None]) -> Callable[[], None]:
        """Call ``listener`` with every event, on worker threads. Returns a function that ends the subscription."""
        with self._lock:
            key = self._next_listener
            self._next_listener += 1
            self._listeners[key] = listener
        return lambda: self._forget_listener(key)

    @property
    def active_jobs(self) -> list[IngestJob]:
        """Jobs that have not ended."""
        with self._lock:
            return [job for job in self._jobs if not job.ended]

    def close(self) -> None:
        """Stop without losing anything: unfinished documents stay in the queue for ``resume_pending``."""
        with self._lock:
            self._closed = True
            jobs, feeders = list(self._jobs), list(self._feeders)
        if self._gate is not None:
            self._gate.close()
        self._pipeline.settlement.closing = True
        for job in jobs:
            job.token.cancel()
        self._pipeline.close()
        for feeder in feeders:
            feeder.join()
        self._pipeline.join()

    # -- jobs ------------------------------------------------------------------------------------------------------

    def _new_job(self, priority: int, *, paused: bool, stored: StoredJob | None = None) -> IngestJob:
        lane = self._pipeline.lanes.open(priority)
        lane.paused = paused
        job = IngestJob(lane, self._hooks)
        job.stored_id = stored.id if stored else None
        return job

    def _start(self, job: IngestJob, feed: Callable[[], None]) -> IngestJob:
        feeder = threading.Thread(target=self._run_feeder, args=(job, feed), name="ingest-feeder", daemon=True)
        with self._lock:
            if self._closed:
                raise StageClosedError("ingestion")
            self._jobs = [*(each for each in self._jobs if not each.ended), job]
            self._feeders = [*(each for each in self._feeders if each.is_alive()), feeder]
            self._pipeline.start()
            feeder.start()
        self._mind_the_clock()
        if self._gate is not None:
            self._gate.watch(self._wait_for, lambda: bool(self.active_jobs))
        return job

    def _run_feeder(self, job: IngestJob, feed: Callable[[], None]) -> None:
        try:
            feed()
        except StageClosedError:
            log.info("ingestion stopped while files were being found")
        except UserFacingError as error:
            job.fail(error)
        finally:
            job.found_all()

    def _restore(self, stored: StoredJob) -> None:
        job = self._new_job(stored.priority, paused=True, stored=stored)
        self._start(job, lambda: self._feed_again(job, stored, []))

    def _feed_again(self, job: IngestJob, stored: StoredJob | None, lacking: list[int]) -> None:
        records = [self._store.document(each) for each in (self._store.pending_ids(stored.id) if stored else ())]
        self._feeder.feed_documents(job, records)
        self._feeder.feed_documents(job, map(self._store.document, lacking), only_vectors=True)
        if stored and not stored.found_all and self._pipeline.lanes.wait_until_free(job.lane):
            fed = {record.path for record in records}
            self._feeder.feed_paths(job, stored.paths, priority=stored.priority, retry=True, passing_over=fed)

    def _embedded_by_another_model(self) -> list[int]:
        """Opening the model takes a while, so it waits until there is something it could have embedded."""
        return (
            self._store.documents_without_vector(self._open_embedder().model_key) if self._store.chunk_count() else []
        )

    def _job_paused(self, job: IngestJob) -> None:
        self._mind_the_clock()
        if job.stored_id is not None:
            self._store.pause_job(job.stored_id, job.paused)

    def _job_ended(self, job: IngestJob) -> None:
        self._mind_the_clock()
        if job.stored_id is None or self._closed:
            return
        try:
            self._store.end_job(job.stored_id)
        except UserFacingError as error:
            log.warning("an ingestion that ended is still in the library: %s", error)

    def _mind_the_clock(self) -> None:
        """Time in which nothing may be done says nothing about how fast work goes."""
        if any(not job.lane.held for job in self.active_jobs):
            self._pipeline.meter.start()
        else:
            self._pipeline.meter.stop()

    def _wait_for(self, condition: str) -> None:
        self._waiting_for = condition
        self._pipeline.lanes.hold(bool(condition))
        self._mind_the_clock()
        for job in self.active_jobs:
            self._publish(job.progress)

    # -- listeners -------------------------------------------------------------------------------------------------

    def _publish(self, event: IngestEvent) -> None:
        if isinstance(event, FileOutcome) and not event.skipped:
            self._library_changed()
        with self._lock:
            listeners = list(self._listeners.values())
        for listener in listeners:
            listener(event)

    def _forget_listener(self, key: int) -> None:
        with self._lock:
            self._listeners.pop(key, None)
