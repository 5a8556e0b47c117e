"""Footnotes and the source viewer: its controller, connected with what is on the screen."""

from __future__ import annotations

from app.gui.attached_files import AttachedFile
from app.gui.controllers.account_controller import AccountController
from app.gui.controllers.source_controller import SourceController
from app.gui.ports import Services
from app.gui.wiring import Shortcut, Stage


class SourceWiring:
    """The places behind footnotes."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.controller = SourceController(stage.runner, stage.window.right.source, stage.window.toast)
        self.account = AccountController(stage.runner, stage.messages, stage.window.right.answer)
        stage.window.chat.footnote_activated.connect(self.open_footnote)
        stage.window.chat.why_wished.connect(self.account.show)
        stage.window.chat.attached_opened.connect(self._open_attached)
        self.account.shown.connect(stage.window.show_answer)
        stage.window.right.answer.passage_opened.connect(self.controller.show_passage)
        self.controller.shown.connect(stage.window.show_source)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self.controller.attach(services)
        self.account.attach(services)

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        source = self._stage.window.right.source
        return [
            ("Ctrl+F", "Find in the document on show", self.find_in_source),
            ("Alt+Up", "Previous footnote", lambda: self.controller.step(-1)),
            ("Alt+Down", "Next footnote", lambda: self.controller.step(1)),
            ("Ctrl++ | Ctrl+=", "Larger document", source.zoom_in),
            ("Ctrl+-", "Smaller document", source.zoom_out),
            ("Ctrl+0", "Fit the document to the width", source.fit_width),
            ("Ctrl+Shift+L", "Show or hide the document's outline", source.toggle_outline),
        ]

    def open_footnote(self, message_id: int, number: int) -> None:
        """Show the place behind a footnote."""
        messages = self._stage.messages
        row = messages.row_of(message_id)
        if row is not None:
            self._stage.window.chat.hide_card()
            self.controller.show_citation(messages.entry(row).citations, number)

    def _open_attached(self, file: AttachedFile) -> None:
        """Show a file that came with a question, if its text is in the chat or in the library."""
        listed = next((each.id for each in self._stage.documents.entries if each.path == file.path), None)
        if document_id := file.document_id or listed:
            self.controller.show_document(document_id, file.path)

    def find_in_source(self) -> None:
        """Find in the document on show."""
        right = self._stage.window.right
        if right.isVisible() and right.shows_source and right.source.source is not None:
            right.source.find_bar.open_bar()
