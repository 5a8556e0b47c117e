"""The open chat: its controllers, connected with what is on the screen."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication

from app.gui import external
from app.gui.announcements import announce
from app.gui.controllers.attached_controller import AttachedController
from app.gui.controllers.chat_controller import ChatController
from app.gui.controllers.facts_controller import FactsController
from app.gui.controllers.feedback_controller import FeedbackController
from app.gui.controllers.session_controller import SessionController
from app.gui.copying import with_sources
from app.gui.models.document_list_model import WAITING_STATES
from app.gui.ports import Services
from app.gui.widgets.dialogs import ask_about_link
from app.gui.wiring import Shortcut, Stage


class ChatWiring:
    """Questions and answers."""

    def __init__(self, stage: Stage, sessions: SessionController) -> None:
        self._stage = stage
        self._sessions = sessions
        self.controller = ChatController(
            stage.runner,
            sessions,
            stage.session_list,
            stage.messages,
            lambda: stage.documents.count(*WAITING_STATES),
        )
        self.feedback = FeedbackController(
            stage.runner, sessions, stage.messages, stage.window.chat, stage.window.toast
        )
        self.attached = AttachedController(stage.runner, stage.messages)
        self.facts = FactsController(stage.runner, self.controller, stage.messages, self.attached)
        self._connect_panel()
        self._connect_announcements()

    def attach(self, services: Services) -> None:
        """The services are there."""
        self.feedback.attach(services)
        self.controller.attach(services)
        self.attached.attach(services)
        self.facts.attach(services)

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        return [
            ("Ctrl+L", "Write a question", self.focus_composer),
            ("Esc", "Stop the answer", self.escape),
        ]

    def ask(self, text: str) -> None:
        """Ask a question in the open chat."""
        self._stage.window.chat.messages.scroll_to_bottom()
        self.controller.ask(text)

    def focus_composer(self) -> None:
        """Ready to type."""
        self._stage.window.chat.composer.edit.setFocus()

    def escape(self) -> None:
        """Stop what is being written, else close what is open over the window."""
        window = self._stage.window
        if window.chat.composer.close_suggestions():
            return
        window.chat.hide_card()
        if self.controller.answering:
            self.controller.stop()
        elif window.right.source.find_bar.isVisible():
            window.right.source.find_bar.close_bar()

    def _connect_panel(self) -> None:
        chat = self._stage.window.chat
        chat.composer.question_sent.connect(self.ask)
        chat.composer.stop_wished.connect(self.controller.stop)
        chat.invitation.question_chosen.connect(self.ask)
        chat.regenerate_wished.connect(self.controller.ask_again)
        chat.continue_wished.connect(self.controller.go_on)
        chat.edited.connect(self.controller.edit)
        chat.branch_wished.connect(self.controller.show_branch)
        chat.copy_with_sources_wished.connect(self._copy_with_sources)
        chat.came_near.connect(self.facts.look_up)
        chat.came_near.connect(self.attached.look_up)
        chat.typesetting.attach(self._stage.runner)
        chat.copy_wished.connect(self._copy_message)
        chat.link_activated.connect(lambda link: ask_about_link(link, external.open_link, self._stage.window))
        self.controller.answering_changed.connect(chat.composer.set_answering)
        self.controller.failed.connect(self._stage.on_unhandled)

    def _connect_announcements(self) -> None:
        chat = self._stage.window.chat
        self.controller.answer_began.connect(lambda: announce(chat, "The answer begins."))
        self.controller.answer_ended.connect(lambda text: announce(chat, f"The answer is complete. {text}"))

    def _copy_message(self, message_id: int) -> None:
        messages = self._stage.messages
        row = messages.row_of(message_id)
        if row is not None:
            QGuiApplication.clipboard().setText(messages.entry(row).text)

    def _copy_with_sources(self, message_id: int) -> None:
        messages = self._stage.messages
        row = messages.row_of(message_id)
        if row is not None:
            entry = messages.entry(row)
            QGuiApplication.clipboard().setText(with_sources(entry.text, entry.citations))
