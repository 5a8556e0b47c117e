"""Paths that something happened to, held back until they are at rest."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass

QUIET_SECONDS = 0.3
"""Programs write a file in several steps; this long after the last one it counts as written."""

LONGEST_WAIT_SECONDS = 30.0
"""A file that never rests, such as a log, is read as it is."""


@dataclass(slots=True)
class _Unrest:
    first: float
    due: float
    stamp: tuple[int, int] | None = None
    retry: bool = False


class SettlingPaths:
    """Collects paths and gives them back when they have been quiet, and files only when they no longer grow.

    Times are those of ``clock``, in seconds. Not thread-safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._clock = clock
        self._quiet = quiet_seconds
        self._paths: dict[str, _Unrest] = {}

    def __len__(self) -> int:
        return len(self._paths)

    def add(self, path: str, *, retry: bool = True) -> None:
        """Something happened to ``path``. ``retry`` is handed back: whether it may be tried again after a failure."""
        now = self._clock()
        entry = self._paths.setdefault(path, _Unrest(now, now))
        entry.due = min(now + self._quiet, entry.first + LONGEST_WAIT_SECONDS)
        entry.retry = entry.retry or retry

    @property
    def next_due(self) -> float | None:
        """When to call ``take_settled`` next, by ``clock``; None when nothing is waiting."""
        return min((entry.due for entry in self._paths.values()), default=None)

    def take_settled(self) -> dict[str, bool]:
        """The paths at rest, each with its ``retry``; the others go on waiting."""
        now = self._clock()
        settled: dict[str, bool] = {}
        for path, entry in list(self._paths.items()):
            if entry.due <= now and self._is_at_rest(path, entry, now):
                settled[path] = entry.retry
                del self._paths[path]
        return settled

    def _is_at_rest(self, path: str, entry: _Unrest, now: float) -> bool:
        stamp, age = _stamp_and_age(path)
        at_rest = stamp is None or age > self._quiet or stamp == entry.stamp
        if at_rest or now - entry.first >= LONGEST_WAIT_SECONDS:
            return True
        entry.stamp, entry.due = stamp, now + self._quiet
        return False


def _stamp_and_age(path: str) -> tuple[tuple[int, int] | None, float]:
    """Size and time of change of a regular file, and how old that is; None for everything else.

    A clock that was set back makes a file look as if it came from the future; it is then compared with itself.
    """
    try:
        information = os.lstat(path)
    except OSError:
        return None, 0.0
    if not stat.S_ISREG(information.st_mode):
        return None, 0.0
    return (information.st_size, information.st_mtime_ns), time.time() - information.st_mtime
