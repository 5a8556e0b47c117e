"""Ingestion: files in, searchable chunks out, in overlapping stages; a kill at any point resumes where it was."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from app.domain.cancellation import CancelToken
from app.domain.documents import DocumentRecord, DocumentState, FileStamp, ParsedDocument
from app.domain.errors import DocumentError, FailureReason, UserFacingError, WorkCancelledError
from app.domain.ingestion import FileOutcome
from app.jobs.stage import Stage, StageClosedError
from app.retrieval.embedder import Embedder
from app.retrieval.search_text import search_text
from app.retrieval.text_splitter import TextSplitter
from app.services.discovery import FileDiscovery, FoundFile, Unreadable
from app.services.ingest_item import EmbedGroup, IngestItem, VectorGroup, group_chunks, sha256_of_file
from app.services.ingest_job import IngestEvent, IngestJob
from app.storage.library_store import LibraryStore
from app.storage.library_values import ChunkToEmbed, UnknownDocumentError

log = logging.getLogger(__name__)

PARSE_WORKERS = 2
EMBED_GROUPS_AT_ONCE = 4
STORE_GROUPS_AT_ONCE = 16


class Parser(Protocol):
    """What ingestion needs of the parser pool."""

    def parse(self, path: Path, cancel: CancelToken | None = None) -> ParsedDocument:
        """Read one file. Raises ``DocumentError`` or ``WorkCancelledError``."""
        ...


class IngestService:
    """Runs ingestions through the stages parse → split → embed → store.

    The library's states are the persisted queue: what is not ``ready`` when the program ends is taken up again by
    ``resume_pending``.
    """

    def __init__(
        self,
        store: LibraryStore,
        parser: Parser,
        discovery: FileDiscovery,
        open_splitter: Callable[[], TextSplitter],
        open_embedder: Callable[[], Embedder],
        library_changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._parser = parser
        self._discovery = discovery
        self._open_splitter = open_splitter
        self._open_embedder = open_embedder
        self._library_changed = library_changed
        self._lock = threading.Lock()
        self._listeners: dict[int, Callable[[IngestEvent], None]] = {}
        self._next_listener = 0
        self._jobs: list[IngestJob] = []
        self._feeders: list[threading.Thread] = []
        self._paused = self._started = self._closed = False
        self._parse = Stage("parse", self._parse_files, self._failed, workers=PARSE_WORKERS, capacity=4)
        self._split = Stage("split", self._split_documents, self._failed, capacity=2)
        self._embed = Stage(
            "embed",
            self._embed_groups,
            self._groups_failed,
            capacity=2 * EMBED_GROUPS_AT_ONCE,
            batch=EMBED_GROUPS_AT_ONCE,
        )
        self._save = Stage(
            "store",
            self._store_vectors,
            self._vectors_failed,
            capacity=STORE_GROUPS_AT_ONCE,
            batch=STORE_GROUPS_AT_ONCE,
        )

    @property
    def _stages(self) -> tuple[Stage[IngestItem], Stage[IngestItem], Stage[EmbedGroup], Stage[VectorGroup]]:
        return self._parse, self._split, self._embed, self._save

    def add(self, paths: Sequence[Path], *, priority: int = 0) -> IngestJob:
        """Ingest files and folders. Returns at once; unchanged files cost a stat.

        What has the higher ``priority`` overtakes what waits.
        """
        wanted = list(paths)
        return self._start_job(lambda job: self._feed_paths(job, wanted, priority))

    def resume_pending(self) -> IngestJob | None:
        """Take up what an earlier run left unfinished, and what another embedding model embedded. None if nothing."""
        if not self._store.pending() and not self._embedded_by_another_model():
            return None
        return self._start_job(self._feed_pending)

    def pause(self) -> None:
        """Take no new work; what is under way is finished."""
        self._set_paused(True)

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._set_paused(False)

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
        for job in jobs:
            job.token.cancel()
        for stage in self._stages:
            stage.close()
        for feeder in feeders:
            feeder.join()
        if self._started:
            for stage in self._stages:
                stage.join()

    # -- jobs ------------------------------------------------------------------------------------------------------

    def _start_job(self, feed: Callable[[IngestJob], None]) -> IngestJob:
        job = IngestJob(self._publish)
        feeder = threading.Thread(target=self._run_feeder, args=(feed, job), name="ingest-feeder", daemon=True)
        with self._lock:
            self._jobs = [*(each for each in self._jobs if not each.ended), job]
            self._feeders = [*(each for each in self._feeders if each.is_alive()), feeder]
            if not self._started:
                self._started = True
                for stage in self._stages:
                    stage.start()
            feeder.start()
        return job

    def _run_feeder(self, feed: Callable[[IngestJob], None], job: IngestJob) -> None:
        try:
            feed(job)
        except StageClosedError:
            log.info("ingestion stopped while files were being found")
        except UserFacingError as error:
            job.fail(error)
        finally:
            job.found_all()

    def _feed_paths(self, job: IngestJob, paths: list[Path], priority: int) -> None:
        for found in self._discovery.find(paths):
            if job.token.cancelled:
                return
            if isinstance(found, Unreadable):
                job.found(found.path, 0)
                job.finished(_failure(found.path, found.error))
            else:
                self._feed_file(job, found, priority)

    def _feed_file(self, job: IngestJob, found: FoundFile, priority: int) -> None:
        job.found(found.path, found.stamp.size)
        known = self._store.document_by_path(found.path)
        if known and known.state is DocumentState.READY and known.stamp == found.stamp:
            job.finished(IngestItem(job, known).outcome(known, skipped=True))
            return
        self._parse.put(IngestItem(job, self._store.enqueue(found.path, found.stamp, priority=priority)))

    def _feed_pending(self, job: IngestJob) -> None:
        lacking = [self._store.document(each) for each in self._embedded_by_another_model()]
        for record in [*self._store.pending(), *lacking]:
            if job.token.cancelled:
                return
            job.found(record.path, record.stamp.size)
            item = IngestItem(job, record)
            if record.state in (DocumentState.EMBEDDING, DocumentState.READY):
                self._feed_embedding(item, record)
            else:
                self._parse.put(item)

    def _embedded_by_another_model(self) -> list[int]:
        """Opening the model takes a while, so it waits until there is something it could have embedded."""
        return (
            self._store.documents_without_vector(self._open_embedder().model_key) if self._store.chunk_count() else []
        )

    def _feed_embedding(self, item: IngestItem, record: DocumentRecord) -> None:
        """A document that was split before the program ended needs only its missing vectors."""
        item.start()
        item.pages, item.chunk_count = record.page_count, record.chunk_count
        self._queue_chunks(item, self._store.chunks_without_vector(self._open_embedder().model_key, record.id))

    # -- stages ----------------------------------------------------------------------------------------------------

    def _parse_files(self, items: list[IngestItem]) -> None:
        for item in items:
            if self._left_out(item):
                continue
            item.start()
            content_hash = sha256_of_file(item.record.path)
            if self._is_unchanged(item, content_hash) or self._is_moved(item, content_hash):
                continue
            self._store.set_state(item.record.id, DocumentState.PARSING)
            item.content_hash = content_hash
            item.parsed = self._parser.parse(item.record.path, item.job.token)
            self._split.put(item)

    def _is_unchanged(self, item: IngestItem, content_hash: str) -> bool:
        if item.record.content_hash != content_hash:
            return False
        record = self._store.touch(item.record.id, item.record.stamp)
        if record.state is DocumentState.READY:
            item.job.finished(item.outcome(record, skipped=True))
        else:
            self._feed_embedding(item, record)
        return True

    def _is_moved(self, item: IngestItem, content_hash: str) -> bool:
        """A file whose content the library knows under a path that is gone was moved: nothing needs reading."""
        for twin in self._store.documents_with_hash(content_hash):
            if twin.id == item.record.id or twin.state is not DocumentState.READY or twin.path.exists():
                continue
            self._store.rename(twin.id, item.record.path)
            item.job.finished(item.outcome(self._store.touch(twin.id, item.record.stamp), skipped=True))
            return True
        return False

    def _split_documents(self, items: list[IngestItem]) -> None:
        for item in items:
            if self._left_out(item) or item.parsed is None:
                continue
            parsed, item.parsed = item.parsed, None
            chunks = self._open_splitter().split(parsed)
            if not chunks:
                raise DocumentError(FailureReason.EMPTY, "There is no text in this file.")
            texts = [search_text(parsed.title, chunk.headings, chunk.text) for chunk in chunks]
            self._store.replace_content(item.record.id, parsed, item.content_hash, chunks, texts)
            item.pages, item.chunk_count = parsed.page_count, len(chunks)
            # Not only new chunks: kept ones may have been embedded by another model.
            lacking = self._store.chunks_without_vector(self._open_embedder().model_key, item.record.id)
            self._queue_chunks(item, lacking)

    def _queue_chunks(self, item: IngestItem, chunks: Sequence[ChunkToEmbed]) -> None:
        groups = group_chunks(item, chunks)
        item.open_groups = len(groups)
        if not groups:
            self._finish(item)
        for group in groups:
            self._embed.put(group)

    def _embed_groups(self, groups: list[EmbedGroup]) -> None:
        groups = [group for group in groups if not self._left_out(group.item)]
        if not groups:
            return
        embedder = self._open_embedder()
        vectors = embedder.embed_passages([text for group in groups for text in group.texts]).astype("<f2")
        position = 0
        for group in groups:
            rows = [(chunk_id, vectors[position + row].tobytes()) for row, chunk_id in enumerate(group.chunk_ids)]
            position += len(rows)
            self._save.put(VectorGroup(group.item, rows, embedder.model_key))

    def _store_vectors(self, groups: list[VectorGroup]) -> None:
        by_model: dict[str, list[tuple[int, bytes]]] = {}
        for group in groups:
            by_model.setdefault(group.model_key, []).extend(group.rows)
        for model_key, rows in by_model.items():
            self._store.store_vectors(model_key, rows)
        for group in groups:
            group.item.open_groups -= 1
            if group.item.open_groups == 0:
                self._finish(group.item)

    def _finish(self, item: IngestItem) -> None:
        if self._store.finish(item.record.id, self._open_embedder().model_key):
            item.job.finished(item.outcome())

    # -- what goes wrong -------------------------------------------------------------------------------------------

    def _left_out(self, item: IngestItem) -> bool:
        """Drop what belongs to a cancelled job; at close the library keeps it queued for the next run."""
        if not item.job.token.cancelled:
            return False
        if not self._closed and not item.dropped:
            item.dropped = True
            if item.job.failure is None:
                self._abandon(item.record)
        item.job.dropped(item.record.path)
        return True

    def _abandon(self, record: DocumentRecord) -> None:
        """The user cancelled: a file never read leaves the library, one read before stays as it was.

        The stamp 0, 0 makes the next ingestion look at the file again.
        """
        if record.content_hash:
            self._store.touch(record.id, FileStamp(0, 0))
        else:
            self._store.remove(record.id)

    def _failed(self, items: list[IngestItem], error: Exception) -> None:
        for item in items:
            self._fail_item(item, error)

    def _groups_failed(self, groups: list[EmbedGroup], error: Exception) -> None:
        self._failed([group.item for group in groups], error)

    def _vectors_failed(self, groups: list[VectorGroup], error: Exception) -> None:
        self._failed([group.item for group in groups], error)

    def _fail_item(self, item: IngestItem, error: Exception) -> None:
        if isinstance(error, WorkCancelledError | StageClosedError):
            item.job.token.cancel()
            self._left_out(item)
        elif isinstance(error, UnknownDocumentError):
            item.job.dropped(item.record.path)  # removed by the user in the meantime
        elif isinstance(error, DocumentError):
            self._record_failure(item, error)
        elif isinstance(error, UserFacingError):
            item.job.fail(error)
            item.job.dropped(item.record.path)
        else:
            log.error("ingestion of %s failed", item.record.path, exc_info=error)
            message = "Something went wrong inside Footnote with this file. The log has the details; the others go on."
            self._record_failure(item, DocumentError(FailureReason.CRASHED, message))

    def _record_failure(self, item: IngestItem, error: DocumentError) -> None:
        try:
            self._store.set_state(item.record.id, DocumentState.FAILED, reason=error.reason, message=str(error))
        except UserFacingError as storage_error:
            item.job.fail(storage_error)
        item.job.finished(item.outcome(error=error))

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

    def _set_paused(self, paused: bool) -> None:
        for stage in (self._parse, self._embed):
            stage.pause() if paused else stage.resume()
        for job in self.active_jobs:
            job.set_paused(paused)


def _failure(path: Path, error: DocumentError) -> FileOutcome:
    return FileOutcome(path, DocumentState.FAILED, reason=error.reason, error=str(error))
