"""Lanes: the jobs that share a row of stages, each with its priority, each paused on its own."""

from __future__ import annotations

import threading
from itertools import count


class Lane:
    """What one job's items travel in. Lanes of higher ``priority`` go first, among equals the older one."""

    def __init__(self, lanes: Lanes, priority: int, number: int) -> None:
        self._lanes = lanes
        self.priority = priority
        self.order = (-priority, number)
        self.paused = False

    @property
    def held(self) -> bool:
        """Whether nothing of this lane may be begun now."""
        return self.paused or self._lanes.held

    def set_paused(self, paused: bool) -> None:
        """Begin nothing more of this lane, or go on; what is being worked on is finished."""
        with self._lanes.changed:
            self.paused = paused
            self._lanes.changed.notify_all()


class Lanes:
    """All lanes of a row of stages. ``changed`` guards the stages too, so that one may wait for another."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.closed = False
        self.held = False
        self._numbers = count()

    def open(self, priority: int = 0) -> Lane:
        """A new lane."""
        return Lane(self, priority, next(self._numbers))

    def hold(self, held: bool) -> None:
        """Begin nothing in any lane, or go on."""
        with self.changed:
            self.held = held
            self.changed.notify_all()

    def close(self) -> None:
        """Wake everyone who waits; they see ``closed``."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def wait_until_free(self, lane: Lane) -> bool:
        """Wait while the lane is held. False when all was closed meanwhile."""
        with self.changed:
            self.changed.wait_for(lambda: self.closed or not lane.held)
            return not self.closed
