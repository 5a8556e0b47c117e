"""Cancellation that is passed down as a value."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.domain.errors import WorkCancelledError


class CancelToken:
    """Tells work that it should stop. Thread-safe.

    Workers poll ``cancelled`` or call ``raise_if_cancelled()`` between steps; owners of something that must be
    woken register it with ``on_cancel``.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._next_key = 0

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel()`` was called."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Cancel once; later calls do nothing. Callbacks run on the calling thread."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Run ``callback`` when cancelled, at once if that has happened. Returns a function that forgets it."""
        with self._lock:
            if not self._event.is_set():
                key = self._next_key
                self._next_key += 1
                self._callbacks[key] = callback
                return lambda: self._forget(key)
        callback()
        return lambda: None

    def raise_if_cancelled(self) -> None:
        """Raise ``WorkCancelledError`` if cancelled."""
        if self._event.is_set():
            raise WorkCancelledError

    def _forget(self, key: int) -> None:
        with self._lock:
            self._callbacks.pop(key, None)
