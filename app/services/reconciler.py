"""Brings the library in line with what is in folders: one query for all known files, nothing deleted when in doubt."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.domain.documents import DocumentState
from app.domain.errors import DocumentError
from app.domain.folders import ChangeKind, FolderChange, FolderRecord, FolderState, KnownFile
from app.services.discovery import FileDiscovery, archive_of
from app.services.folder_changes import PASSING_FAILURES, Differences, compare
from app.services.folder_scanner import FolderScanner, Scan, SeenFile, seen_file
from app.services.ingest_item import sha256_of_file
from app.services.mount_table import folder_identity
from app.storage.library_store import LibraryStore

MISSING_WORDS = "This folder is not there now. Connect its drive or move it back; its documents stay searchable."
REFUSED_WORDS = "You don't have permission to read this folder. Change its permissions; its documents stay searchable."
REPLACED_WORDS = (
    "Another folder or drive seems to be in this place: most of its documents are not there. They stay searchable. "
    "“Rescan” takes what is there now."
)
OFFLINE_WORDS = "Its file can't be reached now."


@dataclass(frozen=True, slots=True)
class Place:
    """A followed folder to look through, or only ``paths`` in it. ``trusted`` takes what is there for the folder."""

    folder: FolderRecord
    paths: tuple[Path, ...] | None = None
    trusted: bool = False


@dataclass(slots=True)
class Outcome:
    """What is left to do after the library was brought in line.

    ``read`` has to be read, ``waiting`` was begun before, ``gone`` are documents whose files are not there. ``states``
    say how each folder that was looked through stands; ``unreadable`` are places in it that can't be looked into.
    """

    read: list[Path] = field(default_factory=list)
    waiting: list[Path] = field(default_factory=list)
    gone: list[KnownFile] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    states: dict[int, tuple[FolderState, str]] = field(default_factory=dict)
    unreadable: dict[int, frozenset[str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """What was seen and known of all places together."""

    known: list[KnownFile] = field(default_factory=list)
    seen: dict[str, SeenFile] = field(default_factory=dict)
    unreachable: list[KnownFile] = field(default_factory=list)


class Reconciler:
    """Compares folders with the library and corrects the library, except for what has to be read or removed.

    ``announce`` gets what happened. Methods may raise ``StorageError``; use from one thread at a time.
    """

    def __init__(
        self,
        store: LibraryStore,
        scanner: FolderScanner,
        discovery: FileDiscovery,
        announce: Callable[[FolderChange], None],
    ) -> None:
        self._store = store
        self._scanner = scanner
        self._discovery = discovery
        self._announce = announce

    def reconcile(
        self,
        places: Iterable[Place],
        missing: Sequence[KnownFile] = (),
        *,
        singles: Sequence[KnownFile] = (),
        retry: bool = True,
    ) -> Outcome:
        """Look at ``places`` and at ``singles``, documents outside of folders, together: a file may have moved between.

        ``missing`` documents were gone before and may turn up. Without ``retry``, a file that just failed is left.
        """
        outcome, found = Outcome(), _Found()
        for place in places:
            self._look(place, found, outcome)
        gone_singles = self._look_at_singles(singles, found)
        self._expand_archives(found)
        differences = compare(found.known, found.seen, [*missing, *gone_singles], _hash_of, retry=retry)
        self._apply(differences, found, outcome)
        still_gone = [each for each in gone_singles if each.id not in outcome.moved]
        self._take_offline(still_gone)
        return outcome

    def remove(self, known: Sequence[KnownFile]) -> None:
        """Forget documents whose files are gone for good."""
        self._store.remove_many(each.id for each in known)
        for each in known:
            self._announce(FolderChange(ChangeKind.REMOVED, Path(each.path)))

    # -- looking ---------------------------------------------------------------------------------------------------

    def _look(self, place: Place, found: _Found, outcome: Outcome) -> None:
        folder = place.folder
        try:
            identity = folder_identity(folder.path)
        except OSError as error:
            self._lose(folder, found, outcome, _words_for(error))
            return
        changed = bool(folder.identity) and identity != folder.identity
        paths = None if changed or not folder.identity else place.paths
        scan = self._scanner.scan(folder.path, paths)
        known = self._store.known_files(paths or [folder.path])
        problem = _root_problem(folder.path, identity, scan)
        if not problem and changed and not place.trusted and not _resembles(known, scan):
            problem = REPLACED_WORDS
        if problem:
            self._lose(folder, found, outcome, problem)
            return
        lost = [] if place.trusted else [mount for mount in folder.mounts if not _is_mounted(mount)]
        if paths is None:
            self._store.record_scan(folder.id, identity, {*lost, *map(Path, scan.mounts)})
        self._sort(known, scan, [*scan.unreadable, *map(str, lost)], found)
        outcome.states[folder.id] = (FolderState.LIVE, "")
        outcome.unreadable[folder.id] = frozenset(scan.unreadable)

    def _sort(self, known: list[KnownFile], scan: Scan, closed: list[str], found: _Found) -> None:
        """Put aside the documents in places that can't be looked into: nobody knows whether they are still there."""
        found.seen.update(scan.files)
        inside = tuple(each + os.sep for each in closed)
        whole = frozenset(closed)
        chosen = {str(path) for path, included in self._store.path_choices().items() if included}
        for each in known:
            if each.path not in scan.files and (each.path in whole or each.path.startswith(inside)):
                found.unreachable.append(each)
                continue
            found.known.append(each)
            if each.path in chosen and each.path not in scan.files:
                _see_single(each.path, found)

    def _lose(self, folder: FolderRecord, found: _Found, outcome: Outcome, words: str) -> None:
        found.unreachable.extend(self._store.known_files([folder.path]))
        outcome.states[folder.id] = (FolderState.OFFLINE, words)

    def _look_at_singles(self, singles: Sequence[KnownFile], found: _Found) -> list[KnownFile]:
        """Documents outside of followed folders. Returns those whose files are not there."""
        gone: list[KnownFile] = []
        for each in singles:
            archive = archive_of(Path(each.path))
            try:
                there = self._see_member(archive, each.path, found) if archive else _see_single(each.path, found)
            except DocumentError:
                continue  # its archive can't be listed now: what was read stays
            (found.known if there else gone).append(each)
        return gone

    def _see_member(self, archive: Path, path: str, found: _Found) -> bool:
        for member in self._discovery.members(archive):
            if str(member.path) == path:
                found.seen[path] = SeenFile(member.stamp, 0, member=True)
        return path in found.seen

    def _expand_archives(self, found: _Found) -> None:
        """Add the members of archives to the files seen."""
        for archive in [path for path in found.seen if self._discovery.is_archive(Path(path))]:
            try:
                members = self._discovery.members(Path(archive))
            except DocumentError:
                found.known = [each for each in found.known if not each.path.startswith(archive + os.sep)]
                continue  # damaged now: what was read of it stays
            found.seen.update((str(each.path), SeenFile(each.stamp, 0, member=True)) for each in members)

    # -- correcting ------------------------------------------------------------------------------------------------

    def _apply(self, differences: Differences, found: _Found, outcome: Outcome) -> None:
        moves = differences.moves
        if moves:
            self._store.move_files((each.known.id, Path(each.path), each.seen.stamp, each.seen.inode) for each in moves)
        back = [*differences.back, *(each.known for each in moves if each.known.state is DocumentState.OFFLINE)]
        if back:
            self._store.bring_back(each.id for each in back)
        if differences.inodes:
            self._store.note_inodes(differences.inodes)
        self._take_offline(found.unreachable)
        for move in moves:
            self._announce(FolderChange(ChangeKind.MOVED, Path(move.path), Path(move.known.path)))
        for each in differences.back:
            self._announce(FolderChange(ChangeKind.BACK, Path(each.path)))
        unfinished = [each.path for each in back if not each.content_hash]
        moved_paths = {each.known.id: each.path for each in moves}
        outcome.moved = set(moved_paths)
        outcome.read = [Path(path) for path in dict.fromkeys((*differences.read, *self._unread(back, moved_paths)))]
        outcome.waiting = [Path(path) for path in differences.waiting if path not in unfinished]
        outcome.gone = differences.gone

    def _unread(self, back: Sequence[KnownFile], moved: dict[int, str]) -> list[str]:
        """Documents that went offline before they were read to the end."""
        unfinished = {record.id for record in self._store.pending()} if back else set()
        return [moved.get(each.id, each.path) for each in back if each.id in unfinished]

    def _take_offline(self, known: Sequence[KnownFile]) -> None:
        lost = [each for each in known if _can_be_lost(each)]
        if lost:
            self._store.mark_offline((each.id for each in lost), OFFLINE_WORDS)
        for each in lost:
            self._announce(FolderChange(ChangeKind.OFFLINE, Path(each.path)))


