"""Tells whether the process that writes an answer still lives."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

FORGOTTEN_SECONDS = 86_400.0


class WriterMark:
    """A name of ours, held by an operating system lock on a file in ``folder``. Thread-safe.

    The system frees the lock when its process ends, however that happens; process ids would be given out again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = ""
        self._lock: BaseFileLock | None = None
        self._guard = threading.Lock()

    def name(self) -> str:
        """Our name, held from now on; empty where the file system has no locks."""
        with self._guard:
            if self._lock is None:
                self._hold()
            return self._name

    def living(self, name: str) -> bool:
        """Whether the process of that name still runs. The mark of one that ended is removed."""
        path = self._folder / name
        return bool(name) and path.exists() and not _remove_if_free(path)

    def tidy(self) -> None:
        """Remove the marks of processes that ended long ago; a young one may be about to be locked."""
        with suppress(OSError):
            for path in self._folder.iterdir():
                if time.time() - path.stat().st_mtime > FORGOTTEN_SECONDS:
                    _remove_if_free(path)

    def release(self) -> None:
        """Give the name up; does nothing when none is held."""
        with self._guard:
            if self._lock is None:
                return
            self._lock.release()
            with suppress(OSError):
                (self._folder / self._name).unlink(missing_ok=True)
            self._lock, self._name = None, ""

    def _hold(self) -> None:
        import filelock  # costs 25 ms, and reading chats never needs it

        name = uuid.uuid4().hex
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            lock = filelock.FileLock(self._folder / name, timeout=0, mode=0o600, thread_local=False)
            lock.acquire()
        except (OSError, NotImplementedError):
            return
        self._lock, self._name = lock, name


def _remove_if_free(path: Path) -> bool:
    """Remove a mark that nobody holds. Returns whether nobody does."""
    import filelock

    try:
        with filelock.FileLock(path, timeout=0, mode=0o600, thread_local=False):
            pass
        with suppress(PermissionError):  # Windows, while someone else looks at it
            path.unlink(missing_ok=True)
    except filelock.Timeout:
        return False
    except (OSError, NotImplementedError):
        return True
    return True
