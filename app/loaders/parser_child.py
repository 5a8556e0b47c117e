"""One parser process as the program sees it: start, ask, watch, kill, replace."""

from __future__ import annotations

import logging
import multiprocessing
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.domain.cancellation import CancelToken
from app.domain.documents import ParsedDocument
from app.domain.errors import DocumentError, FailureReason, StorageError, WorkCancelledError
from app.loaders import parser_messages as messages
from app.loaders.parser_limits import ParserLimits
from app.loaders.parser_process import (
    ReaderFactory,
    failure_message,
    serve,
)

if TYPE_CHECKING:
    import psutil

logger = logging.getLogger(__name__)
T = TypeVar("T")

WATCH_SECONDS = 0.1
JOIN_SECONDS = 5.0
BYTES_PER_CHAR = 4
_OUT_OF_MEMORY_SIGNS = ("memory allocation of", "bad_alloc", "out of memory", "cannot allocate memory", "memoryerror")
_SIGXCPU = getattr(signal, "SIGXCPU", None)


class _Stopped(Exception):  # noqa: N818  # not an error: the reason why the wait for a reply ended
    def __init__(self, reason: FailureReason | None) -> None:
        super().__init__(reason)
        self.reason = reason


def _received(connection: Connection, most_bytes: int) -> bytes:
    try:
        return connection.recv_bytes(most_bytes)
    except OSError as error:
        if error.errno is None:  # not from the system: the frame is longer than allowed
            raise _Stopped(FailureReason.TOO_LARGE) from error
        raise


