"""Folders that stay live: what changes in them is searchable, or gone, within seconds."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from app.domain.documents import DocumentState
from app.domain.errors import BadInputError
from app.domain.folders import FolderChange, FolderPreview, FolderRecord, FolderState, FolderStatus
from app.services.discovery import FileDiscovery
from app.services.folder_follower import FolderFollower, Ingest, SettingValues
from app.services.folder_scanner import FolderScanner
from app.services.ingest_job import IngestJob
from app.services.reconciler import Place, Reconciler
from app.settings.setting import Setting
from app.storage.library_store import LibraryStore

FOLLOW_FOLDERS = Setting(
    "folders.follow",
    True,
    "Follow folders",
    "Keep up with files that are added, changed, moved or deleted.",
    restart=True,
)
ADDED_BY_USER = 1
# A few files, just dropped, overtake a large folder that was dropped before.
FEW_ADDED_BY_USER, FEW_FILES = 2, 20


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
        self._settings = settings
        self._library_changed = library_changed
        self._lock = threading.Lock()
        self._listeners: list[Callable[[FolderChange], None]] = []
        self._reconciler = Reconciler(store, scanner, discovery, self._announce)
        self._follower = FolderFollower(store, self._reconciler, open_ingest, settings, library_changed, self._announce)

    def start(self) -> None:
        """Follow all folders: look through everything once, then wait for events. Does nothing if the user wants so."""
        if self._settings[FOLLOW_FOLDERS] and not self._follower.following:
            self._follower.start()

    def close(self) -> None:
        """Follow no folder any more. What was handed over to be read goes on."""
        self._follower.close()

    def subscribe(self, listener: Callable[[FolderChange], None]) -> Callable[[], None]:
        """Call ``listener`` with everything that happens, on threads of this service. Returns what ends that."""
        with self._lock:
            self._listeners.append(listener)
        return lambda: self._forget_listener(listener)

    def status(self) -> list[FolderStatus]:
        """All followed folders, by path."""
        return self._store.folder_statuses()

    def preview(self, paths: Iterable[Path]) -> FolderPreview:
        """What adding these paths would bring in, counted without opening a file."""
        return self._discovery.preview(paths)

    def add(self, paths: Sequence[Path]) -> IngestJob:
        """Read files, and read and follow folders. What the user took out before comes in again."""
        places = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100  links stay as the user knows them
        with self._follower.work:
            self._follower.rest_where_stopped()  # before now, so that it doesn't end what begins now
            folders = self.register(places)
            outcome = self._follower.reconcile(
                [Place(folder, trusted=True) for folder in folders], last=not self._follower.following
            )
            files = [path for path in places if not os.path.isdir(path)]  # noqa: PTH112  as in register
            failed = [each for each in self._store.known_files(places) if each.state is DocumentState.FAILED]
            files += [Path(each.path) for each in failed if Path(each.path) not in files]  # the user wants another try
            few = not folders and len(files) <= FEW_FILES
            return self._follower.read([*files, *outcome.read], priority=FEW_ADDED_BY_USER if few else ADDED_BY_USER)

    def register(self, paths: Iterable[Path]) -> list[FolderRecord]:
        """Follow the folders among ``paths`` from now on, and remember of files that they are wanted."""
        folders = []
        for path in paths:
            if os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where it may not look
                folder = self._store.add_folder(path)
                self._store.choose_path(path, included=None)
                self._store.set_folder_state(folder.id, FolderState.LIVE)
                folders.append(folder)
                self._watch(folder)
            elif self._store.folder_holding(path):
                self._store.choose_path(path, included=True)
        return folders

    def remove_folder(self, path: Path) -> list[Path]:
        """Take a followed folder and its documents out of the library; the files stay. Returns the documents' paths.

        Raises ``BadInputError`` if it is not followed.
        """
        folder = self._folder_at(path)
        with self._follower.work:
            self._store.remove_folder(folder.id)
            self._follower.forget(folder)
            known = self._store.known_files([folder.path], packed=True)
            self._reconciler.remove(known)
        self._library_changed()
        return [Path(each.path) for each in known]

    def exclude(self, path: Path) -> list[Path]:
        """Leave a file or folder inside a followed folder out from now on. Returns the documents taken out.

        Raises ``BadInputError`` outside of followed folders.
        """
        if self._store.folder_holding(path) is None:
            raise BadInputError(f"{path} is not in a folder that Footnote follows. Remove it from the library instead.")
        with self._follower.work:
            self._store.choose_path(path, included=False)
            known = self._store.known_files([path], packed=True)
            self._reconciler.remove(known)
        self._library_changed()
        return [Path(each.path) for each in known]

    def rescan(self, path: Path | None = None) -> IngestJob | None:
        """Look through one followed folder, or all, and take what is there as it is. None if nothing has to be read.

        Raises ``BadInputError`` for a folder that is not followed.
        """
        with self._follower.work:
            self._follower.rest_where_stopped()  # before now, so that it doesn't end what begins now
            folders = self._store.folders() if path is None else [self._folder_at(path)]
            for folder in folders:
                if folder.state is FolderState.PAUSED:
                    self._store.set_folder_state(folder.id, FolderState.LIVE)
            singles = self._follower.singles() if path is None else []
            outcome = self._follower.reconcile([Place(folder, trusted=True) for folder in folders], singles, last=True)
            wanted = self._follower.wanted(outcome)
            return self._follower.read(wanted) if wanted else None

    def catch_up(self, paths: Iterable[Path]) -> None:
        """Follow moves and deletions in these followed folders now, without reading anything new."""
        with self._follower.work:
            places = [Place(folder) for folder in self._store.folders() if folder.path in set(paths)]
            self._follower.reconcile(places, last=True)

    def _watch(self, folder: FolderRecord) -> None:
        if self._follower.following:
            self._follower.watch(folder)

    def _folder_at(self, path: Path) -> FolderRecord:
        folder = next((each for each in self._store.folders() if each.path == path), None)
        if folder is None:
            raise BadInputError(f"{path} is not a followed folder. `footnote folders` lists them.")
        return folder

    def _announce(self, change: FolderChange) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(change)

    def _forget_listener(self, listener: Callable[[FolderChange], None]) -> None:
        with self._lock:
            self._listeners = [each for each in self._listeners if each is not listener]
