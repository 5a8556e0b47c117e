"""Keeps the derived indexes up with the library while it changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from app.domain.errors import UserFacingError

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""Changes are taken over in bulk: a refresh for every file would cost more than the file."""


class RefreshableIndex(Protocol):
    """An index derived from the library."""

    @property
    def sequence(self) -> int:
        """The library's change that the index has reached."""
        ...

    def refresh(self) -> None:
        """Take over what changed in the library."""
        ...


class IndexRefresher:
    """A thread that refreshes the indexes after changes, and once more at the end.

    ``forget_changes`` is told up to which change every index has come.
    """

    def __init__(
        self, open_indexes: Callable[[], tuple[RefreshableIndex, ...]], forget_changes: Callable[[int], None]
    ) -> None:
        self._open_indexes = open_indexes
        self._forget_changes = forget_changes
        self._dirty = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def changed(self) -> None:
        """The library changed. Returns at once."""
        self._dirty.set()
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="index-refresher", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Take over the last changes and end."""
        with self._lock:
            self._closing.set()
            thread = self._thread
        self._dirty.set()
        if thread:
            thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._dirty.wait()
            self._closing.wait(PAUSE_SECONDS)
            self._dirty.clear()
            self._refresh()

    def _refresh(self) -> None:
        try:
            indexes = self._open_indexes()
            for index in indexes:
                index.refresh()
            self._forget_changes(min(index.sequence for index in indexes))
        except UserFacingError as error:
            # The library holds everything; the next search or start takes it over and tells the user if it can't.
            log.warning("the indexes could not be refreshed: %s", error)
