"""Zip archives as folders. Format: PKWARE's APPNOTE.TXT."""

from __future__ import annotations

import calendar
import lzma
import stat
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.domain.errors import DocumentError
from app.loaders import archives_entries as common
from app.loaders.archives_entries import ArchiveFolderLimits, Entry

_ENCRYPTED, _UTF8 = 0x1, 0x800
_MADE_ON_UNIX = 3
_BROKEN = (zipfile.BadZipFile, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError)
# What programs without Unicode wrote, by country.
_ENCODINGS = ("cp932", "gb18030", "big5", "cp949", "cp866", "cp1251", "cp1252")


class ZipFormat:
    """Reads zip archives; every member can be reached directly."""

    def entries(self, path: Path, limits: ArchiveFolderLimits) -> list[Entry]:
        """Return all entries but folders. Raises ``DocumentError``: damaged, encrypted or too_large."""
        with _opened(path) as archive:
            members = _members(archive)
            names = _names(members)
        common.require_sane_sizes(path, [member.file_size for member in members], limits)
        if members and all(member.flag_bits & _ENCRYPTED for member in members):
            raise common.archive_encrypted(path)
        return [_entry(member, name, limits) for member, name in zip(members, names, strict=True)]

    def extract(self, path: Path, targets: Mapping[int, Path], limits: ArchiveFolderLimits) -> dict[int, DocumentError]:
        """Write the entries with these numbers to new files. Returns what went wrong with which."""
        failures: dict[int, DocumentError] = {}
        with _opened(path) as archive:
            members = _members(archive)
            names = _names(members)
            for number, target in targets.items():
                failure = _extract(archive, members[number], names[number], target, limits)
                if failure is not None:
                    failures[number] = failure
        return failures


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (*_BROKEN, NotImplementedError) as error:
        raise common.archive_damaged(path) from error


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [member for member in archive.infolist() if not member.is_dir()]


def _extract(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, target: Path, limits: ArchiveFolderLimits
) -> DocumentError | None:
    if member.flag_bits & _ENCRYPTED:
        return common.member_encrypted(name)
    try:
        with archive.open(member) as source:
            common.copied(source, target, limits.member_bytes)
    except common.LimitExceededError:
        return common.member_too_large(name, limits)
    except (*_BROKEN, NotImplementedError, RuntimeError):
        return common.member_damaged(name)
    return None


def _entry(member: zipfile.ZipInfo, name: str, limits: ArchiveFolderLimits) -> Entry:
    mode = member.external_attr >> 16
    problem = ""
    if member.create_system == _MADE_ON_UNIX and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        problem = "it is a link" if stat.S_ISLNK(mode) else "it is no regular file"
    return Entry(name, member.file_size, common.fingerprinted(_seconds(member), member.CRC), problem)


def _seconds(member: zipfile.ZipInfo) -> int:
    try:
        return calendar.timegm((*member.date_time, 0, 0, 0))
    except (ValueError, OverflowError):
        return 0  # a date that is none, such as the 0th of month 0


def _names(members: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The members' names, decoded. zipfile takes everything that isn't marked as UTF-8 for code page 437."""
    raw = [None if member.flag_bits & _UTF8 else member.filename.encode("cp437", "replace") for member in members]
    encoding = _encoding(b"\n".join(name for name in raw if name is not None and not name.isascii()))
    return [
        member.filename if name is None or name.isascii() else name.decode(encoding, "replace")
        for member, name in zip(members, raw, strict=True)
    ]


def _encoding(names: bytes) -> str:
    if not names:
        return "ascii"
    try:
        names.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    from charset_normalizer import from_bytes

    best = from_bytes(names, cp_isolation=[*_ENCODINGS, "cp437"], threshold=0.5).best()
    return best.encoding if best else "cp437"
