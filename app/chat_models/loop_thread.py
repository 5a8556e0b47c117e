"""One asyncio loop on a daemon thread: where all network traffic of chat models happens.

Async inside, sync outside: a blocked synchronous read can't be cancelled, a task can, within milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import queue
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.domain.cancellation import CancelToken
from app.domain.errors import WorkCancelledError

T = TypeVar("T")
_JOIN_SECONDS = 5.0


class LoopThread:
    """Runs coroutines on its own loop. Thread-safe. The thread starts with the first use and ends with ``close()``."""

    def __init__(self, name: str = "footnote-loop") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run ``work`` on the loop. Cancelling the future cancels the task."""
        try:
            with self._lock:
                return asyncio.run_coroutine_threadsafe(work, self._running_loop())
        except RuntimeError:
            work.close()
            raise

    def run(self, work: Coroutine[Any, Any, T], cancel: CancelToken | None = None) -> T:
        """Run ``work`` and wait for it. Raises what it raises, ``WorkCancelledError`` when it was cancelled."""
        try:
            self._refuse_own_thread()
            if cancel is not None:
                cancel.raise_if_cancelled()
        except (RuntimeError, WorkCancelledError):
            work.close()
            raise
        future = self.submit(work)
        forget = cancel.on_cancel(lambda: _cancel(future)) if cancel else None
        try:
            return future.result()
        except CancelledError as error:
            raise WorkCancelledError from error
        finally:
            future.cancel()  # an exception of the waiting thread, such as KeyboardInterrupt, must not leave the task
            if forget:
                forget()

    def iterate(self, source: AsyncIterator[T], cancel: CancelToken | None = None) -> Iterator[T]:
        """Iterate over ``source``, which runs on the loop; it starts with the first ``next()``.

        Closing the iterator cancels the source and waits until it has cleaned up; so does ``cancel``, after which
        ``WorkCancelledError`` is raised to the reader.
        """
        self._refuse_own_thread()
        if cancel is not None:
            cancel.raise_if_cancelled()
        pump = _Pump(source)
        with self._lock:
            self._running_loop().call_soon_threadsafe(pump.start)
        forget = cancel.on_cancel(lambda: self._cancel_pump(pump)) if cancel else None
        ended = False
        try:
            while not isinstance(item := pump.items.get(), _End):
                yield item
            ended = True
            if item.error is not None:
                raise item.error
        finally:
            if forget:
                forget()
            if not ended:
                self._cancel_pump(pump)
                pump.drain()

    def close(self) -> None:
        """Cancel what is running, stop the loop and join the thread. May be called twice."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        with contextlib.suppress(TimeoutError):  # a task that doesn't let itself be cancelled must not keep the program
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(_JOIN_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_JOIN_SECONDS)

    def _cancel_pump(self, pump: _Pump[Any]) -> None:
        with self._lock:
            if self._loop is not None:  # else close() has cancelled everything
                self._loop.call_soon_threadsafe(pump.cancel)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """The loop, started if need be. The caller holds the lock, so that ``close()`` comes before or after."""
        if self._closed:
            raise RuntimeError(f"The loop thread {self._name} is closed.")
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_serve, args=(self._loop,), name=self._name, daemon=True)
            self._thread.start()
        return self._loop

    def _refuse_own_thread(self) -> None:
        if threading.current_thread() is self._thread:
            raise RuntimeError("A synchronous call on the loop's own thread would wait for itself: use the async twin.")


def _cancel(future: Future[Any]) -> None:
    future.cancel()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def _cancel_all() -> None:
    own = asyncio.current_task()
    tasks = [task for task in asyncio.all_tasks() if task is not own]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _End:
    """The last item of a pump: its error, None if all went well."""

    error: BaseException | None


class _Pump(Generic[T]):
    """Carries the items of an async iterator into a queue. A queue costs 1 µs an item, a call across threads 140 µs."""

    def __init__(self, source: AsyncIterator[T]) -> None:
        self.items: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self._source = source
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.ensure_future(self._run())
        # A callback, because a task that is cancelled before its first step never enters its body.
        self._task.add_done_callback(self._finish)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def drain(self) -> None:
        """Wait until the task has cleaned up, so that the connection is closed when the reader goes on."""
        with contextlib.suppress(queue.Empty):
            while not isinstance(self.items.get(timeout=_JOIN_SECONDS), _End):
                pass

    async def _run(self) -> None:
        async with closing(self._source):
            async for item in self._source:
                self.items.put(item)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self.items.put(_End(WorkCancelledError() if task.cancelled() else task.exception()))


@contextlib.asynccontextmanager
async def closing(source: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Close an async generator when the block ends; leaving it to the garbage collector would delay the disconnect."""
    try:
        yield source
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()


@functools.cache
def shared_loop_thread() -> LoopThread:
    """The loop of models that were made without one: one for the process, so that their connections can be reused."""
    return LoopThread()
