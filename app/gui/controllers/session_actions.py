"""What a user does with chats in the list: pin, archive, move, tag, duplicate, delete with undo, and the trash."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.domain.errors import UserFacingError
from app.domain.turns import SessionRecord
from app.gui.controllers.session_controller import SessionController
from app.gui.jobs import JobRunner
from app.gui.models.session_list_model import SessionListModel
from app.gui.ports import Services
from app.gui.widgets.toast import Toast
from app.gui.wording import counted


class SessionActions(QObject):
    """The list shows a change at once; if it can't be stored, the list is read again and the user is told why.

    Work is done in the order in which it was asked for, so that an undo never overtakes what it undoes.
    Signals: ``trash_changed``.
    """

    trash_changed = Signal()

    def __init__(
        self, runner: JobRunner, sessions: SessionController, session_list: SessionListModel, toast: Toast
    ) -> None:
        super().__init__()
        self._runner = runner
        self._sessions = sessions
        self._list = session_list
        self._toast = toast
        self._services: Services | None = None
        self._waiting: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        self._working = False

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def pin(self, session_id: str, pinned: bool) -> None:
        """Keep a chat at the top, or no longer."""
        self._change(session_id, lambda services: services.sessions.pin([session_id], pinned), pinned=pinned)

    def archive(self, session_id: str, archived: bool) -> None:
        """Put a chat away, or back."""
        title = self._sessions.title(session_id)
        self._change(session_id, lambda services: services.sessions.archive([session_id], archived), archived=archived)
        if archived:
            self._toast.say(f"Archived “{title}”.", "Undo", on_action=lambda: self.archive(session_id, False))

    def move(self, session_id: str, folder: str) -> None:
        """Put a chat into a folder; "" takes it out."""
        folder = " ".join(folder.split())
        self._change(session_id, lambda services: services.sessions.move([session_id], folder), folder=folder)

    def rename_folder(self, folder: str, name: str) -> None:
        """Give a folder another name."""
        name = " ".join(name.split())
        if name and name != folder:
            self._list.put([replace(each, folder=name) for each in self._list.records if each.folder == folder])
            self._do(lambda services: services.sessions.rename_folder(folder, name))

    def dissolve(self, folder: str) -> None:
        """Take all chats out of a folder, which is gone then."""
        inside = [each for each in self._list.records if each.folder == folder]
        ids = [each.id for each in inside]
        self._list.put([replace(each, folder="") for each in inside])
        self._do(lambda services: services.sessions.move(ids, ""))

    def tag(self, session_id: str, words: str) -> None:
        """Give a chat the tags in ``words``, separated by commas."""

        def work(services: Services) -> SessionRecord:
            services.sessions.tag(session_id, words.split(","))
            return services.sessions.session(session_id)

        self._do(work, lambda record: self._list.put([record]))

    def duplicate(self, session_id: str) -> None:
        """Copy a chat and open the copy."""

        def show(record: SessionRecord) -> None:
            self._list.put_first(record)
            self._sessions.open(record.id)

        self._do(lambda services: services.sessions.duplicate(session_id), show)

    def name_after_question(self, session_id: str) -> None:
        """Give a chat its automatic title."""

        def show(record: SessionRecord) -> None:
            self._list.set_title(session_id, record.title)
            self._sessions.titled.emit(session_id)

        self._do(lambda services: services.sessions.rename(session_id, ""), show)

    def delete(self, session_id: str) -> None:
        """Put a chat into the trash, with a way back at hand."""
        record = self._list.record(session_id)
        if record is None:
            return
        was_open = session_id == self._sessions.current
        title = self._sessions.title(session_id)
        self._sessions.take_off(session_id)
        self._do(lambda services: services.sessions.trash([session_id]), self._on_trash_changed)

        def undo() -> None:
            self._list.put([record])
            self._do(lambda services: services.sessions.restore([session_id]), self._on_trash_changed)
            if was_open:
                self._sessions.open(session_id)

        self._toast.say(f"Deleted “{title}”.", "Undo", on_action=undo)

    def restore(self, session_ids: Sequence[str]) -> None:
        """Take chats out of the trash."""

        def work(services: Services) -> Sequence[SessionRecord]:
            services.sessions.restore(session_ids)
            return [services.sessions.session(each) for each in session_ids]

        def show(records: Sequence[SessionRecord]) -> None:
            self._list.put(records)
            self._on_trash_changed(None)

        self._do(work, show)

    def delete_for_good(self, session_ids: Sequence[str]) -> None:
        """Delete chats of the trash; there is no way back."""

        def tell(_nothing: object) -> None:
            self.trash_changed.emit()
            self._toast.say(f"Deleted {counted(len(session_ids), 'chat')}.")

        self._do(lambda services: services.sessions.delete_for_good(session_ids), tell)

    def read_trash(self, show: Callable[[Sequence[SessionRecord]], None]) -> None:
        """Hand the chats in the trash to ``show``."""
        self._do(lambda services: services.sessions.trashed(), show)

    def reload(self) -> None:
        """Read the list again."""
        self._do(lambda services: services.sessions.sessions(), self._list.set_sessions)

    def show_arrived(self, session_ids: Collection[str]) -> None:
        """Chats have been stored from elsewhere: list them, and show the open one anew if it is among them."""
        self.reload()
        if self._sessions.current in session_ids:
            self._sessions.reopen(self._sessions.current)

    def _on_trash_changed(self, _nothing: object) -> None:
        self.trash_changed.emit()

    def _change(self, session_id: str, work: Callable[[Services], object], **values: Any) -> None:
        record = self._list.record(session_id)
        if record is not None:
            self._list.put([replace(record, **values)])
            self._do(work)

    def _do(self, work: Callable[[Services], Any], on_done: Callable[[Any], None] = lambda _result: None) -> None:
        services = self._services
        if services is not None:
            self._waiting.append((lambda: work(services), on_done))
            self._go_on()

    def _go_on(self) -> None:
        if self._working or not self._waiting:
            return
        self._working = True
        work, on_done = self._waiting.pop(0)

        def finish(result: Any) -> None:
            self._working = False
            on_done(result)
            self._go_on()

        self._runner.run(work, finish, self._on_error)

    def _on_error(self, error: Exception) -> None:
        self._working = False
        if not isinstance(error, UserFacingError):
            raise error
        self._toast.say(str(error))
        self.reload()
