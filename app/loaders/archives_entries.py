"""What the readers of archive formats have in common: entries, limits, and copying within them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from app.domain.errors import DocumentError, FailureReason
from app.loaders.parser_limits import MEBIBYTE

COPY_BYTES = 1 << 18
_NANOSECONDS = 1_000_000_000
_LATEST_SECOND = 1 << 33


@dataclass(frozen=True, slots=True)
class ArchiveFolderLimits:
    """How much an archive may hold: ``members``, unpacked bytes of all and of one, unpacked bytes per packed byte.

    The ratio counts from ``ratio_from`` unpacked bytes on. Archives are opened inside archives until they are nested
    ``depth`` deep. What is inside inner archives counts towards the limits of the outermost.
    """

    members: int = 5_000
    total_bytes: int = 1024 * MEBIBYTE
    member_bytes: int = 256 * MEBIBYTE
    ratio: int = 200
    ratio_from: int = 32 * MEBIBYTE
    depth: int = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive. ``problem`` says in a few words why it can't become a document, or is "".

    ``name`` is as it stands in the archive. ``mtime_ns`` counts whole seconds; its nanoseconds are taken from a
    checksum of the content, so that content which changes without its date or size is seen.
    """

    name: str
    size: int
    mtime_ns: int = 0
    problem: str = ""


class ArchiveFormat(Protocol):
    """Reads one archive format. Both functions raise ``DocumentError`` for the archive as a whole."""

    def entries(self, path: Path, limits: ArchiveFolderLimits) -> list[Entry]:
        """Return all entries but folders, in their order."""
        ...

    def extract(self, path: Path, targets: Mapping[int, Path], limits: ArchiveFolderLimits) -> dict[int, DocumentError]:
        """Write the entries with these numbers to new files. Returns what went wrong with which."""
        ...


class LimitExceededError(Exception):
    """An archive or a member unpacks to more than allowed."""


class MeteredReader:
    """Passes on what it reads from a decompressor, up to ``most`` bytes in all. Raises ``LimitExceededError``."""

    def __init__(self, source: IO[bytes], most: int) -> None:
        self._source = source
        self._left = most

    def read(self, size: int = -1) -> bytes:
        """Read at most ``size`` bytes; all that is allowed when it is negative."""
        data = self._source.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise LimitExceededError
        return data


def fingerprinted(seconds: float, checksum: int) -> int:
    """Return a date in nanoseconds that changes with the checksum of the content."""
    return int(min(max(seconds, 0), _LATEST_SECOND)) * _NANOSECONDS + checksum % _NANOSECONDS


def most_unpacked(path: Path, limits: ArchiveFolderLimits) -> int:
    """Return how many bytes the archive at ``path`` may unpack to, by its size on the disk."""
    return min(limits.total_bytes, max(limits.ratio_from, limits.ratio * path.stat().st_size))


def require_sane_sizes(path: Path, sizes: list[int], limits: ArchiveFolderLimits) -> None:
    """Raises ``DocumentError`` (``too_large``) for more members, or more bytes, than an archive may hold."""
    if len(sizes) > limits.members:
        raise too_many(path, limits, len(sizes))
    if sum(sizes) > most_unpacked(path, limits):
        raise too_large(path, limits, sum(sizes))


def copied(source: IO[bytes], target: Path, most: int) -> None:
    """Copy ``source`` to the new file ``target``. Raises ``LimitExceededError`` beyond ``most`` bytes.

    Raises ``DocumentError`` when the disk takes no more, which must not look like a damaged archive.
    """
    written = 0
    with target.open("xb") as file:
        while data := source.read(COPY_BYTES):
            written += len(data)
            if written > most:
                raise LimitExceededError
            write_all(file, data)


def write_all(file: IO[bytes], data: bytes | bytearray) -> None:
    """Write ``data``. Raises ``DocumentError`` when the disk takes no more."""
    try:
        file.write(data)
    except OSError as error:
        message = f"There was no room to unpack it: {error.strerror}. Free some space on the disk and add it again."
        raise DocumentError(FailureReason.CRASHED, message) from error


def too_many(path: Path, limits: ArchiveFolderLimits, count: int) -> DocumentError:
    """Return what to say of an archive with too many members."""
    return DocumentError(
        FailureReason.TOO_LARGE,
        f"“{path.name}” holds {count:,} files; an archive may hold up to {limits.members:,}. "
        "Unpack it into a folder and add that.",
    )


def too_large(path: Path, limits: ArchiveFolderLimits, size: int | None = None) -> DocumentError:
    """Return what to say of an archive that unpacks to too much."""
    if size is not None and size <= limits.total_bytes:
        message = (
            f"“{path.name}” unpacks to {size // max(1, path.stat().st_size):,} times its size, as archives made to "
            "fill a disk do, so it was not opened. If you trust it, unpack it into a folder and add that."
        )
    else:
        message = (
            f"“{path.name}” unpacks to more than {limits.total_bytes / 1e6:,.0f} MB or to far more than its size, so "
            "it was not opened. If you trust it, unpack it into a folder and add that."
        )
    return DocumentError(FailureReason.TOO_LARGE, message)


def member_too_large(name: str, limits: ArchiveFolderLimits) -> DocumentError:
    """Return what to say of a member that is too large."""
    return DocumentError(
        FailureReason.TOO_LARGE,
        f"“{name}” unpacks to more than {limits.member_bytes / 1e6:,.0f} MB, the most for a file in an archive. "
        "Unpack the archive into a folder and add that.",
    )


def member_damaged(name: str) -> DocumentError:
    """Return what to say of a member whose bytes are not what the archive says."""
    message = f"“{name}” is damaged inside its archive. Get a fresh copy of the archive and add it again."
    return DocumentError(FailureReason.DAMAGED, message)


def member_encrypted(name: str) -> DocumentError:
    """Return what to say of a member behind a password."""
    message = f"“{name}” is protected by a password inside its archive. Unpack it into a folder and add that."
    return DocumentError(FailureReason.ENCRYPTED, message)


def archive_damaged(path: Path) -> DocumentError:
    """Return what to say of an archive that can't be opened."""
    message = f"The archive “{path.name}” is damaged or incomplete. Get a fresh copy and add it again."
    return DocumentError(FailureReason.DAMAGED, message)


def archive_encrypted(path: Path) -> DocumentError:
    """Return what to say of an archive behind a password."""
    message = f"The archive “{path.name}” is protected by a password. Unpack it into a folder and add that."
    return DocumentError(FailureReason.ENCRYPTED, message)
