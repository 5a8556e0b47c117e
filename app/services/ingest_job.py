"""One ingestion: what was asked for, how far it is, and how it ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from app.domain.cancellation import CancelToken
from app.domain.documents import DocumentState
from app.domain.errors import UserFacingError
from app.domain.ingestion import FileOutcome, IngestProgress, IngestSummary

IngestEvent = FileOutcome | IngestProgress | IngestSummary
ETA_AFTER_SECONDS = 2.0


class IngestJob:
    """Counts the files of one ingestion. Thread-safe; events are published on the threads that cause them."""

    def __init__(self, publish: Callable[[IngestEvent], None]) -> None:
        self.token = CancelToken()
        self.failure: UserFacingError | None = None
        self._publish = publish
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._started = time.monotonic()
        self._paused = False
        self._found_all = False
        self._open: dict[Path, int] = {}
        self._bytes_total = self._bytes_done = 0
        self._total = self._done = self._failed = self._skipped = self._chunks = 0
        self._seconds = 0.0

    def found(self, path: Path, size: int) -> None:
        """A file of ``size`` bytes is part of this ingestion."""
        with self._lock:
            self._total += 1
            self._open[path] = size
            self._bytes_total += size

    def found_all(self) -> None:
        """There are no more files to come."""
        with self._lock:
            self._found_all = True
        self._end_if_done()

    def finished(self, outcome: FileOutcome) -> None:
        """A file has its outcome."""
        with self._lock:
            if outcome.path not in self._open:
                return
            self._bytes_done += self._open.pop(outcome.path)
            self._done += 1
            self._skipped += outcome.skipped
            self._failed += outcome.state is DocumentState.FAILED
            self._chunks += outcome.chunks
        self._publish(outcome)
        self._publish(self.progress)
        self._end_if_done()

    def dropped(self, path: Path) -> None:
        """A file was left out because the ingestion was cancelled."""
        with self._lock:
            self._bytes_total -= self._open.pop(path, 0)
        self._end_if_done()

    def cancel(self) -> None:
        """Stop; files that are ready stay, the others are left out. Returns at once."""
        self.token.cancel()
        self._end_if_done()

    def fail(self, error: UserFacingError) -> None:
        """Stop because of something that concerns every file, such as a full disk."""
        with self._lock:
            self.failure = self.failure or error
        self.cancel()

    def set_paused(self, paused: bool) -> None:
        """Show in the progress that work is paused."""
        self._paused = paused
        self._publish(self.progress)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end. False if ``timeout`` seconds passed before."""
        return self._ended.wait(timeout)

    @property
    def ended(self) -> bool:
        """Whether every file has its outcome."""
        return self._ended.is_set()

    @property
    def progress(self) -> IngestProgress:
        """Where it stands now."""
        with self._lock:
            return IngestProgress(
                total=self._total,
                done=self._done,
                failed=self._failed,
                skipped=self._skipped,
                chunks=self._chunks,
                active=tuple(self._open)[:2],
                eta_seconds=self._eta(),
                paused=self._paused,
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

    def _eta(self) -> float | None:
        elapsed = time.monotonic() - self._started
        if not self._found_all or not self._bytes_done or elapsed < ETA_AFTER_SECONDS:
            return None
        return elapsed * (self._bytes_total - self._bytes_done) / self._bytes_done

    def _end_if_done(self) -> None:
        with self._lock:
            if not self._found_all or self._open or self._ended.is_set():
                return
            self._seconds = time.monotonic() - self._started
            self._ended.set()
        self._publish(self.summary)
