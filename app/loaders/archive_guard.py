"""Looks into zip containers (office files, e-books) before anything unpacks them."""

from __future__ import annotations

import lzma
import mmap
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import DocumentError, FailureReason
from app.loaders.parser_limits import MEBIBYTE

COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_ENCRYPTED_FLAG = 0x1
_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    zlib.error,
    lzma.LZMAError,
)


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may hold: ``entries``, unpacked bytes of all and of one, and unpacked bytes per packed byte.

    The ratio counts from ``ratio_from`` unpacked bytes on: small files of blanks pack very well and harm nobody.
    """

    entries: int = 5_000
    total_bytes: int = 300 * MEBIBYTE
    member_bytes: int = 64 * MEBIBYTE
    ratio: int = 200
    ratio_from: int = 10 * MEBIBYTE


class GuardedArchive:
    """A zip container that is read within limits. What its table of contents says of sizes is not believed.

    Members nobody reads, such as films in a presentation, count towards no limit.
    """

    def __init__(self, path: Path, limits: ArchiveLimits | None = None) -> None:
        """Raises ``DocumentError``: ``damaged``, ``encrypted`` or ``too_large``."""
        self._path = path
        self._limits = limits or ArchiveLimits()
        self._read_bytes = 0
        _refuse_encrypted_office_file(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
            raise damaged(path) from error
        try:
            self._check_table()
        except DocumentError:
            self._zip.close()
            raise

    def __enter__(self) -> GuardedArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def names(self) -> list[str]:
        """Names of the members, as they stand in the table of contents."""
        return self._zip.namelist()

    def read(self, name: str) -> bytes | None:
        """Return a member's content, or None if there is none of that name.

        Raises ``DocumentError``: ``damaged``, or ``too_large`` if it unpacks to more than allowed.
        """
        limits = self._limits
        allowed = min(limits.member_bytes, limits.total_bytes - self._read_bytes)
        try:
            packed = self._zip.getinfo(name).compress_size
            with self._zip.open(name) as member:
                data = member.read(allowed + 1)
        except KeyError:
            return None
        except _BROKEN as error:
            raise damaged(self._path) from error
        self._read_bytes += len(data)
        if len(data) > allowed or (len(data) > limits.ratio_from and len(data) > limits.ratio * max(1, packed)):
            raise _too_large(self._path)
        return data

    def _check_table(self) -> None:
        members = self._zip.infolist()
        if any(member.flag_bits & _ENCRYPTED_FLAG for member in members):
            raise encrypted(self._path)
        if len(members) > self._limits.entries:
            raise _too_large(self._path)


def require_sane_archive(path: Path, limits: ArchiveLimits | None = None) -> None:
    """Check the container at ``path`` for a parser of others that reads it next, every member included.

    Raises ``DocumentError``: ``damaged``, ``encrypted`` or ``too_large``.
    """
    with GuardedArchive(path, limits) as archive:
        for name in archive.names:
            archive.read(name)


def damaged(path: Path) -> DocumentError:
    """Return what to say of a file that its own reader can't make sense of."""
    message = f"“{path.name}” is damaged or is not what its extension says. Get a fresh copy and add it again."
    return DocumentError(FailureReason.DAMAGED, message)


def encrypted(path: Path) -> DocumentError:
    """Return what to say of a file that needs a password."""
    message = f"“{path.name}” is protected by a password. Remove the password and add it again."
    return DocumentError(FailureReason.ENCRYPTED, message)


def _too_large(path: Path) -> DocumentError:
    message = f"“{path.name}” unpacks to far more data than a document holds, so it was not opened."
    return DocumentError(FailureReason.TOO_LARGE, message)


def _refuse_encrypted_office_file(path: Path) -> None:
    """Office wraps a protected docx, xlsx or pptx into an old-style compound file."""
    with path.open("rb") as file:
        if file.read(len(COMPOUND_FILE)) != COMPOUND_FILE:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data.find(_ENCRYPTED_STREAM) >= 0:
                raise encrypted(path)
