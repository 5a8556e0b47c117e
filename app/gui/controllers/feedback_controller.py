"""Thumbs under answers and opened footnotes, kept as examples for measuring search."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox, QWidget

from app.domain.errors import UserFacingError
from app.domain.feedback import Judgement
from app.gui.controllers.session_controller import SessionController
from app.gui.jobs import JobRunner
from app.gui.models.message_list_model import MessageEntry, MessageListModel
from app.gui.ports import Services
from app.gui.widgets.chat_panel import ChatPanel
from app.gui.widgets.dialogs import ask_before
from app.gui.widgets.toast import Toast
from app.gui.wording import counted

FORGET_WORDS = (
    "Thumbs and opened footnotes are kept on this computer to measure search with. They would all be forgotten; "
    "your chats stay as they are."
)


class FeedbackController(QObject):
    """Follows the messages on the screen: shows their thumbs, keeps what the user does with them."""

    def __init__(
        self,
        runner: JobRunner,
        sessions: SessionController,
        messages: MessageListModel,
        chat: ChatPanel,
        toast: Toast,
    ) -> None:
        super().__init__()
        self._runner = runner
        self._sessions = sessions
        self._messages = messages
        self._toast = toast
        self._services: Services | None = None
        chat.judged.connect(self.judge)
        chat.footnote_activated.connect(self.keep_opened)
        sessions.completed.connect(self._show_judgements)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def judge(self, message_id: int, judgement: str) -> None:
        """A thumb was clicked: it is given, or taken back if it was given before."""
        services, row = self._services, self._messages.row_of(message_id)
        if services is None or row is None:
            return
        entry = self._messages.entry(row)
        before = entry.judgement
        wanted = None if before == judgement else Judgement(judgement)
        self._messages.update(entry, judgement=wanted)
        self._runner.run(
            lambda: services.measuring.feedback.judge(message_id, wanted),
            lambda _: None,
            lambda error: self._on_refused(entry, before, error),
        )

    def keep_opened(self, message_id: int, number: int) -> None:
        """A footnote was opened. While its answer is being written it is not stored yet, and nothing is kept."""
        services, row = self._services, self._messages.row_of(message_id)
        if services is not None and row is not None and not self._messages.entry(row).streaming:
            self._runner.run(
                lambda: services.measuring.feedback.citation_opened(message_id, number), lambda _: None, self._on_error
            )

    def ask_to_forget(self, parent: QWidget) -> QMessageBox:
        """Forget all that is kept, if the user says so."""
        question = "Forget all examples kept for measuring search?"
        return ask_before(question, FORGET_WORDS, "Forget them", self.forget, parent)

    def forget(self) -> None:
        """Forget all that is kept; chats stay."""
        services = self._services
        if services is not None:
            clear = lambda: services.measuring.feedback.clear()  # noqa: E731, PLW0108  made on the worker, not here
            self._runner.run(clear, self._on_forgotten, self._on_error)

    def _show_judgements(self, session_id: str) -> None:
        services = self._services
        if services is not None and session_id:
            self._runner.run(
                lambda: services.measuring.feedback.judgements(session_id),
                lambda found: self._on_read(session_id, found),
                self._on_error,
                group="judgements",
            )

    def _on_read(self, session_id: str, found: dict[int, Judgement]) -> None:
        if session_id != self._sessions.current:
            return
        for entry in self._messages.entries:
            if entry.judgement is not found.get(entry.id):
                self._messages.update(entry, judgement=found.get(entry.id))

    def _on_forgotten(self, count: int) -> None:
        for entry in self._messages.entries:
            if entry.judgement is not None:
                self._messages.update(entry, judgement=None)
        self._toast.say(f"{counted(count, 'example')} forgotten.")

    def _on_refused(self, entry: MessageEntry, before: Judgement | None, error: Exception) -> None:
        self._messages.update(entry, judgement=before)
        self._on_error(error)

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        self._toast.say(str(error))
