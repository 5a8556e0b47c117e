"""The files that a chat has from earlier questions: shown above the composer, and taken out of the chat there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject

from app.gui.chips import Chip, kept_chip
from app.gui.controllers.chat_controller import ChatController
from app.gui.controllers.composer_controller import ComposerController
from app.gui.controllers.session_controller import SessionController
from app.gui.jobs import JobRunner
from app.gui.ports import Services


class ChatFilesController(QObject):
    """Reads them when a chat is opened and when an answer begins, for by then the files of a question are taken in."""

    def __init__(
        self, runner: JobRunner, sessions: SessionController, chat: ChatController, composer: ComposerController
    ) -> None:
        super().__init__()
        self._runner = runner
        self._sessions = sessions
        self._composer = composer
        self._services: Services | None = None
        sessions.opened.connect(self._on_opened)
        chat.answer_began.connect(self.read)
        chat.answer_ended.connect(lambda _text: self.read())
        composer.file_unwanted.connect(self._remove)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def read(self) -> None:
        """Show the files of the open chat."""
        services, session_id = self._services, self._sessions.current
        if services is None or not session_id:
            self._composer.show_kept(())
            return

        def chips() -> list[Chip]:
            return [kept_chip(each.id, each.path) for each in services.attachments.of(session_id)]

        self._runner.run(chips, lambda found: self._show(session_id, found), group="chat-files")

    def _on_opened(self, session_id: str) -> None:
        if not session_id:
            self._composer.show_kept(())
        self.read()

    def _show(self, session_id: str, chips: Sequence[Chip]) -> None:
        if session_id == self._sessions.current:
            self._composer.show_kept(chips)

    def _remove(self, attachment_id: int) -> None:
        services, session_id = self._services, self._sessions.current
        if services is not None:
            self._runner.run(
                lambda: services.attachments.remove(session_id, attachment_id), lambda _nothing: self.read()
            )
