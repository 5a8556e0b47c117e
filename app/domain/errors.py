"""The family of errors.

FootnoteError
├─ UserFacingError            the world failed; the message is written for the user and says what to do
│  ├─ BadInputError           what the user typed or passed can't be used (exit status 2)
│  ├─ DocumentError           one document can't be read; carries a ``FailureReason``
│  ├─ LibraryLockedError      another process owns the library
│  ├─ StorageError            the disk is full, a database is damaged or newer than this program
│  │  └─ DamagedDatabaseError its pages can't be read; carries the file's ``path``
│  └─ ModelFileError          model files are missing, altered or of a refused kind
└─ WorkCancelledError                the user stopped the work; never shown as an error

Everything else is a bug of ours and reaches the crash dialog with its traceback.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class FootnoteError(Exception):
    """Base of every error this program raises on purpose."""


class UserFacingError(FootnoteError):
    """The world failed. ``str(error)`` is plain text for the user and says what to do."""


class BadInputError(UserFacingError):
    """What the user typed or passed can't be used."""


class FailureReason(StrEnum):
    """Why a document could not be read. Stored in the library and stable in ``--json`` output."""

    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    EMPTY = "empty"
    NO_TEXT = "no_text"
    BINARY = "binary"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    NO_PERMISSION = "no_permission"
    NOT_FOUND = "not_found"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"


class DocumentError(UserFacingError):
    """One document can't be read. The others are unharmed."""

    def __init__(self, reason: FailureReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class LibraryLockedError(UserFacingError):
    """Another process owns the library. ``owner_pid`` is None when it can't be told."""

    def __init__(self, message: str, owner_pid: int | None = None) -> None:
        super().__init__(message)
        self.owner_pid = owner_pid


class StorageError(UserFacingError):
    """A database can't be used: disk full, damaged, or made by a newer Footnote."""


class DamagedDatabaseError(StorageError):
    """The pages of the database at ``path`` can't be read."""

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.path = path


class ModelFileError(UserFacingError):
    """Model files are missing, don't match their checksum, or are of a kind that is refused."""


class WorkCancelledError(FootnoteError):
    """The user stopped the work."""
