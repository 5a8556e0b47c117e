"""Stages: bounded queues with worker threads of their own, the building block of long work.

A pipeline is a row of stages whose work functions ``put`` into the next stage. A full stage makes its producer wait, so
memory stays bounded however fast the first stage is.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class StageClosedError(Exception):
    """Something was put into a stage that has been closed."""


class Stage(Generic[T]):
    """A queue of at most ``capacity`` items and ``workers`` threads that hand them to ``work`` in lists.

    ``work`` receives at least one and at most ``batch`` items, as many as are waiting; it never waits for a batch to
    fill. An exception of ``work`` goes to ``on_error`` with the items it concerns; the stage goes on.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[list[T]], None],
        on_error: Callable[[list[T], Exception], None],
        *,
        workers: int = 1,
        capacity: int = 8,
        batch: int = 1,
    ) -> None:
        self.name = name
        self._work = work
        self._on_error = on_error
        self._capacity = capacity
        self._batch = batch
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._paused = False
        self._threads = [
            threading.Thread(target=self._run, name=f"stage-{name}-{number}", daemon=True) for number in range(workers)
        ]

    def start(self) -> None:
        """Start the worker threads."""
        for thread in self._threads:
            thread.start()

    def put(self, item: T) -> None:
        """Queue an item, waiting while the stage is full. Raises ``StageClosedError`` once the stage is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity)
            if self._closed:
                raise StageClosedError(self.name)
            self._items.append(item)
            self._changed.notify_all()

    def pause(self) -> None:
        """Take no new item until ``resume``; what is being worked on is finished."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        """Go on after ``pause``."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def close(self) -> list[T]:
        """Stop after the items being worked on and return those that were waiting. Wakes blocked producers."""
        with self._changed:
            self._closed = True
            left = list(self._items)
            self._items.clear()
            self._changed.notify_all()
        return left

    def join(self) -> None:
        """Wait for the worker threads of a closed stage."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _take(self) -> list[T]:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._items and not self._paused))
            taken = [self._items.popleft() for _ in range(min(self._batch, len(self._items)))]
            self._changed.notify_all()
        return taken

    def _run(self) -> None:
        while items := self._take():
            try:
                self._work(items)
            except Exception as error:  # noqa: BLE001 - a thread's edge: the owner of the stage decides
                self._on_error(items, error)
