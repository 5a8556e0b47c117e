"""The thread that keeps folders live: events, a look at what they name, a look at everything now and then."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from app.domain.errors import FailureReason, UserFacingError
from app.domain.folders import ChangeKind, FolderChange, FolderRecord, FolderState, KnownFile
from app.domain.ingestion import FileOutcome
from app.services.folder_news import FolderNews
from app.services.folder_places import is_inside, mark_of, partly_words, topmost
from app.services.folder_watcher import LIMIT_WORDS, FolderWatcher, WatchLimitError
from app.services.handed_files import HandedFiles
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

ROOT_CHECK_SECONDS = 1.0
GRACE_SECONDS = 1.0
"""So long a file may be gone before it counts as deleted: a move may show as deleting and creating."""

FASTEST_POLL_SECONDS = 5.0
POLL_SHARE = 20
"""Looking through a folder without events takes at most this part of the time."""

UNWATCHED_WORDS = "The system doesn't tell of changes in this folder, so they are looked for every few seconds."
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


class FolderFollower:
    """Follows the folders of a library on a thread, from ``start`` to ``close``.

    Who calls ``reconcile``, ``read``, ``watch`` or ``forget`` from outside holds ``work``. ``announce`` is called with
    everything that happens, ``library_changed`` after documents went or moved.
    """

    def __init__(
        self,
        store: LibraryStore,
        reconciler: Reconciler,
        open_ingest: Callable[[], Ingest],
        settings: SettingValues,
        library_changed: Callable[[], None],
        announce: Callable[[FolderChange], None],
    ) -> None:
        self._store = store
        self._reconciler = reconciler
        self._open_ingest = open_ingest
        self._settings = settings
        self._library_changed = library_changed
        self._announce = announce
        self._news = FolderNews()
        self._watcher = FolderWatcher(self._news.on_changed, self._news.on_overflow, self._news.on_limit)
        self.work = threading.RLock()  # one look at the disk at a time
        self._thread: threading.Thread | None = None
        # What only the holder of ``work`` touches:
        self._settling = SettlingPaths()
        self._missing: dict[int, tuple[KnownFile, float]] = {}
        self._handed = HandedFiles()
        self._roots: dict[Path, tuple[object, ...]] = {}
        self._polling: dict[int, str] = {}
        self._unreadable: dict[int, frozenset[str]] = {}
        self._next_scan: dict[int, float] = {}
        self._next_root_check = 0.0

    def start(self) -> None:
        """Look through everything once, then wait for events. Not to be called twice."""
        self._news.look_at_everything()
        self._thread = threading.Thread(target=self._run, name="live-folders", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Follow no folder any more."""
        self._news.close()
        if self._thread is not None:
            self._thread.join()
        self._watcher.close()

    # -- the thread ------------------------------------------------------------------------------------------------

    @property
    def following(self) -> bool:
        """Whether folders are followed, or only looked at when somebody asks."""
        return self._thread is not None

    def _run(self) -> None:
        unsubscribe = self._open_ingest().subscribe(self._news.on_ingest_event)
        try:
            while self._news.wait(self._next_deadline()):
                try:
                    with self.work:
                        self._step()
                except UserFacingError as error:
                    log.warning("folders could not be followed for a while: %s", error)
        finally:
            unsubscribe()

    def _next_deadline(self) -> float:
        times = [self._next_root_check, *(due for _, due in self._missing.values()), *self._next_scan.values()]
        if self._settling.next_due is not None:
            times.append(self._settling.next_due)
        return min(times)

    def _step(self) -> None:
        news = self._news.take()
        for path in news.changed:
            self._settling.add(path)
        for event in news.outcomes:
            self._after_reading(event)
        self.rest_where_stopped()
        for path in self._handed.take_unread():
            self._settling.add(path, retry=False)
        for path in news.limited:
            self._poll_instead(path)
        if news.everything:
            self._look_at_everything()
        self._check_roots()
        self._look_at_settled()
        self._give_up_missing()
        self._scan_due()

    # -- looking ---------------------------------------------------------------------------------------------------

    def _look_at_everything(self) -> None:
        for folder in self._followed():
            self.watch(folder)
        self._hand_over(self.reconcile([Place(folder) for folder in self._followed()], self.singles()))

    def _followed(self) -> list[FolderRecord]:
        return [each for each in self._store.folders() if each.state is not FolderState.PAUSED]

    def _check_roots(self) -> None:
        """Look through folders that were lost, found again or replaced, which no event tells of."""
        now = time.monotonic()
        if now < self._next_root_check:
            return
        self._next_root_check = now + ROOT_CHECK_SECONDS
        for path in {*self._watcher.watched} - {folder.path for folder in self._store.folders()}:
            self._watcher.unwatch(path)  # taken out of the library, or part of a larger folder now
        for folder in self._followed():
            if folder.id in self._polling:
                continue
            marks = tuple(map(mark_of, (folder.path, *folder.mounts)))
            deaf = marks[0] is not None and not self._watcher.is_watching(folder.path)
            if deaf or marks != self._roots.get(folder.path):
                if marks[0] is None:
                    self._watcher.unwatch(folder.path)
                else:
                    self.watch(folder)
                self._scan(folder)
                self._roots[folder.path] = marks  # as they were before the scan: what changed since shows next time

    def _look_at_settled(self) -> None:
        settled = self._settling.take_settled()
        # A file that left while it was read is looked for at once; the others, when they have been read.
        ready = {
            path: retry
            for path, retry in settled.items()
            if not os.path.lexists(path) or not self._handed.is_being_read(path)
        }
        for retry in (True, False):
            paths = [Path(path) for path, may_retry in ready.items() if may_retry is retry]
            if paths:
                places, singles = self._places_of(paths)
                self._hand_over(self.reconcile(places, singles, retry=retry))

    def _places_of(self, paths: Sequence[Path]) -> tuple[list[Place], list[KnownFile]]:
        """Group paths by their folder; those outside of all folders are single documents."""
        folders = self._followed()
        inside: dict[int, set[Path]] = {}
        outside: list[Path] = []
        for path in paths:
            folder = next((each for each in folders if each.path == path or each.path in path.parents), None)
            if folder is None:
                outside.append(path)
            else:
                # A changed ignore file changes what counts in its whole folder.
                inside.setdefault(folder.id, set()).add(path.parent if path.name == IGNORE_FILE else path)
        places = [Place(each, topmost(inside[each.id])) for each in folders if each.id in inside]
        held = [each.path for each in self._store.folders()]
        singles = self._store.known_files(outside) if outside else []
        return places, [each for each in singles if not is_inside(Path(each.path), held)]

    def _give_up_missing(self) -> None:
        """Remove documents that have been gone for longer than a move takes."""
        now = time.monotonic()
        due = [known for known, deadline in self._missing.values() if deadline <= now]
        if due:
            places, _ = self._places_of([Path(each.path) for each in due])
            for each in due:
                del self._missing[each.id]
            self._hand_over(self.reconcile(places, last=True))

    def _scan_due(self) -> None:
        now = time.monotonic()
        folders = self._followed()
        self._next_scan = {each.id: self._next_scan.get(each.id, now) for each in folders}
        for folder in folders:
            if self._next_scan[folder.id] <= now:
                self._scan(folder)

    def _scan(self, folder: FolderRecord) -> None:
        self._hand_over(self.reconcile([Place(folder)]))

    def reconcile(
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
                waiting = self._missing.get(each.id)
                if waiting is None or waiting[0].path != each.path:  # the reader saw it move, and then it went
                    self._missing[each.id] = (each, now + GRACE_SECONDS)
        for place in places:
            self._note(place, outcome, now - began)
        if outcome.moved or outcome.gone:
            self._library_changed()
        return outcome

    def _note(self, place: Place, outcome: Outcome, seconds: float) -> None:
        """Record how a folder stands, and when to look through it next."""
        folder = place.folder
        state, words = outcome.states[folder.id]
        before = self._unreadable.get(folder.id, frozenset())
        unreadable = outcome.unreadable.get(folder.id, frozenset())
        if place.paths is not None:
            unreadable |= {each for each in before if not is_inside(Path(each), place.paths)}
        self._unreadable[folder.id] = unreadable
        words = words or partly_words(unreadable)
        polling = folder.id in self._polling
        if state is FolderState.LIVE and polling:
            state, words = FolderState.POLLING, words or self._polling[folder.id]
        elif state is FolderState.LIVE and folder.state is FolderState.POLLING and not self.following:
            state, words = folder.state, folder.message
        if self._store.set_folder_state(folder.id, state, words):
            self._announce(FolderChange(ChangeKind.FOLDER, folder.path, message=words or state.value))
        if state is FolderState.OFFLINE:
            self._roots.pop(folder.path, None)  # it may be back before the next check
        if place.paths is None:
            pause = self._settings[RECONCILE_MINUTES] * 60.0
            if polling:
                pause = max(FASTEST_POLL_SECONDS, POLL_SHARE * seconds)
            self._next_scan[folder.id] = time.monotonic() + pause
        if before - unreadable and self.following and not polling:
            # What could not be looked into could not be watched either; what happens until it is shows in a scan.
            self.watch(folder)
            self._next_scan[folder.id] = time.monotonic()

    def singles(self) -> list[KnownFile]:
        """Documents outside of followed folders."""
        held = [folder.path for folder in self._store.folders()]
        return [each for each in self._store.known_files() if not is_inside(Path(each.path), held)]

    # -- reading ---------------------------------------------------------------------------------------------------

    def _hand_over(self, outcome: Outcome) -> None:
        """Have files read, once they no longer grow and unless that is under way already."""
        ready = [path for path in self.wanted(outcome) if not self._handed.is_being_read(str(path))]
        if ready:
            self.read(ready)

    def wanted(self, outcome: Outcome) -> list[Path]:
        """What has to be read: also what waits to be, if nobody is working on it, or only those who were stopped."""
        ingest = self._open_ingest() if outcome.waiting else None
        taken = ingest is not None and any(not job.token.cancelled for job in ingest.active_jobs)
        return list(outcome.read) if taken else [*outcome.read, *outcome.waiting]

    def read(self, paths: Sequence[Path], priority: int = 0) -> IngestJob:
        job = self._open_ingest().add(paths, priority=priority)
        self._handed.note(map(str, paths), job)
        for path in paths:
            self._announce(FolderChange(ChangeKind.READING, path))
        return job

    def _after_reading(self, event: FileOutcome) -> None:
        """A file that changed while it was read is looked at again; so is one that was moved away from the reader."""
        self._handed.was_read(str(event.path))
        self._settling.add(str(event.path), retry=False)
        if event.reason is FailureReason.NOT_FOUND and event.document_id is not None:
            try:
                now_at = self._store.document(event.document_id).path
            except UnknownDocumentError:
                return
            if now_at != event.path:
                self._settling.add(str(now_at))

    def rest_where_stopped(self) -> None:
        """Pause folders whose reading the user cancelled: otherwise the same files would be found again at once.

        What was handed over of such a folder while the user cancelled is stopped too.
        """
        stopped = self._handed.take_stopped()
        for folder in self._followed() if stopped else ():
            if any(is_inside(Path(path), [folder.path]) for path in stopped):
                self._store.set_folder_state(folder.id, FolderState.PAUSED, PAUSED_WORDS)
                self._announce(FolderChange(ChangeKind.FOLDER, folder.path, message=PAUSED_WORDS))
                self._handed.cancel_inside(folder.path)

    # -- watching --------------------------------------------------------------------------------------------------

    def watch(self, folder: FolderRecord) -> None:
        """Have the system tell of changes, or look for them now and then where it doesn't."""
        self._roots[folder.path] = tuple(map(mark_of, (folder.path, *folder.mounts)))
        words = NETWORK_WORDS if has_no_events(folder.path) else ""
        try:
            if not words:
                self._watcher.watch(folder.path)
        except WatchLimitError as error:
            words = str(error)
        except (FileNotFoundError, NotADirectoryError):
            return  # the next look at it says so
        except OSError as error:
            log.warning("%s can't be watched: %s", folder.path, error)
            words = UNWATCHED_WORDS
        self._set_mode(folder, words)

    def forget(self, folder: FolderRecord) -> None:
        """Follow a folder no longer."""
        self._watcher.unwatch(folder.path)
        for by_id in (self._polling, self._unreadable, self._next_scan):
            by_id.pop(folder.id, None)
        self._roots.pop(folder.path, None)

    def _poll_instead(self, path: str) -> None:
        folder = self._store.folder_holding(Path(path))
        if folder is not None and folder.id not in self._polling:
            self._watcher.unwatch(folder.path)
            self._set_mode(folder, LIMIT_WORDS)

    def _set_mode(self, folder: FolderRecord, words: str) -> None:
        """Poll a folder for the reason in ``words``, or rely on events if there is none."""
        if words:
            self._polling[folder.id] = words
            self._next_scan[folder.id] = time.monotonic() + FASTEST_POLL_SECONDS
        else:
            self._polling.pop(folder.id, None)
        state = FolderState.POLLING if words else FolderState.LIVE
        follows = folder.state in (FolderState.LIVE, FolderState.POLLING)
        if follows and self._store.set_folder_state(folder.id, state, words):
            self._announce(FolderChange(ChangeKind.FOLDER, folder.path, message=words or state.value))