class ParserChild:
    """A slot for one parser process. ``read`` and ``stop`` belong to the thread that holds the slot; ``abandon`` may
    come from any."""

    def __init__(
        self, limits: ParserLimits, folder: Callable[[], Path], make_reader: ReaderFactory, number: int
    ) -> None:
        self._limits = limits
        self._folder = folder
        self._make_reader = make_reader
        self._name = f"parser {number}"
        self._lock = threading.Lock()
        self._process: SpawnProcess | None = None
        self._watched: psutil.Process | None = None
        self._connection: Connection | None = None
        self._scratch: Path | None = None
        self._files = 0
        self._largest = 0
        self._reading: object | None = None
        self._abandoned = False

    def read(self, path: Path, cancel: CancelToken) -> ParsedDocument:
        """Have ``path`` read. Raises ``DocumentError``, ``WorkCancelledError`` if cancelled or abandoned, or
        ``StorageError`` if there is no room for temporary files."""
        return self._ask(messages.Request(path), messages.decode_reply, cancel)

    def perform(self, request: messages.Request, cancel: CancelToken) -> Any:
        """Have a task done and return its result, made of what JSON knows. Raises as ``read`` does."""
        return self._ask(request, messages.decode_result, cancel)

    def _ask(self, request: messages.Request, decode: Callable[[Sequence[bytes]], T], cancel: CancelToken) -> T:
        reading = object()
        with self._lock:
            self._reading = reading
            self._abandoned = False
        forget = cancel.on_cancel(lambda: self._abandon(reading))
        try:
            return self._answer(request, decode)
        finally:
            forget()
            with self._lock:
                self._reading = None
                killed = self._abandoned
            if killed:  # perhaps after its reply had come: the next file must not meet a dead process
                self.stop()
            self._recycle()

    def abandon(self) -> None:
        """Kill the process if it is reading; ``read`` then raises ``WorkCancelledError``."""
        self._abandon(self._reading)

    def _abandon(self, reading: object | None) -> None:
        """Kill the process if it is still at that reading; a late cancel must not hit the next file."""
        with self._lock:
            if reading is not None and self._reading is reading:
                self._abandoned = True
                self._kill()

    def stop(self) -> None:
        """End the process if there is one, and wait until it has ended."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        if self._connection is not None:
            self._connection.close()  # which a waiting child takes as its end
        process.join(JOIN_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
        process.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _answer(self, request: messages.Request, decode: Callable[[Sequence[bytes]], T]) -> T:
        path = request.path
        try:
            connection = self._started()
            connection.send_bytes(messages.encode_request(request))
            frames = self._reply(connection)
            return decode(frames)
        except _Stopped as stopped:
            raise self._failure(path, stopped.reason) from stopped
        except (EOFError, OSError, messages.MalformedReplyError) as error:
            raise self._failure(path, None) from error
        except DocumentError as error:
            if details := messages.failure_details(frames):
                logger.warning("reading %r failed: %s", str(path), details)
            if error.reason is FailureReason.OUT_OF_MEMORY:
                self._files = self._limits.files_per_process  # its heap is full of holes
            raise

    def _started(self) -> Connection:
        if self._process is not None and self._connection is not None:
            return self._connection
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._scratch = self._made_scratch()
        arguments = (theirs, self._limits, self._scratch, self._make_reader)
        process = context.Process(target=serve, args=arguments, name=self._name, daemon=True)
        with self._lock:
            if self._abandoned:
                ours.close()
                theirs.close()
                raise _Stopped(None)
            process.start()
            self._process, self._connection, self._files = process, ours, 0
        theirs.close()
        return ours

    def _made_scratch(self) -> Path:
        try:
            return Path(tempfile.mkdtemp(dir=self._folder()))
        except OSError as error:  # which says nothing about the file
            raise StorageError(
                f"There is no room for temporary files in {tempfile.gettempdir()} ({error.strerror}). Free some space "
                "there and try again."
            ) from error

    def _reply(self, connection: Connection) -> list[bytes]:
        deadline = time.monotonic() + self._limits.seconds
        self._largest = 0
        most = BYTES_PER_CHAR * self._limits.output_chars + 1024
        frames: list[bytes] = []
        pages = 0
        while len(frames) < messages.REPLY_FRAMES:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise _Stopped(FailureReason.TIMEOUT)
            if connection.poll(min(WATCH_SECONDS, remaining)):
                frame = _received(connection, most)
                if frame != messages.MORE_TIME or frames:
                    frames.append(frame)
                elif pages < self._limits.ocr_pages:  # so that a parser that was taken over can't go on for ever
                    pages += 1
                    deadline = max(deadline, time.monotonic() + self._limits.page_seconds)
            elif self.resident_bytes() > self._limits.memory_bytes:
                raise _Stopped(FailureReason.OUT_OF_MEMORY)
        self._files += 1
        return frames

    def _failure(self, path: Path, reason: FailureReason | None) -> Exception:
        """End the broken process and return what to raise for it."""
        with self._lock:
            abandoned = self._abandoned
            self._kill()
        exit_code, errors = self._end()
        if abandoned:
            return WorkCancelledError()
        reason = reason or self._cause_of_death(exit_code, errors)
        logger.warning("parser process ended (%s, exit code %s) on %r: %s", reason, exit_code, str(path), errors[-500:])
        return DocumentError(reason, failure_message(reason, path, self._limits))

    def _end(self) -> tuple[int | None, str]:
        process = self._process
        if process is None:
            return None, ""
        process.join(JOIN_SECONDS)
        exit_code = process.exitcode
        try:
            stderr = (self._scratch or Path()) / "stderr"
            errors = stderr.read_bytes()[-4000:].decode("utf-8", "replace")
        except OSError:
            errors = ""  # it ended before it could open the file
        self.stop()
        return exit_code, errors

    def _cause_of_death(self, exit_code: int | None, errors: str) -> FailureReason:
        if _SIGXCPU is not None and exit_code == -_SIGXCPU:
            return FailureReason.TIMEOUT
        lowered = errors.lower()
        if any(sign in lowered for sign in _OUT_OF_MEMORY_SIGNS) or self._largest > self._limits.memory_bytes * 0.8:
            return FailureReason.OUT_OF_MEMORY
        return FailureReason.CRASHED

    def _recycle(self) -> None:
        if self._process is None:
            return
        if self._files >= self._limits.files_per_process or self.resident_bytes() > self._limits.recycle_bytes:
            self.stop()

    def resident_bytes(self) -> int:
        """Return how much memory the process holds, 0 if there is none."""
        import psutil

        if self._process is None or self._process.pid is None:
            return 0
        try:
            if self._watched is None or self._watched.pid != self._process.pid:
                self._watched = psutil.Process(self._process.pid)  # costs more than what is asked of it
            resident = int(self._watched.memory_info().rss)
        except psutil.Error:
            return 0  # it has just ended; the pipe tells
        self._largest = max(self._largest, resident)
        return resident

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
