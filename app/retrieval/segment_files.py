"""Index files on the disk: written aside, made durable, renamed; verified block by block before anyone parses them."""

from __future__ import annotations

import hashlib
import mmap
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO

BLOCK_SIZE = 1 << 20
DIGEST_SIZE = 32
TEMPORARY_SUFFIX = ".tmp"
RENAME_ATTEMPTS = 10
RENAME_PAUSE_SECONDS = 0.05

Step = Callable[[str], None]
"""Called after each step of writing a file, with the step's name; tests end the process there."""


class DamagedSegmentError(Exception):
    """An index file is missing, truncated, altered or not the one that was recorded."""


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What identifies a file: its size in bytes, its SHA-256, and the SHA-256 of each block, concatenated."""

    size: int
    sha256: str
    block_size: int
    block_checksums: bytes


class SegmentFolder:
    """The folder of one index. Only the process that owns the library writes here."""

    def __init__(self, folder: Path, on_step: Step = lambda step: None) -> None:
        self.folder = folder
        self._on_step = on_step

    def write(self, name: str, write_to: Callable[[Callable[[bytes], None]], None]) -> FileDigest:
        """Write a file so that under its name there is all of it or nothing, also after a power loss.

        ``write_to`` is given a function that takes the bytes in order. Raises OSError.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / (name + TEMPORARY_SUFFIX)
        with open(aside, "wb", opener=_private) as file:
            hasher = _BlockHasher(file)
            write_to(hasher.write)
            digest = hasher.finish()
            self._on_step("written")
            file.flush()
            os.fsync(file.fileno())
        self._on_step("synced")
        _replace(aside, self.folder / name)
        self._on_step("renamed")
        _sync_folder(self.folder)
        self._on_step("folder synced")
        return digest

    def read_verified(self, name: str, digest: FileDigest) -> mmap.mmap:
        """Map a file after comparing every block with its checksum. Raises ``DamagedSegmentError``.

        Blocks are read, not mapped, to compare them: only what searches touch later counts as this process's memory.
        """
        try:
            with (self.folder / name).open("rb", buffering=0) as file:
                if os.fstat(file.fileno()).st_size != digest.size or not digest.size:
                    raise DamagedSegmentError(f"{name} has another size than was recorded")
                _verify(file, name, digest)
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise DamagedSegmentError(f"{name} can't be read: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """Delete a file. One that another process has open on Windows stays until the next clean-up."""
        try:
            (self.folder / name).unlink(missing_ok=True)
        except PermissionError:
            return

    def remove_others(self, prefix: str, keep: Iterable[str]) -> None:
        """Delete files that begin with ``prefix``, leftovers of interrupted writes included, but those to keep."""
        kept = set(keep)
        for path in self.folder.glob(f"{prefix}*"):
            if path.name not in kept and path.is_file():
                self.remove(path.name)


class _BlockHasher:
    """Passes bytes on to a file and hashes them, as a whole and by blocks."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._whole = hashlib.sha256()
        self._block = hashlib.sha256()
        self._in_block = 0
        self._checksums = bytearray()
        self._size = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._whole.update(data)
        self._size += len(data)
        view = memoryview(data)
        while view:
            piece = view[: BLOCK_SIZE - self._in_block]
            self._block.update(piece)
            self._in_block += len(piece)
            view = view[len(piece) :]
            if self._in_block == BLOCK_SIZE:
                self._end_block()

    def finish(self) -> FileDigest:
        if self._in_block:
            self._end_block()
        return FileDigest(self._size, self._whole.hexdigest(), BLOCK_SIZE, bytes(self._checksums))

    def _end_block(self) -> None:
        self._checksums += self._block.digest()
        self._block = hashlib.sha256()
        self._in_block = 0


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _verify(file: FileIO, name: str, digest: FileDigest) -> None:
    count = -(-digest.size // digest.block_size)
    if len(digest.block_checksums) != count * DIGEST_SIZE:
        raise DamagedSegmentError(f"the record of {name} is incomplete")
    buffer = bytearray(digest.block_size)
    for number in range(count):
        wanted = min(digest.block_size, digest.size - number * digest.block_size)
        with memoryview(buffer)[:wanted] as block:
            filled = 0
            while filled < wanted:
                read = file.readinto(block[filled:])
                if not read:
                    raise DamagedSegmentError(f"{name} became shorter")
                filled += read
            found = hashlib.sha256(block).digest()
        if found != digest.block_checksums[number * DIGEST_SIZE : (number + 1) * DIGEST_SIZE]:
            raise DamagedSegmentError(f"block {number} of {name} was altered")


def _replace(source: Path, target: Path) -> None:
    """Rename, trying again for half a second: on Windows virus scanners hold new files open for a moment."""
    for attempt in range(RENAME_ATTEMPTS):
        try:
            source.replace(target)
        except PermissionError:
            if attempt == RENAME_ATTEMPTS - 1:
                raise
            time.sleep(RENAME_PAUSE_SECONDS)
        else:
            return


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows can't open folders, and its file system journals renames
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
