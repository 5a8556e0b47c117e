"""Collections: shown, made, renamed, deleted, filled and emptied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from app.domain.collections import CollectionRecord
from app.domain.errors import UserFacingError
from app.gui.jobs import JobRunner
from app.gui.models.document_list_model import DocumentListModel
from app.gui.ports import Services
from app.gui.upkeep_ports import Collections
from app.gui.widgets.collection_list import CollectionList
from app.gui.widgets.name_dialog import NameDialog
from app.gui.widgets.toast import Toast
from app.gui.wording import counted, shown, shown_name

REFRESH_MILLISECONDS = 400

T = TypeVar("T")
_State = tuple[Sequence[CollectionRecord], int | None, frozenset[int] | None]


class CollectionController(QObject):
    """Signals: ``changed`` when there are others, or they are called otherwise."""

    changed = Signal()

    def __init__(
        self, runner: JobRunner, collections: CollectionList, documents: DocumentListModel, toast: Toast
    ) -> None:
        super().__init__()
        self._runner = runner
        self._list = collections
        self._documents = documents
        self._toast = toast
        self._services: Services | None = None
        self._going: dict[int, CollectionRecord] = {}  # deleted, but that can still be undone
        self._timer = QTimer(self, singleShot=True, interval=REFRESH_MILLISECONDS)
        self._timer.timeout.connect(self.refresh)
        collections.chosen.connect(lambda _chosen: self.refresh())

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services
        self.refresh()

    def detach(self) -> None:
        """The services will go."""
        self._timer.stop()
        self._services = None

    def refresh_soon(self) -> None:
        """Read the collections again when more has happened."""
        if self._services is not None and not self._timer.isActive():
            self._timer.start()

    def refresh(self) -> None:
        """Read the collections, and the members of the one on show."""
        services, on_show = self._services, self._list.shown
        if services is None:
            return

        def read() -> _State:
            collections = services.packs.collections
            return collections.collections(), on_show, None if on_show is None else collections.documents(on_show)

        self._runner.run(read, self._show, group="collections")

    # -- what the user can do --------------------------------------------------------------------------------------

    def create(self, name: str, paths: Sequence[Path], dialog: NameDialog) -> None:
        """Make a collection of these documents and folders, which may be none; then show it."""

        def make(collections: Collections) -> CollectionRecord:
            made = collections.create(name)
            return collections.add(made.name, paths).collection if paths else made

        def on_made(record: CollectionRecord) -> None:
            _close(dialog)
            self._on_changed()
            self._list.model.set_records([*self._list.model.records, record], self._documents.count())
            self._list.choose(record.id)

        self._change(make, on_made, dialog)

    def rename(self, record: CollectionRecord, name: str, dialog: NameDialog) -> None:
        """Give a collection another name."""

        def on_renamed(_renamed: CollectionRecord) -> None:
            _close(dialog)
            self._on_changed()

        self._change(lambda collections: collections.rename(record.name, name), on_renamed, dialog)

    def delete(self, record: CollectionRecord) -> None:
        """Forget a collection, unless that is undone; its documents stay in the library."""
        self._toast.dismiss()
        self._going[record.id] = record
        self._show((self._list.model.records, self._list.shown, self._documents.members))
        self._toast.say(
            f"Deleted the collection “{shown(record.name)}”. Its documents stay in your library.",
            "Undo",
            on_action=lambda: self._keep(record),
            on_gone=lambda: self._delete_now(record),
        )

    def collect(self, record: CollectionRecord, paths: Sequence[Path]) -> None:
        """Add documents and folders to a collection."""
        words = f"Added {_named(paths)} to “{shown(record.name)}”."
        self._change(
            lambda collections: collections.add(record.name, paths),
            lambda change: self._say_changed(
                words + (" New files in it join by themselves." if change.folders else ""), None
            ),
        )

    def take_out(self, record: CollectionRecord, paths: Sequence[Path]) -> None:
        """Take documents and folders out of a collection; they stay in the library."""
        words = f"Took {_named(paths)} out of “{shown(record.name)}”."
        self._change(
            lambda collections: collections.remove(record.name, paths),
            lambda _change: self._say_changed(words, lambda: self.collect(record, paths)),
        )

    # -- reactions -------------------------------------------------------------------------------------------------

    def _change(
        self,
        work: Callable[[Collections], T],
        on_done: Callable[[T], None],
        dialog: NameDialog | None = None,
    ) -> None:
        """What was deleted is gone before anything else changes: its name may be wanted again."""
        services = self._services
        if services is None:
            return
        going = list(self._going.values())
        self._going.clear()
        self._toast.dismiss()

        def change() -> T:
            for record in going:
                services.packs.collections.delete(record.name)
            return work(services.packs.collections)

        def refuse(error: Exception) -> None:
            if dialog is not None and isValid(dialog) and isinstance(error, UserFacingError):
                dialog.show_problem(str(error))
                self.refresh()
            else:
                self._on_refused(error)

        self._runner.run(change, on_done, refuse)

    def _say_changed(self, words: str, undo: Callable[[], None] | None) -> None:
        self._toast.say(words, "Undo" if undo else "", on_action=undo)
        self._on_changed()

    def _on_changed(self) -> None:
        self.refresh()
        self.changed.emit()

    def _keep(self, record: CollectionRecord) -> None:
        self._going.pop(record.id, None)
        self.refresh()

    def _delete_now(self, record: CollectionRecord) -> None:
        services = self._services
        if services is None or self._going.pop(record.id, None) is None:
            return
        self._runner.run(
            lambda: services.packs.collections.delete(record.name), lambda _: self._on_changed(), self._on_refused
        )

    def _show(self, state: _State) -> None:
        records, on_show, members = state
        if on_show != self._list.shown:
            return  # another one was chosen meanwhile, and is being read
        self._list.model.set_records([each for each in records if each.id not in self._going], self._documents.count())
        self._documents.set_members(members if self._list.shown is not None else None)

    def _on_refused(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        self._toast.say(str(error))
        self.refresh()


def _close(dialog: NameDialog) -> None:
    """The user may have closed it while the name was being stored."""
    if isValid(dialog):
        dialog.accept()


def _named(paths: Sequence[Path]) -> str:
    return f"“{shown_name(paths[0])}”" if len(paths) == 1 else counted(len(paths), "document")
