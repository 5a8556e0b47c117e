"""The lock by which one process owns a library."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from app.domain.errors import LibraryLockedError, StorageError

if TYPE_CHECKING:
    from filelock import BaseFileLock


class LibraryLock:
    """An operating system lock on ``path``; the owner's process id stands in a file beside it.

    The system frees the lock when its owner ends, however that happens. It is not inherited by child processes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: BaseFileLock | None = None

    @property
    def owner_file(self) -> Path:
        """Where the owner's process id is written."""
        return self.path.with_name(f"{self.path.name}.owner")

    def acquire(self) -> None:
        """Own the library. Raises ``LibraryLockedError`` at once if another process, or this one, does already."""
        import filelock  # costs 25 ms, and a process that only reads never needs it

        lock = filelock.FileLock(self.path, timeout=0, mode=0o600, thread_local=False)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise self._locked() from None
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StorageError(f"{self.path} can't be locked: {reason}. Use a folder on a local disk.") from error
        self._lock = lock
        self._write_owner()

    def release(self) -> None:
        """Give the library up; does nothing when it is not owned."""
        if self._lock is not None:
            self.owner_file.unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def owner(self) -> int | None:
        """The process id its owner wrote; None when there is none, or that process is gone."""
        try:
            pid = int(self.owner_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        return pid if _alive(pid) else None

    def __enter__(self) -> LibraryLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def _write_owner(self) -> None:
        partial = self.owner_file.with_name(f"{self.owner_file.name}.partial")
        partial.touch(mode=0o600)
        partial.write_text(str(os.getpid()), encoding="ascii")
        partial.replace(self.owner_file)

    def _locked(self) -> LibraryLockedError:
        pid = self.owner()
        who = f"Footnote (process {pid})" if pid else "Another Footnote"
        return LibraryLockedError(f"{who} is using this library. Close it and try again.", pid)


def _alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # there os.kill(pid, 0) would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it belongs to another user
    return True
