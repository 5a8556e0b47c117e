"""How fast work goes, and how much is left."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

MEMORY_SECONDS = 20.0
SURE_AFTER_SECONDS = 3.0
SURE_AFTER_UNITS = 32


class RateMeter:
    """Units of work a second, as an exponentially weighted mean over about ``MEMORY_SECONDS``. Thread-safe.

    After ``dt`` seconds older units and seconds weigh exp(-dt / ``MEMORY_SECONDS``). Time in which nothing was to be
    done, or work was paused, doesn't count: call ``start`` when work begins and ``stop`` when it rests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: float | None = None
        self._units = self._seconds = 0.0
        self._all_units = 0
        self._all_seconds = 0.0

    def start(self) -> None:
        """Work begins or goes on."""
        with self._lock:
            if self._last is None:
                self._last = self._clock()

    def stop(self) -> None:
        """Work rests."""
        with self._lock:
            self._last = None

    def did(self, units: int) -> None:
        """So many units have just been done."""
        with self._lock:
            now = self._clock()
            passed = 0.0 if self._last is None else now - self._last
            self._last = now
            kept = math.exp(-passed / MEMORY_SECONDS)
            self._units = self._units * kept + units
            self._seconds = self._seconds * kept + passed
            self._all_units += units
            self._all_seconds += passed

    @property
    def rate(self) -> float | None:
        """Units a second; None until enough was done to tell."""
        with self._lock:
            if self._all_seconds < SURE_AFTER_SECONDS or self._all_units < SURE_AFTER_UNITS:
                return None
            return self._units / self._seconds if self._seconds > 0 and self._units > 0 else None


PRIOR_BYTES = 200_000
PRIOR_BYTES_PER_UNIT = 2_000
FEWEST_UNITS_PER_FILE = 1


class UnitEstimate:
    """Guesses how many units (chunks) files hold that nobody has opened yet, from those that were, by kind of file.

    The share of a kind is (prior + units seen) / (prior bytes + bytes seen): one tiny file says next to nothing, and
    megabytes override what was assumed. Not thread-safe.
    """

    def __init__(self) -> None:
        self._unread: dict[str, list[int]] = {}  # kind: files, bytes
        self._seen: dict[str, list[int]] = {}  # kind: units, bytes

    def expect(self, kind: str, size: int) -> None:
        """A file of ``size`` bytes is still to be read."""
        self._add(self._unread, kind, 1, size)

    def forget(self, kind: str, size: int) -> None:
        """It needs no reading after all."""
        self._add(self._unread, kind, -1, -size)

    def learn(self, kind: str, size: int, units: int) -> None:
        """It was read and holds so many units."""
        self.forget(kind, size)
        self._add(self._seen, kind, units, size)

    @property
    def units(self) -> float:
        """Units in all files still to be read."""
        return sum(self._units(kind, files, size) for kind, (files, size) in self._unread.items() if files > 0)

    def _units(self, kind: str, files: int, size: int) -> float:
        units, seen = self._seen.get(kind, (0, 0))
        share = (PRIOR_BYTES / PRIOR_BYTES_PER_UNIT + units) / (PRIOR_BYTES + seen)
        return max(FEWEST_UNITS_PER_FILE * files, share * size)

    @staticmethod
    def _add(totals: dict[str, list[int]], kind: str, first: int, second: int) -> None:
        entry = totals.setdefault(kind, [0, 0])
        entry[0] += first
        entry[1] += second
