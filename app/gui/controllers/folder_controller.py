"""Followed folders: start following, show how each stands, rescan, remove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.folders import ChangeKind, FolderChange, FolderStatus
from app.gui.jobs import JobRunner
from app.gui.models.folder_list_model import FolderEntry, FolderListModel
from app.gui.ports import Services
from app.gui.widgets.toast import Toast
from app.gui.wording import counted

REFRESH_MILLISECONDS = 500


class FolderController(QObject):
    """Signals: ``documents_changed`` when documents came, went or moved without the user's doing."""

    documents_changed = Signal()

    def __init__(self, runner: JobRunner, model: FolderListModel, toast: Toast) -> None:
        super().__init__()
        self._runner = runner
        self._model = model
        self._toast = toast
        self._services: Services | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._post = runner.channel(self._on_changes)
        self._timer = QTimer(self, singleShot=True, interval=REFRESH_MILLISECONDS)
        self._timer.timeout.connect(self.refresh)

    def attach(self, services: Services) -> None:
        """The services are there: follow the folders from now on."""
        self._services = services

        def begin() -> Callable[[], None]:
            unsubscribe = services.folders.subscribe(self._post)
            services.folders.start()
            return unsubscribe

        self._runner.run(begin, self._on_subscribed)
        self.refresh()

    def detach(self) -> None:
        """No more events; the services are about to close."""
        self._timer.stop()
        self._services = None
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def refresh(self) -> None:
        """Read the list of folders again."""
        services = self._services
        if services is None:
            return

        def read() -> Sequence[FolderStatus]:
            return services.folders.status()  # the first use of a service imports it: never on the GUI thread

        self._runner.run(read, self._model.set_statuses, group="folders")

    def refresh_soon(self) -> None:
        """Read the list of folders again when more has happened."""
        if self._services is not None and not self._timer.isActive():
            self._timer.start()

    def rescan(self, entry: FolderEntry) -> None:
        """Look through a folder now, and take what is there as it is."""
        services = self._services
        if services is not None:
            self._runner.run(lambda: services.folders.rescan(entry.path), lambda _: self._on_rescanned(entry))

    def remove(self, entry: FolderEntry) -> None:
        """Take a folder and its documents out of the library. The files are never touched."""
        services = self._services
        if services is not None:
            self._runner.run(
                lambda: services.folders.remove_folder(entry.path), lambda paths: self._on_removed(entry, paths)
            )

    def _on_subscribed(self, unsubscribe: Callable[[], None]) -> None:
        if self._services is None:
            unsubscribe()  # closed in the meantime
        else:
            self._unsubscribe = unsubscribe

    def _on_changes(self, changes: Sequence[FolderChange]) -> None:
        self.refresh_soon()
        if any(change.kind not in (ChangeKind.READING, ChangeKind.FOLDER) for change in changes):
            self.documents_changed.emit()

    def _on_rescanned(self, entry: FolderEntry) -> None:
        self._toast.say(f"“{entry.name}” was looked through.")
        self.refresh()
        self.documents_changed.emit()

    def _on_removed(self, entry: FolderEntry, paths: Sequence[Path]) -> None:
        self._toast.say(f"Removed “{entry.name}” with {counted(len(paths), 'document')} from the library.")
        self.refresh()
        self.documents_changed.emit()
