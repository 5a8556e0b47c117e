"""The folder in which parser processes put their temporary files, gone after the program however it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

PREFIX = "footnote-parsers-"
LOCK_NAME = "lock"
# A folder without a lock was made a moment ago, or by a program that was killed in that moment.
UNLOCKED_SECONDS = 3600.0


class ScratchFolder:
    """Made when first asked for, in the system's folder for temporary files, and locked while this program lives.

    A program that is killed can't remove its folder. Its parsers do; where it had none yet, the next program does.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._held: BaseFileLock | None = None

    def path(self) -> Path:
        """Return the folder. Raises ``OSError`` if there is no room for one."""
        with self._lock:
            if self._folder is None:
                remove_abandoned(Path(tempfile.gettempdir()))
                self._folder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
                self._held = _taken(Path(self._folder.name))
            return Path(self._folder.name)

    def remove(self) -> None:
        """Remove the folder with all that is in it. Idempotent."""
        with self._lock:
            folder, self._folder = self._folder, None
            held, self._held = self._held, None
        if held is not None:
            held.release()
        if folder is not None:
            folder.cleanup()


def remove_abandoned(temporary: Path) -> None:
    """Remove the folders in ``temporary`` of this user's programs that were killed; what can't be removed stays."""
    for folder in _ours(temporary):
        with contextlib.suppress(OSError):  # it went away, or isn't ours to remove
            if _is_abandoned(folder):
                shutil.rmtree(folder)


def remove_if_last(folder: Path) -> None:
    """Remove a pool's folder if no parser's folder is left in it. For parsers whose program has ended."""
    with contextlib.suppress(OSError):  # others are still in it, or have removed it
        if all(entry.name == LOCK_NAME for entry in folder.iterdir()):
            (folder / LOCK_NAME).unlink(missing_ok=True)
            folder.rmdir()


def _ours(temporary: Path) -> Iterator[Path]:
    """Yield the folders that this user made: others may put anything under such a name."""
    user = os.getuid() if hasattr(os, "getuid") else None
    with contextlib.suppress(OSError), os.scandir(temporary) as entries:
        for entry in entries:
            if not entry.name.startswith(PREFIX) or not entry.is_dir(follow_symlinks=False):
                continue
            if user is None or entry.stat(follow_symlinks=False).st_uid == user:
                yield Path(entry.path)


def _is_abandoned(folder: Path) -> bool:
    if not (folder / LOCK_NAME).exists():
        return time.time() - folder.stat().st_mtime > UNLOCKED_SECONDS
    held = _taken(folder)
    if held is None:
        return False
    held.release()
    return True


def _taken(folder: Path) -> BaseFileLock | None:
    """Lock a folder; None if its program lives."""
    import filelock  # costs 25 ms, and a program that reads no file never needs it

    lock = filelock.FileLock(folder / LOCK_NAME, timeout=0, mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        return None
    return lock
