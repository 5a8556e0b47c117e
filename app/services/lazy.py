"""Values that are made when they are first used."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """Makes a value at its first use and keeps it; threads that ask at once wait for the one that makes it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[T] = []

    def __call__(self) -> T:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    def replace(self, value: T) -> T | None:
        """Give this value from now on. Returns the one before, if it was ever made."""
        with self._lock:
            made, self._made = self._made, [value]
        return made[0] if made else None

    def if_made(self) -> T | None:
        """The value if it was ever made."""
        with self._lock:
            return self._made[0] if self._made else None

    def close(self) -> None:
        """Close the value if it was ever made."""
        with self._lock:
            made, self._made = self._made, []
        for value in made:
            value.close()  # type: ignore[attr-defined]  # only values with close() are closed