def _can_be_lost(known: KnownFile) -> bool:
    """A file that could not be read for a reason of its own keeps that reason."""
    if known.state is DocumentState.FAILED:
        return known.reason in PASSING_FAILURES
    return known.state not in (DocumentState.OFFLINE, DocumentState.EXCLUDED)


def _resembles(known: Sequence[KnownFile], scan: Scan) -> bool:
    """Whether a folder of another identity holds at least half of what is known of it, so that it is the same one.

    Identities change when a disk is copied or formatted anew; an empty place where a drive was holds nothing.
    """
    there = sum(each.path in scan.files or _is_below_file(each.path, scan) for each in known)
    return 2 * there >= len(known)


def _is_below_file(path: str, scan: Scan) -> bool:
    return any(str(parent) in scan.files for parent in Path(path).parents)


def _root_problem(root: Path, identity: str, scan: Scan) -> str:
    """What keeps the folder as a whole from being looked through; also when it went away meanwhile."""
    if str(root) in scan.unreadable:
        return _words_for(scan.unreadable[str(root)])
    try:
        return "" if folder_identity(root) == identity else MISSING_WORDS
    except OSError as error:
        return _words_for(error)


def _words_for(error: OSError) -> str:
    return REFUSED_WORDS if isinstance(error, PermissionError) else MISSING_WORDS


def _is_mounted(path: Path) -> bool:
    try:
        return path.stat().st_dev != path.parent.stat().st_dev
    except OSError:
        return False


def _see_single(path: str, found: _Found) -> bool:
    """Look at one file. False if it is not there; one that can't be looked at counts as not there."""
    try:
        information = os.stat(path)  # noqa: PTH116  paths are text here, ten thousand of them
    except OSError:
        return False
    if stat.S_ISREG(information.st_mode):
        found.seen[path] = seen_file(information)
        return True
    return False


def _hash_of(path: str) -> str:
    try:
        return sha256_of_file(Path(path))
    except DocumentError:
        return ""
