"""Tells which paths below folders changed, by the events of the operating system."""

from __future__ import annotations

import errno
import os
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.errors import UserFacingError

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver, ObservedWatch
    from watchdog.observers.inotify_c import InotifyFD

LIMIT_WORDS = (
    "The system can't watch more folders, so Footnote looks for changes here every few seconds. "
    "A higher limit helps (fs.inotify.max_user_watches on Linux)."
)


class WatchLimitError(UserFacingError):
    """The operating system does not watch (all of) this folder: look for changes now and then instead."""


class FolderWatcher:
    """Watches trees of folders.

    ``changed`` gets every path that something happened to, ``overflowed`` is called when events were lost, and
    ``limited`` gets the path of a folder that can't be watched any more. All are called on threads of the watcher and
    must return quickly. Events are hints: what is true stands on the disk.
    """

    def __init__(
        self, changed: Callable[[str], None], overflowed: Callable[[], None], limited: Callable[[str], None]
    ) -> None:
        self._changed = changed
        self._overflowed = overflowed
        self._limited = limited
        self._lock = threading.Lock()
        self._observer: BaseObserver | None = None
        self._watches: dict[Path, ObservedWatch] = {}

    def watch(self, root: Path) -> None:
        """Watch a folder and all below it, anew if it is watched already. Raises ``WatchLimitError`` or ``OSError``."""
        with self._lock:
            self._forget(root)
            if self._observer is not None and not _works(self._observer):
                self._observer.stop()
                self._observer = None
                self._watches.clear()
            if self._observer is None:
                self._observer = self._start()
            # A link as such never changes: what is watched is where it leads.
            real = os.path.realpath(root)
            try:
                watch = self._observer.schedule(
                    _handler(self._changed, real, str(root)), real, recursive=True, event_filter=_events()
                )
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EMFILE):
                    raise WatchLimitError(LIMIT_WORDS) from error
                raise
            self._watches[root] = watch

    def unwatch(self, root: Path) -> None:
        """Watch a folder no longer; one that is not watched is passed over."""
        with self._lock:
            self._forget(root)

    @property
    def watched(self) -> list[Path]:
        """The folders that were asked to be watched."""
        with self._lock:
            return list(self._watches)

    def is_watching(self, root: Path) -> bool:
        """Whether events of ``root`` still come; they end when it is deleted, and if the watcher breaks."""
        with self._lock:
            watch = self._watches.get(root)
            if watch is None or self._observer is None or not _works(self._observer):
                return False
            return any(each.watch == watch and each.should_keep_running() for each in self._observer.emitters)

    def close(self) -> None:
        """Watch nothing any more."""
        with self._lock:
            observer, self._observer = self._observer, None
            self._watches.clear()
        if observer is not None:
            observer.stop()
            observer.join()

    def _forget(self, root: Path) -> None:
        watch = self._watches.pop(root, None)
        if watch is not None and self._observer is not None:
            self._observer.unschedule(watch)

    def _start(self) -> BaseObserver:
        try:
            observer = _make_observer(self._overflowed, self._limited)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EMFILE):
                raise WatchLimitError(LIMIT_WORDS) from error
            raise
        observer.name = "folder-watcher"
        observer.start()
        return observer


def _works(observer: BaseObserver) -> bool:
    """Whether all threads of an observer run; one that met an error of its own ends without a word."""
    reader = getattr(observer, "reader", observer)
    return observer.is_alive() and bool(reader.is_alive())


def _events() -> list[type[FileSystemEvent]]:
    """What tells of a change; opening and reading a file, and what its folder notices of it, do not."""
    from watchdog import events

    return [
        events.FileCreatedEvent,
        events.FileModifiedEvent,
        events.FileAttribEvent,
        events.FileMovedEvent,
        events.FileDeletedEvent,
        events.FileClosedEvent,
        events.DirCreatedEvent,
        events.DirMovedEvent,
        events.DirDeletedEvent,
        events.DirAttribEvent,
    ]


def _handler(changed: Callable[[str], None], real: str, known_as: str) -> FileSystemEventHandler:
    from watchdog.events import FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            for path in (event.src_path, event.dest_path):
                if path:
                    changed(known_as + os.fsdecode(path)[len(real) :])

    return Handler()


def _make_observer(overflowed: Callable[[], None], limited: Callable[[str], None]) -> BaseObserver:
    if not sys.platform.startswith("linux"):
        from watchdog.observers import Observer

        return Observer()
    from watchdog.observers.inotify_c import InotifyEvent, InotifyFD

    # A folder that is renamed while its new name is being watched is watched twice, which does no harm.
    warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)

    class Inotify(InotifyFD):
        """The library's reader of events, which says nothing of lost events and of folders it could not watch."""

        def handle_event(self, event: InotifyEvent) -> None:
            super().handle_event(event)
            if event.is_queue_overflow:
                overflowed()

        def add_callback(self, path: bytes, *rest: Any) -> Any:
            try:
                return super().add_callback(path, *rest)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EMFILE):
                    limited(os.fsdecode(path))
                raise

    return _observer_over(Inotify())


def _observer_over(reader: InotifyFD) -> BaseObserver:
    """An observer that reads its events with ``reader``, started and stopped with it."""
    from watchdog.observers.api import BaseObserver
    from watchdog.observers.inotify import InotifyEmitter

    class Observer(BaseObserver):
        def __init__(self) -> None:
            super().__init__(InotifyEmitter, inotify_fd=reader)

        def on_thread_start(self) -> None:
            reader.start()
            super().on_thread_start()

        def on_thread_stop(self) -> None:
            super().on_thread_stop()
            reader.stop()
            reader.join()

    return Observer()
