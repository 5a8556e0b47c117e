"""The one door from background work to the screen.

Work runs on two thread pools: one for calls that return a value, one for streams. Whatever they produce is put into one
mailbox, and one queued signal makes the GUI thread empty it. Callbacks therefore always run on the GUI thread, and the
items that a fast stream produced since the last frame arrive together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.domain.cancellation import CancelToken
from app.domain.errors import WorkCancelledError

T = TypeVar("T")

FRAME_SECONDS = 1 / 60


class Job:
    """A piece of work in the hands of a ``JobRunner``. Used on the GUI thread only, but for ``token``."""

    def __init__(self, token: CancelToken) -> None:
        self.token = token
        self.abandoned = False
        self.finished = False
        self._future: Future[None] | None = None

    def cancel(self) -> None:
        """Cancel the work and drop whatever it still has to say: none of its callbacks runs any more."""
        self.abandoned = True
        self.token.cancel()
        if self._future is not None:
            self._future.cancel()

    def attach(self, future: Future[None]) -> None:
        """Remember the future, so that work which has not begun never does once cancelled."""
        self._future = future


class _Kind(Enum):
    ITEM = auto()
    DONE = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class _Letter:
    job: Job
    kind: _Kind
    callback: Callable[[Any], None] | None
    content: Any


class _Mailbox(QObject):
    """Letters from any thread, read on the thread that made the mailbox.

    Signals: ``filled`` is emitted by whichever thread puts the first letter into an empty mailbox.
    """

    filled = Signal()

    def __init__(self, handle: Callable[[list[_Letter]], None], parent: QObject | None) -> None:
        super().__init__(parent)
        self._handle = handle
        self._lock = threading.Lock()
        self._letters: list[_Letter] = []
        self._announced = False
        self._closed = False
        self._last_delivery = 0.0
        self._frame = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._frame.timeout.connect(self._deliver)
        self.filled.connect(self._deliver_at_frame, Qt.ConnectionType.QueuedConnection)

    def put(self, letter: _Letter) -> None:
        with self._lock:
            if self._closed:
                return
            self._letters.append(letter)
            if self._announced:
                return
            self._announced = True
            self.filled.emit()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._letters.clear()
        self._frame.stop()

    @Slot()
    def _deliver_at_frame(self) -> None:
        remaining = self._last_delivery + FRAME_SECONDS - time.monotonic()
        if remaining > 0:
            self._frame.start(max(1, round(remaining * 1000)))
        else:
            self._deliver()

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            letters, self._letters = self._letters, []
            self._announced = False
        self._last_delivery = time.monotonic()
        self._handle(letters)


class JobRunner:
    """Runs work off the GUI thread and brings results back to it. Make it and call it on the GUI thread.

    ``on_unhandled`` gets the error of work that came without ``on_error``. ``WorkCancelledError`` is never reported.
    """

    def __init__(
        self,
        *,
        on_unhandled: Callable[[Exception], None],
        workers: int = 4,
        streams: int = 8,
        parent: QObject | None = None,
    ) -> None:
        self._on_unhandled = on_unhandled
        self._mailbox = _Mailbox(self._read, parent)
        self._calls = ThreadPoolExecutor(workers, thread_name_prefix="window-call")
        self._streams = ThreadPoolExecutor(streams, thread_name_prefix="window-stream")
        self._jobs: dict[Job, Future[None]] = {}
        self._groups: dict[str, Job] = {}
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether some job has not delivered its end yet."""
        return any(not job.finished and not job.abandoned for job in self._jobs)

    def run(
        self,
        work: Callable[[], T],
        on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        *,
        group: str = "",
        token: CancelToken | None = None,
    ) -> Job:
        """Call ``work`` on a worker thread, then ``on_done(result)`` or ``on_error(error)`` on the GUI thread.

        A job with a ``group`` cancels the one before it in that group: the newest wins.
        """

        def call(job: Job) -> None:
            result = work()
            self._mailbox.put(_Letter(job, _Kind.DONE, on_done, result))

        return self._start(self._calls, call, on_error, group, token)

    def stream(
        self,
        iterate: Callable[[], Iterable[T]],
        on_items: Callable[[Sequence[T]], None],
        on_done: Callable[[], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        *,
        group: str = "",
        token: CancelToken | None = None,
    ) -> Job:
        """Iterate on a worker thread; at most once a frame ``on_items`` gets all that came since the last time."""

        def pump(job: Job) -> None:
            iterable = iterate()
            try:
                for item in iterable:
                    if job.abandoned:
                        break
                    self._mailbox.put(_Letter(job, _Kind.ITEM, on_items, item))
            finally:
                close = getattr(iterable, "close", None)
                if close is not None:
                    close()
            finish = None if on_done is None else lambda _nothing: on_done()
            self._mailbox.put(_Letter(job, _Kind.DONE, finish, None))

        return self._start(self._streams, pump, on_error, group, token)

    def channel(self, on_items: Callable[[Sequence[T]], None]) -> Callable[[T], None]:
        """A function for any thread that hands its argument to ``on_items`` on the GUI thread, batched by frame."""
        job = Job(CancelToken())
        return lambda item: self._mailbox.put(_Letter(job, _Kind.ITEM, on_items, item))

    def wait(self, timeout: float) -> bool:
        """Wait for the jobs at hand without cancelling them; their callbacks come later. False when some go on."""
        return not wait(self._jobs.values(), timeout).not_done

    def close(self, timeout: float = 5.0) -> bool:
        """Cancel everything and wait for the threads, at most ``timeout`` seconds. False when some did not end."""
        if self._closed:
            return True
        self._closed = True
        self._mailbox.close()
        for job in self._jobs:
            job.cancel()
        for pool in (self._calls, self._streams):
            pool.shutdown(wait=False, cancel_futures=True)
        stuck = wait(self._jobs.values(), timeout).not_done
        if not stuck:
            for pool in (self._calls, self._streams):
                pool.shutdown(wait=True)
        return not stuck

    def _start(
        self,
        pool: ThreadPoolExecutor,
        body: Callable[[Job], None],
        on_error: Callable[[Exception], None] | None,
        group: str,
        token: CancelToken | None,
    ) -> Job:
        job = Job(token or CancelToken())
        if self._closed:
            job.cancel()
            return job
        if group:
            self._replace(group, job)

        def guarded() -> None:
            try:
                body(job)
            except WorkCancelledError:
                self._mailbox.put(_Letter(job, _Kind.DONE, None, None))
            except Exception as error:  # noqa: BLE001  a worker thread's edge
                self._mailbox.put(_Letter(job, _Kind.FAILED, on_error or self._on_unhandled, error))

        future = pool.submit(guarded)
        job.attach(future)
        self._jobs[job] = future
        return job

    def _replace(self, group: str, job: Job) -> None:
        before = self._groups.get(group)
        if before is not None and not before.finished:
            before.cancel()
        self._groups[group] = job

    def _read(self, letters: list[_Letter]) -> None:
        batches: dict[tuple[Job, Any], list[Any]] = {}
        for letter in letters:
            if letter.kind is _Kind.ITEM:
                batches.setdefault((letter.job, letter.callback), []).append(letter.content)
                continue
            for key in [key for key in batches if key[0] is letter.job]:
                self._hand_over(key[0], key[1], batches.pop(key))
            self._hand_over(letter.job, letter.callback, letter.content)
            letter.job.finished = True
        for (job, callback), items in batches.items():
            self._hand_over(job, callback, items)
        self._jobs = {job: future for job, future in self._jobs.items() if not (job.finished or future.cancelled())}

    def _hand_over(self, job: Job, callback: Callable[[Any], None] | None, content: Any) -> None:
        if callback is None or job.abandoned or self._closed:
            return
        try:
            callback(content)
        except Exception as error:  # noqa: BLE001  one callback's failure must not cost the letters behind it
            self._on_unhandled(error)
