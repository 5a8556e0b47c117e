"""Archives as folders: what is in them, and their members as files. Runs inside the confined parser process.

Archives inside an archive are opened too, up to a depth; their members are named ``inner.zip/report.pdf``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from app.domain.errors import DocumentError, FailureReason
from app.loaders.archive_names import is_archive, safe_name
from app.loaders.archives_7z import SevenZipFormat
from app.loaders.archives_entries import ArchiveFolderLimits, ArchiveFormat, Entry
from app.loaders.archives_tar import TarFormat
from app.loaders.archives_zip import ZipFormat

_SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """A file in an archive: its clean relative name, unpacked size in bytes, and a date that is unique to its content.

    ``mtime_ns`` counts whole seconds; its nanoseconds come from a checksum, so that the pair (size, mtime_ns) changes
    whenever the content does, and doesn't when the archive is packed anew.
    """

    name: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry that can't become a document, and why, in a few words."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class ArchiveListing:
    """What is in an archive, those of inner archives included, in order of the archive."""

    members: tuple[ArchiveMember, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(slots=True)
class _Lister:
    """Gathers the members of an archive and those inside it, within what is left of the limits."""

    limits: ArchiveFolderLimits
    members: list[ArchiveMember] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, path: Path, prefix: str, depth: int) -> None:
        """Add what is in the archive at ``path``. Raises ``DocumentError`` for the archive as a whole."""
        kind = format_of(path)
        entries = kind.entries(path, self._left())
        by_name, left_out = named(entries)
        self.left_out += [replace(each, name=prefix + each.name) for each in left_out]
        inner: dict[int, str] = {}
        for name, number in by_name.items():
            entry = entries[number]
            self.members.append(ArchiveMember(prefix + name, entry.size, entry.mtime_ns))
            if is_archive(PurePosixPath(name)):
                inner[number] = prefix + name
        if inner and depth >= self.limits.depth:
            self.left_out += [LeftOut(name, "it is an archive nested too deeply") for name in inner.values()]
        elif inner:
            self._add_inner(path, kind, inner, depth)

    def _add_inner(self, path: Path, kind: ArchiveFormat, inner: Mapping[int, str], depth: int) -> None:
        with tempfile.TemporaryDirectory(prefix="inner-") as folder:
            targets = {number: Path(folder) / str(number) for number in inner}
            failures = kind.extract(path, targets, self.limits)
            for number, name in inner.items():
                failure = failures.get(number) or self._try(targets[number], name, depth)
                if failure is not None:
                    self.left_out.append(LeftOut(name, _in_few_words(failure)))

    def _try(self, path: Path, name: str, depth: int) -> DocumentError | None:
        before = len(self.members), len(self.left_out)
        try:
            self.add(path, f"{name}/", depth + 1)
        except DocumentError as error:
            del self.members[before[0] :], self.left_out[before[1] :]
            return error
        return None

    def _left(self) -> ArchiveFolderLimits:
        return replace(
            self.limits,
            members=self.limits.members - len(self.members),
            total_bytes=self.limits.total_bytes - sum(each.size for each in self.members),
        )


def list_members(path: Path, limits: ArchiveFolderLimits | None = None) -> ArchiveListing:
    """Return what is in the archive at ``path``.

    Raises ``DocumentError``: ``damaged``, ``encrypted``, or ``too_large`` for more members, bytes or bytes per packed
    byte than ``limits`` allow. An inner archive that can't be opened is a member, and named in ``left_out``.
    """
    lister = _Lister(limits or ArchiveFolderLimits())
    lister.add(path, "", 1)
    return ArchiveListing(tuple(lister.members), tuple(lister.left_out))


def extract_members(
    path: Path, targets: Mapping[str, Path], limits: ArchiveFolderLimits | None = None
) -> dict[str, DocumentError]:
    """Write members of the archive at ``path``, by their names in its listing, to new files.

    Returns what went wrong with which: ``encrypted``, ``damaged``, ``too_large`` or ``not_found``. Raises
    ``DocumentError`` for the archive as a whole.
    """
    return _extract(path, targets, limits or ArchiveFolderLimits())


def format_of(path: Path) -> ArchiveFormat:
    """Return the reader for the archive at ``path``, told from its first bytes."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_SEVEN_ZIP):
        return SevenZipFormat()
    return ZipFormat() if start.startswith(_ZIP) else TarFormat()


def named(entries: Sequence[Entry]) -> tuple[dict[str, int], list[LeftOut]]:
    """Return the number of the entry behind each clean name, and the entries that have none.

    Of several entries with one name the last counts, as it would after unpacking.
    """
    by_name: dict[str, int] = {}
    left_out: list[LeftOut] = []
    for number, entry in enumerate(entries):
        try:
            name = safe_name(entry.name)
        except ValueError as error:
            left_out.append(LeftOut(entry.name, str(error)))
            continue
        if entry.problem:
            left_out.append(LeftOut(name, entry.problem))
            continue
        if name in by_name:
            left_out.append(LeftOut(name, "the name occurs again; the last file of that name is the one that was read"))
            del by_name[name]
        by_name[name] = number
    return by_name, left_out


def _extract(path: Path, targets: Mapping[str, Path], limits: ArchiveFolderLimits) -> dict[str, DocumentError]:
    kind = format_of(path)
    by_name, _ = named(kind.entries(path, limits))
    direct = {name: by_name[name] for name in targets if name in by_name}
    failed = kind.extract(path, {number: targets[name] for name, number in direct.items()}, limits) if direct else {}
    failures = {name: failed[number] for name, number in direct.items() if number in failed}
    inside = _by_inner_archive(targets, by_name)
    found = {name for names in inside.values() for name in names} | set(direct)
    failures |= {name: _gone(name) for name in targets if name not in found}
    for inner, names in inside.items():
        within = {name.removeprefix(f"{inner}/"): targets[name] for name in names}
        done = _extract_inner(path, kind, by_name[inner], within, limits)
        failures |= {name: done[short] for name in names if (short := name.removeprefix(f"{inner}/")) in done}
    return failures


def _by_inner_archive(targets: Mapping[str, Path], by_name: Mapping[str, int]) -> dict[str, list[str]]:
    inside: dict[str, list[str]] = {}
    for name in targets:
        if name in by_name:
            continue
        parents = PurePosixPath(name).parents
        inner = next((str(each) for each in parents if str(each) in by_name and is_archive(each)), None)
        if inner is not None:
            inside.setdefault(inner, []).append(name)
    return inside


def _extract_inner(
    path: Path, kind: ArchiveFormat, number: int, targets: Mapping[str, Path], limits: ArchiveFolderLimits
) -> dict[str, DocumentError]:
    with tempfile.TemporaryDirectory(prefix="inner-") as folder:
        inner = Path(folder) / "archive"
        failures = kind.extract(path, {number: inner}, limits)
        if number in failures:
            return dict.fromkeys(targets, failures[number])
        try:
            return _extract(inner, targets, limits)
        except DocumentError as error:
            return dict.fromkeys(targets, error)


_FEW_WORDS: dict[FailureReason, str] = {
    FailureReason.ENCRYPTED: "it is protected by a password",
    FailureReason.TOO_LARGE: "it holds or unpacks to too much",
}


def _in_few_words(error: DocumentError) -> str:
    return _FEW_WORDS.get(error.reason, "it is a damaged archive")


def _gone(name: str) -> DocumentError:
    return DocumentError(FailureReason.NOT_FOUND, f"“{name}” is no longer in its archive.")
