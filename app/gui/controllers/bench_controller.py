"""The search bench: searches on a worker, opens passages in the viewer."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.domain.errors import UserFacingError
from app.domain.search_comparison import BenchRow
from app.gui.controllers.source_controller import SourceController
from app.gui.jobs import JobRunner
from app.gui.models.message_list_model import MessageListModel
from app.gui.ports import Services
from app.gui.theme import Appearance
from app.gui.widgets.bench_dialog import BenchDialog
from app.gui.widgets.toast import Toast


class BenchController(QObject):
    """Runs the bench's dialog, of which there is one at a time."""

    def __init__(
        self,
        runner: JobRunner,
        appearance: Appearance,
        messages: MessageListModel,
        sources: SourceController,
        toast: Toast,
    ) -> None:
        super().__init__()
        self._runner = runner
        self._appearance = appearance
        self._messages = messages
        self._sources = sources
        self._toast = toast
        self._services: Services | None = None
        self.dialog: BenchDialog | None = None

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def open_dialog(self, parent: QWidget) -> None:
        """Show the bench beside the window, with the last question of the open chat to begin with."""
        if self._services is None:
            self._toast.say("The library is still being opened. Try again in a moment.")
            return
        if self.dialog is not None:
            self.dialog.raise_()
            self.dialog.activateWindow()
            return
        questions = [entry.text for entry in self._messages.entries if entry.is_question]
        dialog = BenchDialog(self._appearance, questions[-1] if questions else "", parent)
        dialog.searched.connect(self.search)
        dialog.open_wished.connect(self.open_passage)
        dialog.destroyed.connect(self._forget_dialog)
        self.dialog = dialog
        dialog.show()  # not modal: the viewer beside it shows what is double-clicked

    def search(self, query: str) -> None:
        """Compare the rankings for a query; a newer one takes the place of one under way."""
        services, dialog = self._services, self.dialog
        if services is None or dialog is None:
            return
        dialog.show_busy()
        self._runner.run(
            lambda: services.measuring.bench.compare(query),
            lambda rows: self.dialog.show_rows(rows) if self.dialog is dialog else None,
            self._on_search_error,
            group="bench",
        )

    def open_passage(self, row: BenchRow) -> None:
        """Show a passage in the viewer."""
        services = self._services
        if services is not None:
            self._runner.run(
                lambda: services.measuring.bench.citation(row.passage),
                lambda citation: self._sources.show_citation([citation], citation.number),
                self._on_error,
                group="bench-passage",
            )

    def _forget_dialog(self) -> None:
        self.dialog = None

    def _on_search_error(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        if self.dialog is not None:
            self.dialog.show_problem(str(error))

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        self._toast.say(str(error))
