"""Tar archives as folders, plain or compressed. They are read as a stream: what is before a member costs its time."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import sys
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from app.domain.errors import DocumentError
from app.loaders import archives_entries as common
from app.loaders.archives_entries import ArchiveFolderLimits, Entry, MeteredReader

_GZIP, _BZIP2, _XZ, _ZSTANDARD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"


class TarFormat:
    """Reads tar archives packed by gzip, bzip2, xz, Zstandard or not at all, told from their first bytes."""

    def entries(self, path: Path, limits: ArchiveFolderLimits) -> list[Entry]:
        """Return all entries but folders. Reads the whole archive. Raises ``DocumentError``: damaged or too_large."""
        found: list[Entry] = []
        with _opened(path, limits) as archive:
            for member in archive:
                if member.isdir():
                    continue
                if len(found) >= limits.members:
                    raise common.too_many(path, limits, len(found) + 1)
                found.append(_entry(archive, member))
        return found

    def extract(self, path: Path, targets: Mapping[int, Path], limits: ArchiveFolderLimits) -> dict[int, DocumentError]:
        """Write the entries with these numbers to new files in one pass. Returns what went wrong with which."""
        failures: dict[int, DocumentError] = {}
        missing = set(targets)
        with _opened(path, limits) as archive:
            members = (member for member in archive if not member.isdir())
            for number, member in enumerate(members):
                if number not in missing:
                    continue
                missing.discard(number)
                if member.size > limits.member_bytes:
                    failures[number] = common.member_too_large(member.name, limits)
                elif (source := archive.extractfile(member)) is not None:
                    common.copied(source, targets[number], limits.member_bytes)
                if not missing:
                    break
        return failures


def _entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    name = member.name.encode("utf-8", "replace").decode("utf-8")
    if member.issym() or member.islnk():
        return Entry(name, 0, problem="it is a link")
    if not member.isreg() or member.issparse():
        return Entry(name, 0, problem="it is no regular file")
    return Entry(name, member.size, common.fingerprinted(member.mtime, _checksum(archive, member)))


def _checksum(archive: tarfile.TarFile, member: tarfile.TarInfo) -> int:
    checksum = 0
    with contextlib.closing(cast(IO[bytes], archive.extractfile(member))) as source:
        while data := source.read(common.COPY_BYTES):
            checksum = zlib.crc32(data, checksum)
    return checksum


@contextmanager
def _opened(path: Path, limits: ArchiveFolderLimits) -> Iterator[tarfile.TarFile]:
    broken = (tarfile.TarError, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError, _zstandard().ZstdError)
    try:
        with _decompressed(path) as unpacked:
            metered: Any = MeteredReader(unpacked, common.most_unpacked(path, limits))
            with tarfile.open(fileobj=metered, mode="r|", errorlevel=2) as archive:
                yield archive
    except common.LimitExceededError as error:
        raise common.too_large(path, limits) from error
    except broken as error:
        raise common.archive_damaged(path) from error


@contextmanager
def _decompressed(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(0)
        with contextlib.closing(_decompressor(file, start)) as unpacked:
            yield unpacked


def _decompressor(file: IO[bytes], start: bytes) -> IO[bytes]:
    if start.startswith(_GZIP):
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    if start.startswith(_BZIP2):
        return bz2.BZ2File(file)
    if start.startswith(_XZ):
        return lzma.LZMAFile(file)
    if start.startswith(_ZSTANDARD):
        return cast(IO[bytes], _zstandard().ZstdFile(file))
    return file


def _zstandard() -> Any:
    """The standard library's module, or its backport for Pythons before 3.14."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
