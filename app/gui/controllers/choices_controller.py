"""What the user chose for the open chat."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.domain.session_choices import SessionChoices
from app.gui.controllers.session_controller import SessionController
from app.gui.jobs import JobRunner
from app.gui.models.session_list_model import SessionListModel
from app.gui.ports import Services


class ChoicesController(QObject):
    """The choices of the chat on the screen; those of a new chat are stored with it once it exists.

    Signals: ``changed`` when others hold.
    """

    changed = Signal()

    def __init__(self, runner: JobRunner, sessions: SessionController, session_list: SessionListModel) -> None:
        super().__init__()
        self._runner = runner
        self._sessions = sessions
        self._session_list = session_list
        self._services: Services | None = None
        self._known: set[str] = set()
        self._open = ""
        self._set_here: dict[str, SessionChoices] = {}
        self.choices = SessionChoices()
        session_list.modelReset.connect(self._learn)
        sessions.opened.connect(self._on_opened)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def set(self, **parts: Any) -> None:
        """Change some choices, named as ``SessionChoices`` has them, and keep them with the chat."""
        wanted = replace(self.choices, **parts)
        if wanted != self.choices:
            self.choices = wanted
            self.changed.emit()
            self._store()

    def _on_opened(self, session_id: str) -> None:
        before, self._open = self._open, session_id
        began = not before and session_id and session_id not in self._known
        self._learn()
        if began:  # the new chat that was on the screen has become a stored one
            self._store()
            return
        if session_id == before and session_id:
            return
        self.choices = self._stored(session_id)
        self.changed.emit()

    def _learn(self) -> None:
        self._known |= {record.id for record in self._session_list.records}

    def _store(self) -> None:
        services, session_id, choices = self._services, self._open, self.choices
        if services is None or not session_id or self._stored(session_id) == choices:
            return
        self._set_here[session_id] = choices
        self._runner.run(lambda: services.sessions.choose(session_id, choices))

    def _stored(self, session_id: str) -> SessionChoices:
        record = self._session_list.record(session_id)
        return self._set_here.get(session_id) or (record.choices if record is not None else SessionChoices())
