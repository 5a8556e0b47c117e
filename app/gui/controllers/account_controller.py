"""Why this answer? Reads how an answer came about and shows it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.domain.turn_details import TurnDetails
from app.gui.answer_account import Account
from app.gui.jobs import JobRunner
from app.gui.models.message_list_model import MessageListModel
from app.gui.ports import Services
from app.gui.widgets.answer_panel import AnswerPanel


class AccountController(QObject):
    """Signals: ``shown`` when the account of an answer is on the screen."""

    shown = Signal()

    def __init__(self, runner: JobRunner, messages: MessageListModel, panel: AnswerPanel) -> None:
        super().__init__()
        self._runner = runner
        self._messages = messages
        self._panel = panel
        self._services: Services | None = None

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def show(self, message_id: int) -> None:
        """Tell how the answer ``message_id`` came about."""
        services, row = self._services, self._messages.row_of(message_id)
        if services is None or row is None:
            return
        entry = self._messages.entry(row)
        before = [each.text for each in self._messages.entries[:row] if each.is_question]
        question = before[-1] if before else ""

        def tell(details: TurnDetails | None) -> None:
            self._panel.show_account(Account(question, entry.sentences, entry.citations, entry.model, details))
            self.shown.emit()

        self._runner.run(lambda: services.sessions.details(message_id), tell, group="account")
