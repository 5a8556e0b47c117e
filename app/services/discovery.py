"""Finding the files behind the paths that a user drops or types."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.domain.documents import FileStamp
from app.domain.errors import DocumentError, FailureReason
from app.domain.folders import FolderPreview
from app.services.folder_scanner import FolderScanner, seen_file
from app.services.ignore_rules import ScanRules


class ArchiveMember(Protocol):
    """A file inside an archive. ``name`` is its path there, separated by ``/``; size in bytes unpacked.

    ``mtime_ns`` is its own date, with a checksum of its content in the nanoseconds.
    """

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def mtime_ns(self) -> int: ...


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file, or a file inside an archive, and the stamp it had when it was found.

    A member of an archive has a path below the archive's, and a stamp of its own, which stays while it stays the same.
    """

    path: Path
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A path that can't be ingested, and why."""

    path: Path
    error: DocumentError


class FileDiscovery:
    """Walks files, folders and archives.

    Inside folders, what ``scanner`` leaves out (hidden entries, keys, files of unsupported kinds, what the user wants
    ignored) is passed over and symbolic links are not followed, so that a loop or a link out of the folder brings
    nothing in. A path named by the user is always answered for. ``list_archive`` may raise ``DocumentError``.
    """

    def __init__(
        self,
        is_supported: Callable[[Path], bool],
        scanner: FolderScanner | None = None,
        *,
        is_archive: Callable[[Path], bool] = lambda _path: False,
        list_archive: Callable[[Path], Sequence[ArchiveMember]] = lambda _path: (),
    ) -> None:
        self._is_supported = is_supported
        self._is_archive = is_archive
        self._list_archive = list_archive
        self._scanner = scanner or FolderScanner(lambda path: is_supported(path) or is_archive(path))

    def is_archive(self, path: Path) -> bool:
        """Whether the files in it are documents, not the file itself."""
        return self._is_archive(path)

    def find(self, paths: Iterable[Path]) -> Iterator[FoundFile | Unreadable]:
        """Yield every file once, folders in order of name."""
        seen: set[Path] = set()
        for path in paths:
            # resolve() would follow links and show the user a path that he doesn't know.
            for found in self._below(Path(os.path.abspath(path))):  # noqa: PTH100
                if found.path not in seen:
                    seen.add(found.path)
                    yield found

    def preview(self, paths: Iterable[Path]) -> FolderPreview:
        """What ``find`` would bring, counted without opening a file. An archive counts as one."""
        files, size = 0, 0
        passed_over: dict[str, int] = {}
        unreadable: list[Path] = []
        for path in paths:
            place = Path(os.path.abspath(path))  # noqa: PTH100
            if not os.path.isdir(place):  # noqa: PTH112  Path.is_dir raises where it may not look
                files, size = files + 1, size + (os.path.getsize(place) if os.path.isfile(place) else 0)  # noqa: PTH202, PTH113
                continue
            scan = self._scanner.scan(place)
            files, size = files + len(scan.files), size + scan.size
            unreadable.extend(map(Path, scan.unreadable))
            for reason, count in scan.passed_over.items():
                passed_over[reason] = passed_over.get(reason, 0) + count
        return FolderPreview(files, size, passed_over, tuple(unreadable))

    def members(self, archive: Path) -> list[FoundFile]:
        """The files in an archive that can be read. Raises ``DocumentError`` if it can't be listed."""
        rules = ScanRules()
        found = []
        for member in self._list_archive(archive):
            parts = member.name.split("/")
            skipped = any(rules.reason_to_skip(part, folder=True) for part in parts[:-1])
            path = archive.joinpath(*parts)
            skipped = skipped or bool(rules.reason_to_skip(parts[-1], folder=False)) or self._scanner.is_taken_out(path)
            if not skipped and self._is_supported(path):
                found.append(FoundFile(path, FileStamp(member.size, member.mtime_ns)))
        return found

    def _below(self, path: Path) -> Iterator[FoundFile | Unreadable]:
        try:
            information = path.stat()
        except NotADirectoryError as error:
            yield self._member(path) or Unreadable(path, _reason(path, error))
            return
        except OSError as error:
            yield Unreadable(path, _reason(path, error))
            return
        if stat.S_ISDIR(information.st_mode):
            yield from self._walk(path)
        elif stat.S_ISREG(information.st_mode):
            yield from self._file(path, seen_file(information).stamp)
        else:
            yield Unreadable(path, DocumentError(FailureReason.UNSUPPORTED, "This is not a regular file or folder."))

    def _walk(self, folder: Path) -> Iterator[FoundFile | Unreadable]:
        scan = self._scanner.scan(folder)
        for name, error in scan.unreadable.items():
            yield Unreadable(Path(name), _reason(Path(name), error))
        for name, seen in scan.files.items():
            yield from self._file(Path(name), seen.stamp)

    def _file(self, path: Path, stamp: FileStamp) -> Iterator[FoundFile | Unreadable]:
        if self._is_archive(path):
            # The archive is a document too: its table of contents, or the reason why it can't be opened.
            yield FoundFile(path, stamp)
            with contextlib.suppress(DocumentError):
                yield from self.members(path)
        elif self._is_supported(path):
            yield FoundFile(path, stamp)
        else:
            kind = path.suffix or "without an extension"
            message = f"Footnote can't read files of this kind ({kind}). Convert it to PDF or text and add that."
            yield Unreadable(path, DocumentError(FailureReason.UNSUPPORTED, message))

    def _member(self, path: Path) -> FoundFile | None:
        """A path below a regular file: a member of that archive, if it is one."""
        archive = archive_of(path)
        if archive is None or not self._is_archive(archive):
            return None
        members = self.members(archive)
        return next((each for each in members if each.path == path), None)


def archive_of(path: Path) -> Path | None:
    """The regular file that ``path`` lies below, as the members of archives do."""
    for parent in path.parents:
        try:
            mode = parent.stat().st_mode
        except NotADirectoryError:
            continue
        except OSError:
            return None
        return parent if stat.S_ISREG(mode) else None
    return None


def _reason(path: Path, error: OSError) -> DocumentError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return DocumentError(FailureReason.NOT_FOUND, "There is no such file or folder.")
    if isinstance(error, PermissionError):
        kind = "folder" if os.path.isdir(path) else "file"  # noqa: PTH112  Path.is_dir raises where it may not look
        message = f"You don't have permission to read this {kind}. Change its permissions and add it again."
        return DocumentError(FailureReason.NO_PERMISSION, message)
    return DocumentError(FailureReason.NOT_FOUND, f"It can't be read: {error.strerror or error}.")
