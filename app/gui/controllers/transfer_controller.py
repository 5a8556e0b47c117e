"""Chats to files and from files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from app.domain.cancellation import CancelToken
from app.domain.chat_transfer import ImportReport
from app.domain.errors import UserFacingError, WorkCancelledError
from app.gui.controllers.session_actions import SessionActions
from app.gui.external import reveal_file
from app.gui.jobs import JobRunner
from app.gui.ports import Services
from app.gui.widgets.dialogs import show_problem
from app.gui.widgets.main_window import MainWindow
from app.gui.wording import counted, shown
from app.services.session_files import ExportFormat

MOST_SENTENCES = 6


class TransferController(QObject):
    """Exports and imports in the background, with a way to stop what takes long."""

    def __init__(self, runner: JobRunner, window: MainWindow, actions: SessionActions) -> None:
        super().__init__()
        self._runner = runner
        self._window = window
        self._actions = actions
        self._services: Services | None = None
        self._progress: Callable[[tuple[int, int]], None] = runner.channel(self._on_progress)
        self._token: CancelToken | None = None
        self._words = ""

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def export(self, session_id: str, path: Path) -> None:
        """Write one chat, in the format that the file's ending says."""
        services = self._services
        if services is None:
            return
        suffix = path.suffix.lower().lstrip(".")
        token = self._begin("Exporting…") if suffix == "pdf" else CancelToken()  # the others take no time

        def work() -> None:
            if suffix == "pdf":
                from app.gui.chat_pdf import print_pdf

                title, pieces = services.sessions.exports.pieces(session_id)
                print_pdf(title, _until_cancelled(pieces, token), path)
            else:
                services.sessions.exports.to_file(session_id, path, ExportFormat(suffix))

        self._runner.run(work, lambda _nothing: self._say_written(path), self._on_error)

    def export_all(self, path: Path) -> None:
        """Write all chats to one JSON file."""
        services = self._services
        if services is not None:
            token = self._begin("Exporting chats…")
            self._runner.run(
                lambda: services.sessions.exports.all_to_file(path, progress=self._tell, cancel=token),
                lambda count: self._say_written(path, f"Exported {counted(count, 'chat')} to"),
                self._on_error,
            )

    def import_file(self, path: Path) -> None:
        """Take over the chats of a file."""
        services = self._services
        if services is not None:
            token = self._begin("Importing chats…")
            self._runner.run(
                lambda: services.sessions.imports.from_file(path, progress=self._tell, cancel=token),
                self._on_imported,
                self._on_error,
            )

    def _begin(self, words: str) -> CancelToken:
        self._words = words
        self._token = token = CancelToken()
        self._window.toast.say(words, "Stop", on_action=token.cancel)
        return token

    def _tell(self, done: int, total: int) -> None:
        self._progress((done, total))

    def _on_progress(self, steps: Any) -> None:
        done, total = steps[-1]
        token = self._token
        if token is not None and total > 1:
            self._window.toast.say(f"{self._words} {done:,} of {total:,}", "Stop", on_action=token.cancel)

    def _on_imported(self, report: ImportReport) -> None:
        self._token = None
        self._actions.show_arrived([each.session_id for each in report.arrivals if each.added])
        if not report.left_out:
            self._window.toast.say(report.told())
            return
        self._window.toast.dismiss()
        told = [shown(each) for each in report.left_out]
        if len(told) > MOST_SENTENCES:
            told = [*told[:MOST_SENTENCES], f"And {len(told) - MOST_SENTENCES:,} more like these."]
        box = show_problem("Import", report.told(), self._window)
        box.setInformativeText("\n".join(told))

    def _say_written(self, path: Path, words: str = "Exported to") -> None:
        self._token = None

        def reveal() -> None:
            reveal_file(path)

        self._window.toast.say(f"{words} “{shown(path.name)}”.", "Show folder", on_action=reveal)

    def _on_error(self, error: Exception) -> None:
        self._token = None
        self._window.toast.dismiss()
        if isinstance(error, WorkCancelledError):
            self._window.toast.say("Stopped. No file was written.")
        elif isinstance(error, UserFacingError):
            show_problem("Chats", str(error), self._window)
        else:
            raise error


def _until_cancelled(pieces: Iterator[str], token: CancelToken) -> Iterator[str]:
    for piece in pieces:
        token.raise_if_cancelled()
        yield piece
