"""Stages: bounded queues with worker threads of their own, the building block of long work.

A pipeline is a row of stages whose work functions ``pass_on`` to the next stage. A stage begins nothing while the
following one is full, so memory stays bounded however fast the first is. Items travel in lanes; what is full for one
lane has room for a lane of higher priority, so a small urgent job overtakes a large one in every queue.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from app.jobs.lanes import Lane, Lanes

T = TypeVar("T")


class StageClosedError(Exception):
    """Something was put into a stage that has been closed."""


class Stage(Generic[T]):
    """A queue and ``workers`` threads that hand its items to ``work`` in lists, lane by lane.

    ``weigh`` gives an item's weight. The queue has room for a lane while items of less than ``capacity`` wait in lanes
    of its priority or a higher one. ``work`` receives at least one item, and more while they weigh ``batch`` at most
    together; it never waits for a batch to fill. Items of held lanes wait unless the stage ``goes_on`` regardless, and
    don't count. An exception of ``work`` goes to ``on_error`` with the items it concerns; the stage goes on.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[list[T]], None],
        on_error: Callable[[list[T], Exception], None],
        *,
        lanes: Lanes | None = None,
        workers: int = 1,
        capacity: int = 8,
        batch: int = 1,
        weigh: Callable[[T], int] = lambda _: 1,
        following: Stage[Any] | None = None,
        goes_on: bool = False,
    ) -> None:
        self.name = name
        self._work = work
        self._on_error = on_error
        self._lanes = lanes or Lanes()
        self._changed = self._lanes.changed
        self._capacity = capacity
        self._batch = batch
        self._weigh = weigh
        self._following = following
        self._goes_on = goes_on
        self._queues: dict[Lane, deque[tuple[T, int]]] = {}
        self._weights: dict[Lane, int] = {}
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"stage-{name}-{number}", daemon=True) for number in range(workers)
        ]

    def start(self) -> None:
        """Start the worker threads."""
        for thread in self._threads:
            thread.start()

    def put(self, items: Sequence[T], lane: Lane) -> None:
        """Queue items, waiting while there is no room for the lane or it is held.

        For producers outside the pipeline. Raises ``StageClosedError`` once the stage is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (not lane.held and self._has_room(lane)))
            self.pass_on(items, lane)

    def pass_on(self, items: Iterable[T], lane: Lane) -> None:
        """Queue items at once: for the stage before, which began only when there was room.

        Raises ``StageClosedError`` once the stage is closed.
        """
        with self._changed:
            if self._closed:
                raise StageClosedError(self.name)
            weighed = [(item, self._weigh(item)) for item in items]
            if weighed:
                self._queues.setdefault(lane, deque()).extend(weighed)
                self._weights[lane] = self._weights.get(lane, 0) + sum(weight for _, weight in weighed)
                self._changed.notify_all()

    def withdraw(self, lane: Lane) -> list[T]:
        """Take out what waits in a lane, for a job that was cancelled."""
        with self._changed:
            self._weights.pop(lane, None)
            withdrawn = [item for item, _ in self._queues.pop(lane, ())]
            self._changed.notify_all()
        return withdrawn

    def close(self) -> list[T]:
        """Stop after the items being worked on and return those that were waiting. Wakes blocked producers."""
        with self._changed:
            self._closed = True
            left = [item for lane in self._in_order() for item, _ in self._queues[lane]]
            self._queues.clear()
            self._weights.clear()
            self._changed.notify_all()
        return left

    def join(self) -> None:
        """Wait for the worker threads of a closed stage."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _has_room(self, lane: Lane) -> bool:
        waiting = sum(
            weight
            for other, weight in self._weights.items()
            if other.priority >= lane.priority and (self._goes_on or not other.held)
        )
        return waiting < self._capacity

    def _in_order(self) -> list[Lane]:
        return sorted(self._queues, key=lambda lane: lane.order)

    def _may_begin(self, lane: Lane) -> bool:
        if lane.held and not self._goes_on:
            return False
        return self._following is None or self._following._has_room(lane)

    def _take(self) -> list[T]:
        taken: list[T] = []
        with self._changed:
            self._changed.wait_for(lambda: self._closed or any(map(self._may_begin, self._queues)))
            if self._closed:
                return []
            weight = 0
            for lane in filter(self._may_begin, self._in_order()):
                weight = self._take_from(lane, taken, weight)
            self._changed.notify_all()
        return taken

    def _take_from(self, lane: Lane, taken: list[T], weight: int) -> int:
        """Move items of a lane to ``taken`` while they fit its batch. Returns the weight of what is taken then."""
        queue = self._queues[lane]
        while queue and (not taken or weight + queue[0][1] <= self._batch):
            item, its_weight = queue.popleft()
            taken.append(item)
            weight += its_weight
            self._weights[lane] -= its_weight
        if not queue:
            del self._queues[lane], self._weights[lane]
        return weight

    def _run(self) -> None:
        while items := self._take():
            try:
                self._work(items)
            except Exception as error:  # noqa: BLE001 - a thread's edge: the owner of the stage decides
                self._on_error(items, error)
