"""Only regular, readable, non-empty files reach a loader."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from app.domain.errors import DocumentError, FailureReason


def require_readable(path: Path) -> int:
    """Return the size of ``path`` in bytes.

    Raises ``DocumentError`` (``not_found``, ``no_permission``, ``unsupported``, ``empty``) for anything but a regular
    file with content. It is opened without waiting, so that a pipe can't block.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise error_for(path, error) from error
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise DocumentError(FailureReason.UNSUPPORTED, f"“{path.name}” is not a regular file. Add a document instead.")
    if status.st_size == 0:
        raise DocumentError(FailureReason.EMPTY, f"“{path.name}” is empty (0 bytes), so there is nothing to read.")
    return status.st_size


def error_for(path: Path, error: OSError) -> DocumentError:
    """Return what to tell the user when the operating system refused ``path``."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        message = f"“{path.name}” is not there any more. If it was moved, add it from its new place."
        return DocumentError(FailureReason.NOT_FOUND, message)
    if isinstance(error, PermissionError):
        message = f"You don't have permission to read “{path.name}”. Change its permissions and add it again."
        return DocumentError(FailureReason.NO_PERMISSION, message)
    reason = os.strerror(error.errno) if error.errno else str(error)
    return DocumentError(FailureReason.DAMAGED, f"“{path.name}” could not be read from the disk: {reason}.")
