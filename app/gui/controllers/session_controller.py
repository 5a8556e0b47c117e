"""Sessions: list, open, begin, rename."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.domain.turns import SessionRecord, StoredMessage
from app.gui.jobs import JobRunner
from app.gui.models.message_list_model import MessageListModel
from app.gui.models.session_list_model import UNTITLED, SessionListModel
from app.gui.ports import Services
from app.gui.wording import shown

FIRST_BATCH, NEXT_BATCH = 100, 500


class SessionController(QObject):
    """Signals: ``opened(session_id)`` once the newest messages of a session are on the screen; empty for a new chat;
    ``completed(session_id)`` once all of them are there; ``titled(session_id)`` when it has another title;
    ``begun(session_id)``, before it is opened, when the new chat on the screen has become a stored one.
    """

    opened = Signal(str)
    completed = Signal(str)
    titled = Signal(str)
    begun = Signal(str)

    def __init__(self, runner: JobRunner, sessions: SessionListModel, messages: MessageListModel) -> None:
        super().__init__()
        self._runner = runner
        self._sessions = sessions
        self._messages = messages
        self._services: Services | None = None
        self.current = ""
        self._reloaded = ""
        self.loaded = False
        sessions.rename_wished.connect(self.rename)

    def attach(self, services: Services, last_session: str) -> None:
        """The services are there: show the sessions and open the one that was open."""
        self._services = services

        def load() -> Sequence[SessionRecord]:
            services.sessions.recover()
            return services.sessions.sessions()

        self._runner.run(load, lambda records: self._on_loaded(records, last_session))

    def begin(self) -> None:
        """An empty chat. It is stored with its first question."""
        self.current = ""
        self._messages.set_messages([])
        self.opened.emit("")

    def open(self, session_id: str) -> None:
        """Show the messages of a session."""
        if session_id != self.current:
            self._reloaded = ""
            self._read(session_id)

    def reopen(self, session_id: str) -> None:
        """Show the messages of a session as they are stored now, also of the one that is open."""
        self._reloaded = ""
        self._read(session_id)

    def reload_once(self) -> None:
        """Read the messages of the open session again, but not again and again."""
        if self._reloaded != self.current:
            self._reloaded = self.current
            self._read(self.current)

    def _read(self, session_id: str) -> None:
        services = self._services
        if services is None:
            return
        self._runner.run(
            lambda: services.sessions.messages(session_id, last=FIRST_BATCH),
            lambda messages: self._on_opened(session_id, messages),
            group="open-session",
        )

    def _read_older(self, session_id: str, before: int) -> None:
        """What is above the messages on the screen comes in batches, so that the window is never away for long."""
        services = self._services
        if services is not None:
            self._runner.run(
                lambda: services.sessions.messages(session_id, last=NEXT_BATCH, before=before),
                lambda messages: self._on_older(session_id, messages, NEXT_BATCH),
                group="open-session",
            )

    def _on_older(self, session_id: str, messages: Sequence[StoredMessage], batch: int) -> None:
        if session_id != self.current:
            return
        self._messages.put_before(messages)
        if len(messages) == batch:
            self._read_older(session_id, messages[0].id)
        else:
            self.completed.emit(session_id)

    def adopt(self, record: SessionRecord) -> None:
        """The empty chat on the screen has become a stored session."""
        self._sessions.put_first(record)
        self.current = record.id
        self.begun.emit(record.id)
        self.opened.emit(record.id)

    def touch(self, session_id: str) -> None:
        """A session was used just now."""
        record = self._sessions.record(session_id)
        if record is not None:
            self._sessions.put_first(replace(record, updated_at=time.time()))

    def title(self, session_id: str) -> str:
        """The title of a session for the screen."""
        record = self._sessions.record(session_id)
        return (shown(record.title) if record else "") or UNTITLED

    def rename(self, session_id: str, title: str) -> None:
        """Store a title that is on the screen already."""
        services = self._services
        if services is not None:
            self._runner.run(lambda: services.sessions.rename(session_id, title))
            self.titled.emit(session_id)

    def take_off(self, session_id: str) -> None:
        """Take a session off the list, and go on to the one below it if it was open."""
        following = self._sessions.neighbour(session_id)
        self._sessions.remove(session_id)
        if session_id != self.current:
            return
        if following:
            self.open(following)
        else:
            self.begin()

    def _on_loaded(self, records: Sequence[SessionRecord], last_session: str) -> None:
        self.loaded = True
        self._sessions.set_sessions(records)
        if self._messages.rowCount() or self.current:
            return  # the user was quicker
        if any(record.id == last_session for record in records):
            self.open(last_session)
        else:
            self.begin()

    def _on_opened(self, session_id: str, messages: Sequence[StoredMessage]) -> None:
        self.current = session_id
        self._messages.set_messages(messages)
        self.opened.emit(session_id)
        if len(messages) == FIRST_BATCH:
            self._read_older(session_id, messages[0].id)
        else:
            self.completed.emit(session_id)
