"""Folders that stay live: what changes in them is searchable, or gone, within seconds."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from app.domain.errors import BadInputError, FailureReason, UserFacingError
from app.domain.folders import (
    ChangeKind,
    FolderChange,
    FolderPreview,
    FolderRecord,
    FolderState,
    FolderStatus,
    KnownFile,
)
from app.domain.ingestion import FileOutcome, IngestSummary
from app.services.discovery import FileDiscovery
from app.services.folder_scanner import FolderScanner
from app.services.folder_watcher import LIMIT_WORDS, FolderWatcher, WatchLimitError
from app.services.ignore_rules import IGNORE_FILE
from app.services.ingest_job import IngestEvent, IngestJob
from app.services.mount_table import has_no_events
from app.services.reconciler import Outcome, Place, Reconciler
from app.services.settling_paths import SettlingPaths
from app.settings.setting import Setting
from app.storage.library_store import LibraryStore
from app.storage.library_values import UnknownDocumentError

log = logging.getLogger(__name__)
T = TypeVar("T")

RECONCILE_MINUTES = Setting(
    "folders.reconcile_minutes",
    15,
    "Look through all folders every (minutes)",
    "Changes are noticed at once; this finds what the system failed to tell of.",
    1,
    1440,
)
FOLLOW_FOLDERS = Setting(
    "folders.follow",
    True,
    "Follow folders",
    "Keep up with files that are added, changed, moved or deleted.",
    restart=True,
)

ROOT_CHECK_SECONDS = 1.0
GRACE_SECONDS = 1.0
"""So long a file may be gone before it counts as deleted: a move may show as deleting and creating."""

FASTEST_POLL_SECONDS = 5.0
POLL_SHARE = 20
"""Looking through a folder without events takes at most this part of the time."""

ADDED_BY_USER = 1
NETWORK_WORDS = "This folder is on a network share, so changes are looked for every few seconds."
PAUSED_WORDS = "You stopped reading this folder. “Rescan” goes on."


class Ingest(Protocol):
    """What following folders needs of ingestion."""

    @property
    def active_jobs(self) -> list[IngestJob]: ...
    def add(self, paths: Sequence[Path], *, priority: int = 0) -> IngestJob: ...
    def subscribe(self, listener: Callable[[IngestEvent], None]) -> Callable[[], None]: ...


class SettingValues(Protocol):
    """Where the values of settings come from."""

    def __getitem__(self, setting: Setting[T], /) -> T: ...


class LiveFolders:
    """The folders of a library. ``start`` follows them on a thread of its own until ``close``.

    All other methods may be called from any thread, with or without ``start``; they block on files and SQLite and may
    raise ``StorageError``. ``open_ingest`` is called when something has to be read.
    """

    def __init__(
        self,
        store: LibraryStore,
        scanner: FolderScanner,
        discovery: FileDiscovery,
        open_ingest: Callable[[], Ingest],
        settings: SettingValues,
        library_changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._discovery = discovery
        self._open_ingest = open_ingest
        self._settings = settings
        self._library_changed = library_changed
        self._reconciler = Reconciler(store, scanner, discovery, self._announce)
        self._watcher = FolderWatcher(self._on_changed, self._on_overflow, self._on_limit)
        self._listeners: list[Callable[[FolderChange], None]] = []
        self._work = threading.RLock()  # one look at the disk at a time
        self._lock = threading.Condition()  # guards what follows
        self._changed: dict[str, bool] = {}
        self._outcomes: list[FileOutcome | IngestSummary] = []
        self._rescans: dict[Path, bool] = {}
        self._limited: set[str] = set()
        self._everything = False
        self._closing = False
        self._thread: threading.Thread | None = None
        # What only the holder of _work touches:
        self._settling = SettlingPaths()
        self._missing: dict[int, tuple[KnownFile, float]] = {}
        self._handed: dict[str, IngestJob] = {}
        self._roots: dict[Path, tuple[object, ...]] = {}
        self._unreadable: dict[int, frozenset[str]] = {}
        self._next_scan: dict[int, float] = {}
        self._next_root_check = 0.0

    # -- life ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Follow all folders: look through everything once, then wait for events. Does nothing if the user wants so."""
        with self._lock:
            if self._thread is not None or self._closing or not self._settings[FOLLOW_FOLDERS]:
                return
            self._everything = True
            self._thread = threading.Thread(target=self._run, name="live-folders", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Follow no folder any more. What was handed over to be read goes on."""
        with self._lock:
            self._closing = True
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._watcher.close()

    def subscribe(self, listener: Callable[[FolderChange], None]) -> Callable[[], None]:
        """Call ``listener`` with everything that happens, on threads of this service. Returns what ends that."""
        with self._lock:
            self._listeners.append(listener)
        return lambda: self._forget_listener(listener)

    # -- use -------------------------------------------------------------------------------------------------------

    def status(self) -> list[FolderStatus]:
        """All followed folders, by path."""
        return self._store.folder_statuses()

    def preview(self, paths: Iterable[Path]) -> FolderPreview:
        """What adding these paths would bring in, counted without opening a file."""
        return self._discovery.preview(paths)

    def add(self, paths: Sequence[Path]) -> IngestJob:
        """Read files, and read and follow folders. What the user took out before comes in again."""
        places = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100  links stay as the user knows them
        with self._work:
            folders = self.register(places)
            outcome = self._reconcile([Place(folder, trusted=True) for folder in folders], last=not self._following)
            files = [path for path in places if not path.is_dir()]
            return self._read([*files, *outcome.read], priority=ADDED_BY_USER)

    def register(self, paths: Iterable[Path]) -> list[FolderRecord]:
        """Follow the folders among ``paths`` from now on, and remember of files that they are wanted."""
        folders = []
        for path in paths:
            if os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where it may not look
                folder = self._store.add_folder(path)
                self._store.choose_path(path, included=None)
                self._store.set_folder_state(folder.id, FolderState.LIVE)
                folders.append(folder)
                self._wake_for(folder)
            elif self._store.folder_holding(path):
                self._store.choose_path(path, included=True)
        return folders

    def remove_folder(self, path: Path) -> list[Path]:
        """Take a followed folder and its documents out of the library; the files stay. Returns the documents' paths.

        Raises ``BadInputError`` if it is not followed.
        """
        folder = self._folder_at(path)
        with self._work:
            self._store.remove_folder(folder.id)
            self._watcher.unwatch(folder.path)
            self._roots.pop(folder.path, None)
            known = self._store.known_files([folder.path])
            self._reconciler.remove(known)
        self._library_changed()
        return [Path(each.path) for each in known]

    def exclude(self, path: Path) -> list[Path]:
        """Leave a file or folder inside a followed folder out from now on. Returns the documents taken out.

        Raises ``BadInputError`` outside of followed folders.
        """
        if self._store.folder_holding(path) is None:
            raise BadInputError(f"{path} is not in a folder that Footnote follows. Remove it from the library instead.")
        with self._work:
            self._store.choose_path(path, included=False)
            known = self._store.known_files([path])
            self._reconciler.remove(known)
        self._library_changed()
        return [Path(each.path) for each in known]

    def rescan(self, path: Path | None = None) -> IngestJob | None:
        """Look through one followed folder, or all, and take what is there as it is. None if nothing has to be read.

        Raises ``BadInputError`` for a folder that is not followed.
        """
        folders = self._store.folders() if path is None else [self._folder_at(path)]
        with self._work:
            for folder in folders:
                if folder.state is FolderState.PAUSED:
                    self._store.set_folder_state(folder.id, FolderState.LIVE)
            singles = self._singles() if path is None else []
            outcome = self._reconcile([Place(folder, trusted=True) for folder in folders], singles, last=True)
            return self._read(outcome.read) if outcome.read else None

    def catch_up(self, paths: Iterable[Path]) -> None:
        """Follow moves and deletions in these followed folders now, without reading anything new."""
        with self._work:
            places = [Place(folder) for folder in self._store.folders() if folder.path in set(paths)]
            self._reconcile(places, last=True)

    def _folder_at(self, path: Path) -> FolderRecord:
        folder = next((each for each in self._store.folders() if each.path == path), None)
        if folder is None:
            raise BadInputError(f"{path} is not a followed folder. `footnote folders` lists them.")
        return folder

    # -- the thread ------------------------------------------------------------------------------------------------

    @property
    def _following(self) -> bool:
        return self._thread is not None

    def _run(self) -> None:
        unsubscribe = self._open_ingest().subscribe(self._on_ingest_event)
        try:
            while self._wait():
                try:
                    with self._work:
                        self._step()
                except UserFacingError as error:
                    log.warning("folders could not be followed for a while: %s", error)
        finally:
            unsubscribe()

    def _wait(self) -> bool:
        """Sleep until there is something to do. False when it is time to end."""
        with self._lock:
            while not (
                self._closing or self._changed or self._outcomes or self._rescans or self._limited or self._everything
            ):
                left = self._next_deadline() - time.monotonic()
                if left <= 0:
                    break
                self._lock.wait(left)
            return not self._closing

    def _next_deadline(self) -> float:
        times = [self._next_root_check, *(due for _, due in self._missing.values()), *self._next_scan.values()]
        if self._settling.next_due is not None:
            times.append(self._settling.next_due)
        return min(times)

    def _step(self) -> None:
        with self._lock:
            changed, self._changed = self._changed, {}
            outcomes, self._outcomes = self._outcomes, []
            rescans, self._rescans = self._rescans, {}
            limited, self._limited = self._limited, set()
            everything, self._everything = self._everything, False
        for path, retry in changed.items():
            self._settling.add(path, retry=retry)
        for event in outcomes:
            self._after_reading(event)
        for path in limited:
            self._poll_instead(path)
        if everything:
            self._look_at_everything()
        self._check_roots(rescans)
        self._look_at_settled()
        self._give_up_missing()
        self._scan_due()

    # -- looking ---------------------------------------------------------------------------------------------------

    def _look_at_everything(self) -> None:
        folders = [each for each in self._store.folders() if each.state is not FolderState.PAUSED]
        for folder in folders:
            self._watch(folder)
        outcome = self._reconcile(
            [Place(folder) for folder in self._store.folders() if folder in folders], self._singles()
        )
        self._hand_over(outcome)

    def _check_roots(self, rescans: dict[Path, bool]) -> None:
        """Look through folders that were lost, found again or replaced, which no event tells of."""
        now = time.monotonic()
        if now < self._next_root_check and not rescans:
            return
        self._next_root_check = now + ROOT_CHECK_SECONDS
        for folder in self._store.folders():
            if folder.state is FolderState.PAUSED or (
                folder.state is FolderState.POLLING and folder.path not in rescans
            ):
                continue
            marks = tuple(map(_mark, (folder.path, *folder.mounts)))
            watched = self._watcher.is_watching(folder.path) or folder.state is FolderState.POLLING
            if marks != self._roots.get(folder.path) or not (watched or marks[0] is None) or folder.path in rescans:
                if marks[0] is None:
                    self._watcher.unwatch(folder.path)
                else:
                    self._watch(folder)
                self._scan(folder)
                self._roots[folder.path] = marks  # as they were before the scan: what changed since shows next time

    def _look_at_settled(self) -> None:
        settled = self._settling.take_settled()
        # A file that left while it was read is looked for at once; the others, when they have been read.
        ready = {
            path: retry
            for path, retry in settled.items()
            if not os.path.lexists(path) or not self._is_being_read(path)  # noqa: PTH110  no Path needed
        }
        for retry in (True, False):
            paths = [Path(path) for path, may_retry in ready.items() if may_retry is retry]
            if paths:
                places, singles = self._places_of(paths)
                self._hand_over(self._reconcile(places, singles, retry=retry))

    def _places_of(self, paths: Sequence[Path]) -> tuple[list[Place], list[KnownFile]]:
        """Group paths by their folder; those outside of all folders are single documents."""
        folders = [each for each in self._store.folders() if each.state is not FolderState.PAUSED]
        inside: dict[int, set[Path]] = {}
        outside: list[Path] = []
        for path in paths:
            folder = next((each for each in folders if each.path == path or each.path in path.parents), None)
            if folder is None:
                outside.append(path)
            else:
                # A changed ignore file changes what counts in its whole folder.
                inside.setdefault(folder.id, set()).add(path.parent if path.name == IGNORE_FILE else path)
        places = [Place(each, _topmost(inside[each.id])) for each in folders if each.id in inside]
        held = [each.path for each in self._store.folders()]
        singles = self._store.known_files(outside) if outside else []
        return places, [each for each in singles if not _is_inside(Path(each.path), held)]

    def _give_up_missing(self) -> None:
        """Remove documents that have been gone for longer than a move takes."""
        now = time.monotonic()
        due = [known for known, deadline in self._missing.values() if deadline <= now]
        if due:
            places, _ = self._places_of([Path(each.path) for each in due])
            for each in due:
                del self._missing[each.id]
            self._hand_over(self._reconcile(places, last=True))

    def _scan_due(self) -> None:
        now = time.monotonic()
        for folder in self._store.folders():
            if folder.state is not FolderState.PAUSED and self._next_scan.setdefault(folder.id, now) <= now:
                self._scan(folder)

    def _scan(self, folder: FolderRecord) -> None:
        self._hand_over(self._reconcile([Place(folder)]))

    def _reconcile(
        self, places: Sequence[Place], singles: Sequence[KnownFile] = (), *, retry: bool = True, last: bool = False
    ) -> Outcome:
        """Correct the library. With ``last``, what is gone is removed at once; otherwise it may turn up for a while."""
        began = time.monotonic()
        missing = [known for known, _ in self._missing.values()]
        outcome = self._reconciler.reconcile(places, missing, singles=singles, retry=retry)
        now = time.monotonic()
        for document_id in outcome.moved:
            self._missing.pop(document_id, None)
        if last:
            self._reconciler.remove(outcome.gone)
        else:
            for each in outcome.gone:
                self._missing.setdefault(each.id, (each, now + GRACE_SECONDS))
        for place in places:
            self._note(place, outcome, now - began)
        if outcome.moved or outcome.gone:
            self._library_changed()
        return outcome

    def _note(self, place: Place, outcome: Outcome, seconds: float) -> None:
        """Record how a folder stands, and when to look through it next."""
        folder = place.folder
        state, words = outcome.states[folder.id]
        polling = folder.state is FolderState.POLLING
        if state is FolderState.LIVE and polling:
            state, words = FolderState.POLLING, words or folder.message
        if self._store.set_folder_state(folder.id, state, words):
            self._announce(FolderChange(ChangeKind.FOLDER, folder.path, message=words or state.value))
        if state is FolderState.OFFLINE:
            self._roots.pop(folder.path, None)  # it may be back before the next check
        unreadable = outcome.unreadable.get(folder.id, frozenset())
        if self._unreadable.get(folder.id, frozenset()) - unreadable and self._following and not polling:
            self._watch(folder)  # what could not be looked into could not be watched either
        self._unreadable[folder.id] = unreadable
        if place.paths is None:
            pause = self._settings[RECONCILE_MINUTES] * 60.0
            if polling:
                pause = max(FASTEST_POLL_SECONDS, POLL_SHARE * seconds)
            self._next_scan[folder.id] = time.monotonic() + pause

    def _singles(self) -> list[KnownFile]:
        """Documents outside of followed folders."""
        held = [folder.path for folder in self._store.folders()]
        return [each for each in self._store.known_files() if not _is_inside(Path(each.path), held)]

    # -- reading ---------------------------------------------------------------------------------------------------

    def _hand_over(self, outcome: Outcome) -> None:
        """Have files read, once they no longer grow and unless that is under way already."""
        ingest = self._open_ingest() if outcome.read or outcome.waiting else None
        wanted = list(outcome.read)
        if ingest is not None and not ingest.active_jobs:
            wanted += outcome.waiting  # nobody is working on them
        ready = [path for path in wanted if not self._is_being_read(str(path))]
        if ready:
            self._read(ready)

    def _read(self, paths: Sequence[Path], priority: int = 0) -> IngestJob:
        job = self._open_ingest().add(paths, priority=priority)
        self._handed.update((str(path), job) for path in paths)
        for path in paths:
            self._announce(FolderChange(ChangeKind.READING, path))
        return job

    def _is_being_read(self, path: str) -> bool:
        job = self._handed.get(path)
        if job is not None and job.ended:
            del self._handed[path]
            return False
        return job is not None

    def _after_reading(self, event: FileOutcome | IngestSummary) -> None:
        """A file that changed while it was read is looked at again; so is one that was moved away from the reader."""
        if isinstance(event, IngestSummary):
            self._after_job()
            return
        self._handed.pop(str(event.path), None)
        self._settling.add(str(event.path), retry=False)
        if event.reason is FailureReason.NOT_FOUND and event.document_id is not None:
            try:
                now_at = self._store.document(event.document_id).path
            except UnknownDocumentError:
                return
            if now_at != event.path:
                self._settling.add(str(now_at))

    def _after_job(self) -> None:
        """The user cancelled: without a pause the same files would be found again at once."""
        ended = {path: job for path, job in self._handed.items() if job.ended}
        for path, job in ended.items():
            del self._handed[path]
            if job.token.cancelled and job.failure is None:
                folder = self._store.folder_holding(Path(path))
                if folder is not None and self._store.set_folder_state(folder.id, FolderState.PAUSED, PAUSED_WORDS):
                    self._announce(FolderChange(ChangeKind.FOLDER, folder.path, message=PAUSED_WORDS))

    # -- watching --------------------------------------------------------------------------------------------------

    def _watch(self, folder: FolderRecord) -> None:
        """Have the system tell of changes, or look for them now and then where it doesn't."""
        self._roots[folder.path] = tuple(map(_mark, (folder.path, *folder.mounts)))
        words = NETWORK_WORDS if has_no_events(folder.path) else ""
        try:
            if not words:
                self._watcher.watch(folder.path)
        except WatchLimitError as error:
            words = str(error)
        except OSError as error:
            log.info("%s can't be watched now: %s", folder.path, error)
            return
        state = FolderState.POLLING if words else FolderState.LIVE
        if folder.state in (FolderState.LIVE, FolderState.POLLING) and state is not folder.state:
            self._set_mode(folder, state, words)

    def _poll_instead(self, path: str) -> None:
        folder = self._store.folder_holding(Path(path))
        if folder is not None and folder.state is FolderState.LIVE:
            self._watcher.unwatch(folder.path)
            self._set_mode(folder, FolderState.POLLING, LIMIT_WORDS)

    def _set_mode(self, folder: FolderRecord, state: FolderState, words: str) -> None:
        self._store.set_folder_state(folder.id, state, words)
        self._next_scan[folder.id] = time.monotonic() + FASTEST_POLL_SECONDS
        self._announce(FolderChange(ChangeKind.FOLDER, folder.path, message=words or state.value))

    def _wake_for(self, folder: FolderRecord) -> None:
        if self._following:
            self._watch(folder)

    # -- from other threads ----------------------------------------------------------------------------------------

    def _on_changed(self, path: str) -> None:
        self._post(lambda: self._changed.__setitem__(path, True))

    def _on_overflow(self) -> None:
        log.warning("events of changed files were lost; all folders are looked through")
        self._post(lambda: setattr(self, "_everything", True))

    def _on_limit(self, path: str) -> None:
        self._post(lambda: self._limited.add(path))

    def _on_ingest_event(self, event: IngestEvent) -> None:
        if isinstance(event, FileOutcome | IngestSummary):
            self._post(lambda: self._outcomes.append(event))

    def _post(self, note: Callable[[], None]) -> None:
        with self._lock:
            note()
            self._lock.notify_all()

    def _announce(self, change: FolderChange) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(change)

    def _forget_listener(self, listener: Callable[[FolderChange], None]) -> None:
        with self._lock:
            self._listeners = [each for each in self._listeners if each is not listener]


def _mark(path: Path) -> tuple[int, int] | None:
    """What changes when another folder comes to stand at ``path``; None if it can't be reached."""
    try:
        information = path.stat()
    except OSError:
        return None
    return information.st_dev, information.st_ino


def _topmost(paths: set[Path]) -> tuple[Path, ...]:
    """``paths`` without those that lie below others of them."""
    return tuple(sorted(path for path in paths if not any(parent in paths for parent in path.parents)))


def _is_inside(path: Path, folders: Iterable[Path]) -> bool:
    return any(folder == path or folder in path.parents for folder in folders)
