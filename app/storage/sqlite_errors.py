"""SQLite's error codes in words for the user."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.domain.errors import DamagedDatabaseError, StorageError

_IN_USE = "{path} is in use by another program. Close other Footnote windows and commands and try again."
# Primary result codes, https://www.sqlite.org/rescode.html; extended codes carry them in the low byte.
_MESSAGES = {
    sqlite3.SQLITE_FULL: "The disk that holds {path} is full. Nothing of the last step was saved. Free some space and "
    "try again.",
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_IOERR: "{path} can't be read or written: the disk reported an error. Check that the disk is "
    "connected, healthy and not full, then try again.",
    sqlite3.SQLITE_READONLY: "{path} can't be changed: the file or its folder is read-only. Check its permissions.",
    sqlite3.SQLITE_PERM: "{path} can't be opened: permission denied. Check who owns it.",
    sqlite3.SQLITE_CANTOPEN: "{path} can't be opened. Check that its folder exists and that you may write there.",
}
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@contextmanager
def storage_errors(path: Path, damaged_advice: Callable[[], str]) -> Iterator[None]:
    """Turn what the disk or another program did to ``path`` into ``StorageError``; our own mistakes pass through.

    ``damaged_advice`` is asked only when it is needed, as it looks through a folder.
    """
    try:
        yield
    except sqlite3.Error as error:
        message = _message(error, path, damaged_advice)
        if message is None:
            raise
        if _is_damage(error):
            raise DamagedDatabaseError(message, path) from error
        raise StorageError(message) from error


def _message(error: sqlite3.Error, path: Path, damaged_advice: Callable[[], str]) -> str | None:
    if _is_damage(error):
        return f"{path} is damaged. {damaged_advice()}"
    template = _MESSAGES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return template.format(path=path) if template else None


def _is_damage(error: sqlite3.Error) -> bool:
    """SQLite noticed it, or Python, which was handed a text that can't be one: all that we write is UTF-8."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED or "decode to UTF-8" in str(error)
