"""The list of chats: its controller, connected with what is on the screen."""

from __future__ import annotations

from collections.abc import Callable

from app.gui.controllers.session_controller import SessionController
from app.gui.ports import Services
from app.gui.wiring import Shortcut, Stage


class SessionWiring:
    """Which chats there are and which one is open. ``focus_composer`` makes the window ready to type."""

    def __init__(self, stage: Stage, focus_composer: Callable[[], None]) -> None:
        self._stage = stage
        self._focus_composer = focus_composer
        self.controller = SessionController(stage.runner, stage.session_list, stage.messages, stage.window.toast)
        panel = stage.window.sessions
        panel.new_wished.connect(self.begin_chat)
        panel.opened.connect(self.controller.open)
        panel.delete_wished.connect(self.controller.delete)
        self.controller.opened.connect(self.show_title)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self.controller.attach(services, self._stage.state.session_id)

    def save_state(self) -> None:
        """Remember which chat is open."""
        self._stage.state.session_id = self.controller.current

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        panel = self._stage.window.sessions
        return [
            ("Ctrl+N", "New chat", self.begin_chat),
            ("F2", "Rename the chat", lambda: panel.rename(self.controller.current)),
        ]

    def begin_chat(self) -> None:
        """A new chat, ready to type."""
        self.controller.begin()
        self._focus_composer()

    def show_title(self, session_id: str) -> None:
        """Show which chat is open; empty for a new one."""
        window = self._stage.window
        window.sessions.select(session_id)
        title = self.controller.title(session_id) if session_id else "New chat"
        window.chat.title.set_full_text(title)
        window.setWindowTitle(f"{title} – Footnote" if session_id else "Footnote")
