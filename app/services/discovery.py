"""Finding the files behind the paths that a user drops or types."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.domain.documents import FileStamp
from app.domain.errors import DocumentError, FailureReason


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file to ingest and the stamp it had when it was found."""

    path: Path
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A path that can't be ingested, and why."""

    path: Path
    error: DocumentError


class FileDiscovery:
    """Walks files and folders.

    Inside folders, hidden entries and files of unsupported kinds are passed over and symbolic links are not followed,
    so that a loop or a link out of the folder brings nothing in. A path named by the user is always answered for.
    """

    def __init__(self, is_supported: Callable[[Path], bool]) -> None:
        self._is_supported = is_supported

    def find(self, paths: list[Path]) -> Iterator[FoundFile | Unreadable]:
        """Yield every file once, folders in order of name."""
        seen: set[Path] = set()
        for path in paths:
            # resolve() would follow links and show the user a path that he doesn't know.
            for found in self._below(Path(os.path.abspath(path))):  # noqa: PTH100
                if found.path not in seen:
                    seen.add(found.path)
                    yield found

    def _below(self, path: Path) -> Iterator[FoundFile | Unreadable]:
        try:
            information = path.stat()
        except OSError as error:
            yield Unreadable(path, _reason(path, error))
            return
        if stat.S_ISDIR(information.st_mode):
            yield from self._walk(path)
        elif stat.S_ISREG(information.st_mode):
            yield self._file(path, information)
        else:
            yield Unreadable(path, DocumentError(FailureReason.UNSUPPORTED, "This is not a regular file or folder."))

    def _file(self, path: Path, information: os.stat_result) -> FoundFile | Unreadable:
        if not self._is_supported(path):
            kind = path.suffix or "without an extension"
            message = f"Footnote can't read files of this kind ({kind}). Convert it to PDF or text and add that."
            return Unreadable(path, DocumentError(FailureReason.UNSUPPORTED, message))
        return FoundFile(path, FileStamp(information.st_size, information.st_mtime_ns))

    def _walk(self, folder: Path) -> Iterator[FoundFile | Unreadable]:
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield Unreadable(folder, _reason(folder, error))
            return
        for entry in listed:
            if entry.name.startswith(".") or entry.is_symlink():
                continue
            yield from self._entry(entry)

    def _entry(self, entry: os.DirEntry[str]) -> Iterator[FoundFile | Unreadable]:
        path = Path(entry.path)
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(path)
            elif entry.is_file(follow_symlinks=False) and self._is_supported(path):
                yield self._file(path, entry.stat(follow_symlinks=False))
        except OSError as error:
            yield Unreadable(path, _reason(path, error))


def _reason(path: Path, error: OSError) -> DocumentError:
    if isinstance(error, FileNotFoundError):
        return DocumentError(FailureReason.NOT_FOUND, "There is no such file or folder.")
    if isinstance(error, PermissionError):
        kind = "folder" if path.is_dir() else "file"
        message = f"You don't have permission to read this {kind}. Change its permissions and add it again."
        return DocumentError(FailureReason.NO_PERMISSION, message)
    return DocumentError(FailureReason.NOT_FOUND, f"It can't be read: {error.strerror or error}.")
