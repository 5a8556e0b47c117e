"""7z archives as folders, by py7zr. A 7z archive is solid: its members are unpacked one after the other."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from app.domain.errors import DocumentError
from app.loaders import archives_entries as common
from app.loaders.archives_entries import ArchiveFolderLimits, Entry

if TYPE_CHECKING:
    from py7zr import SevenZipFile


class SevenZipFormat:
    """Reads 7z archives."""

    def entries(self, path: Path, limits: ArchiveFolderLimits) -> list[Entry]:
        """Return all entries but folders. Raises ``DocumentError``: damaged, encrypted or too_large."""
        with _opened(path, limits) as archive:
            files = _files(archive)
            common.require_sane_sizes(path, [file.uncompressed for file in files], limits)
            return [_entry(file) for file in files]

    def extract(self, path: Path, targets: Mapping[int, Path], limits: ArchiveFolderLimits) -> dict[int, DocumentError]:
        """Write the entries with these numbers to new files in one pass. Returns what went wrong with which."""
        with _opened(path, limits) as archive:
            files = _files(archive)
            writers = {number: _Writer(target, limits.member_bytes) for number, target in targets.items()}
            factory: Any = _Factory({_outname(files, number): writer for number, writer in writers.items()})
            try:
                archive.extract(targets=[files[number].filename for number in targets], factory=factory)
            finally:
                for writer in writers.values():
                    writer.end()
        exceeded = [number for number, writer in writers.items() if writer.exceeded]
        return {number: common.member_too_large(files[number].filename, limits) for number in exceeded}


@contextmanager
def _opened(path: Path, limits: ArchiveFolderLimits) -> Iterator[SevenZipFile]:
    import py7zr
    from py7zr.exceptions import DecompressionBombError, PasswordRequired

    broken = (py7zr.exceptions.ArchiveError, EOFError, OSError, ValueError, TypeError, IndexError, KeyError)
    try:
        with py7zr.SevenZipFile(path, max_extract_size=common.most_unpacked(path, limits)) as archive:
            if archive.needs_password():
                raise common.archive_encrypted(path)
            yield archive
    except PasswordRequired as error:
        raise common.archive_encrypted(path) from error
    except (DecompressionBombError, common.LimitExceededError) as error:
        raise common.too_large(path, limits) from error
    except (*broken, AssertionError, AttributeError, lzma.LZMAError, zlib.error) as error:
        # py7zr trips over some damaged headers in its own ways.
        raise common.archive_damaged(path) from error


def _files(archive: SevenZipFile) -> list[Any]:
    return [file for file in archive.files if not file.is_directory]


def _entry(file: Any) -> Entry:
    seconds = file.lastwritetime.totimestamp() if file.lastwritetime is not None else 0
    if file.is_symlink or file.is_junction or file.is_socket:
        problem = "it is a link" if file.is_symlink or file.is_junction else "it is no regular file"
        return Entry(file.filename, 0, problem=problem)
    return Entry(file.filename, file.uncompressed, common.fingerprinted(seconds, file.crc32 or 0))


def _outname(files: list[Any], number: int) -> str:
    """The name under which py7zr asks for a writer: of entries with one name, all but the first get a number."""
    name = files[number].filename
    earlier = sum(file.filename == name for file in files[:number])
    return PurePosixPath(f"{name}_{earlier - 1}" if earlier else name).as_posix()


class _Factory:
    """Hands py7zr the writer of a member."""

    def __init__(self, writers: Mapping[str, _Writer]) -> None:
        self._writers = writers

    def create(self, filename: str) -> _Writer:
        """Return the writer for the member of that name; what is written to one of no such name is dropped."""
        return self._writers.get(PurePosixPath(filename).as_posix()) or _Writer(Path(filename), -1)


class _Writer:
    """A file as py7zr writes it, up to ``most`` bytes; what is beyond them is dropped and noted in ``exceeded``."""

    def __init__(self, target: Path, most: int) -> None:
        self._target = target
        self._most = most
        self._written = 0
        self._file: IO[bytes] | None = None
        self.exceeded = False

    def write(self, data: bytes | bytearray) -> int:
        """Append ``data``."""
        self._written += len(data)
        self.exceeded = self.exceeded or self._written > self._most
        if not self.exceeded:
            if self._file is None:
                self._file = self._target.open("xb")
            common.write_all(self._file, data)
        return len(data)

    def read(self, size: int | None = None) -> bytes:
        """Nothing: it is only written."""
        del size
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Stay: py7zr rewinds what it has written."""
        del offset, whence
        return 0

    def flush(self) -> None:
        """Nothing is held back."""

    def size(self) -> int:
        """Return how many bytes were written."""
        return self._written

    def close(self) -> None:
        """py7zr calls this after each member; ``end`` closes."""

    def end(self) -> None:
        """Close the file; an empty member becomes an empty file."""
        if self._file is not None:
            self._file.close()
        elif not self.exceeded:
            self._target.touch()
