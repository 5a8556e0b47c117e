"""One ingestion: what was asked for, how far it is, and how it ended."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from app.domain.cancellation import CancelToken
from app.domain.documents import DocumentState
from app.domain.errors import UserFacingError
from app.domain.ingestion import FileOutcome, IngestProgress, IngestSummary
from app.jobs.lanes import Lane
from app.jobs.rate import UnitEstimate

IngestEvent = FileOutcome | IngestProgress | IngestSummary
PROGRESS_SECONDS = 0.1
FAILURES_KEPT = 5
ACTIVE_SHOWN = 2


@dataclass(slots=True)
class _OpenFile:
    """A file without an outcome. ``chunks`` are those it waits for; None until it was read."""

    size: int
    chunks: int | None = None


@dataclass(frozen=True, slots=True)
class JobHooks:
    """What a job needs of the service that runs it. Called on the threads that cause it."""

    publish: Callable[[IngestEvent], None]
    chunks_per_second: Callable[[], float | None]
    waiting_for: Callable[[], str]
    preparing: Callable[[], bool]
    paused: Callable[[IngestJob], None]
    cancelled: Callable[[IngestJob], None]
    ended: Callable[[IngestJob], None]


class IngestJob:
    """Counts the files of one ingestion. Thread-safe; events are published on the threads that cause them.

    ``stored_id`` is its id in the library, None until something of it had to be stored.
    """

    def __init__(self, lane: Lane, hooks: JobHooks) -> None:
        self.token = CancelToken()
        self.failure: UserFacingError | None = None
        self.lane = lane
        self.stored_id: int | None = None
        self._hooks = hooks
        self._lock = threading.Lock()
        self._over = False
        self._told = threading.Event()
        self._started = time.monotonic()
        self._published = 0.0
        self._found_all = False
        self._open: dict[Path, _OpenFile] = {}
        self._active: dict[Path, None] = {}
        self._failures: deque[FileOutcome] = deque(maxlen=FAILURES_KEPT)
        self._unread = UnitEstimate()
        self._waiting_chunks = self._embedded_chunks = 0
        self._total = self._done = self._failed = self._skipped = self._chunks = 0
        self._seconds = 0.0

    # -- what is told by the stages --------------------------------------------------------------------------------

    def found(self, path: Path, size: int) -> None:
        """A file of ``size`` bytes is part of this ingestion."""
        with self._lock:
            self._total += 1
            self._open[path] = _OpenFile(size)
            self._unread.expect(_kind(path), size)

    def found_all(self) -> None:
        """There are no more files to come."""
        with self._lock:
            self._found_all = True
        self._end_if_done()

    def began(self, path: Path) -> None:
        """A file is being read."""
        with self._lock:
            self._active[path] = None

    def was_split(self, path: Path, chunks: int) -> None:
        """A file was read and has so many chunks to embed."""
        with self._lock:
            file = self._open.get(path)
            if file is None or file.chunks is not None:
                return
            file.chunks = chunks
            self._waiting_chunks += chunks
            self._unread.learn(_kind(path), file.size, chunks)

    def embedded(self, path: Path, chunks: int) -> None:
        """So many chunks of a file have their vectors."""
        with self._lock:
            file = self._open.get(path)
            if file is None or file.chunks is None:
                return
            file.chunks -= chunks
            self._waiting_chunks -= chunks
            self._embedded_chunks += chunks
        self._publish_progress()

    def finished(self, outcome: FileOutcome) -> None:
        """A file has its outcome."""
        with self._lock:
            if not self._close(outcome.path):
                return
            self._done += 1
            failed = outcome.state is DocumentState.FAILED
            self._skipped += outcome.skipped and not failed
            self._failed += failed
            self._chunks += outcome.chunks
            if failed:
                self._failures.append(outcome)
        self._hooks.publish(outcome)
        self._publish_progress()
        self._end_if_done()

    def dropped(self, path: Path) -> None:
        """A file was left out because the ingestion was cancelled."""
        with self._lock:
            self._close(path)
        self._end_if_done()

    def fail(self, error: UserFacingError) -> None:
        """Stop because of something that concerns every file, such as a full disk."""
        with self._lock:
            self.failure = self.failure or error
        self.cancel()

    # -- what the user can do --------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Stop; files that are ready stay, the others are left out. Returns at once."""
        self.token.cancel()
        self._hooks.cancelled(self)
        self._end_if_done()

    def pause(self) -> None:
        """Begin nothing more of this ingestion, after a restart of the program neither; what is under way is ended."""
        self._set_paused(True)

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._set_paused(False)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended and everyone was told. False if ``timeout`` seconds passed before."""
        return self._told.wait(timeout)

    # -- what can be asked -----------------------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        """Whether it is paused."""
        return self.lane.paused

    @property
    def ended(self) -> bool:
        """Whether every file has its outcome."""
        return self._over

    @property
    def progress(self) -> IngestProgress:
        """Where it stands now."""
        with self._lock:
            left = self._chunks_left()
            return IngestProgress(
                total=self._total,
                done=self._done,
                failed=self._failed,
                skipped=self._skipped,
                chunks=self._chunks,
                active=tuple(islice(self._active, ACTIVE_SHOWN)),
                eta_seconds=self._eta(left),
                paused=self.lane.paused,
                share=self._embedded_chunks / (self._embedded_chunks + left) if self._embedded_chunks else 0.0,
                waiting_for=self._hooks.waiting_for(),
                failures=tuple(self._failures),
                preparing=self._hooks.preparing(),
            )

    @property
    def summary(self) -> IngestSummary:
        """The counts so far; final once the job has ended."""
        with self._lock:
            return IngestSummary(
                documents=self._done - self._failed,
                chunks=self._chunks,
                failed=self._failed,
                skipped=self._skipped,
                seconds=self._seconds or time.monotonic() - self._started,
                cancelled=self.token.cancelled,
            )

    # -- inside ----------------------------------------------------------------------------------------------------

    def _close(self, path: Path) -> bool:
        """The file is no longer open. False if it was not."""
        file = self._open.pop(path, None)
        self._active.pop(path, None)
        if file is None:
            return False
        if file.chunks is None:
            self._unread.forget(_kind(path), file.size)
        else:
            self._waiting_chunks -= file.chunks
        return True

    def _chunks_left(self) -> float:
        return self._waiting_chunks + self._unread.units

    def _eta(self, chunks_left: float) -> float | None:
        rate = self._hooks.chunks_per_second()
        return chunks_left / rate if self._found_all and rate else None

    def _set_paused(self, paused: bool) -> None:
        self.lane.set_paused(paused)
        self._hooks.paused(self)
        self._hooks.publish(self.progress)

    def _publish_progress(self) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._published < PROGRESS_SECONDS:
                return
            self._published = now
        self._hooks.publish(self.progress)

    def _end_if_done(self) -> None:
        with self._lock:
            if not self._found_all or self._open or self._over:
                return
            self._seconds = time.monotonic() - self._started
            self._over = True
        self._hooks.ended(self)
        self._hooks.publish(self.summary)
        self._told.set()


def _kind(path: Path) -> str:
    return path.suffix.lower()
