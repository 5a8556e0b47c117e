"""Figures and thoughts behind answers: read when an answer comes near the view."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.domain.turn_details import TurnDetails
from app.gui.answer_facts import AnswerFacts
from app.gui.controllers.attached_controller import AttachedController
from app.gui.controllers.chat_controller import ChatController
from app.gui.jobs import JobRunner
from app.gui.models.message_list_model import MessageEntry, MessageListModel
from app.gui.ports import Services
from app.gui.turn_notes import notes_of


class FactsController(QObject):
    """Fills in ``MessageEntry.facts``, once for each answer, and has ``attached`` show the files of its question."""

    def __init__(
        self, runner: JobRunner, chat: ChatController, messages: MessageListModel, attached: AttachedController
    ) -> None:
        super().__init__()
        self._attached = attached
        self._runner = runner
        self._messages = messages
        self._services: Services | None = None
        chat.stored.connect(self._on_stored)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def look_up(self, entry: MessageEntry) -> None:
        """Read the figures of an answer that came near the view."""
        services = self._services
        if services is None or entry.facts is not None or entry.id < 0 or entry.streaming or entry.is_question:
            return
        entry.facts = AnswerFacts()  # asked for once
        message_id = entry.id
        self._runner.run(lambda: services.sessions.details(message_id), lambda found: self._on_read(entry, found))

    def _on_stored(self, entry: MessageEntry) -> None:
        entry.facts = None
        self.look_up(entry)

    def _on_read(self, entry: MessageEntry, details: TurnDetails | None) -> None:
        if details is not None:
            facts = AnswerFacts.of(details)
            notes = notes_of(details, self._question_before(entry))
            self._messages.update(entry, facts=facts, reasoning=facts.reasoning or entry.reasoning, notes=notes)
            self._attached.show_noted(entry, details.attached)

    def _question_before(self, entry: MessageEntry) -> str:
        row = self._messages.row_of(entry.id)
        return self._messages.entry(row - 1).text if row else ""
