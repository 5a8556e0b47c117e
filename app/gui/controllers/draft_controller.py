"""Keeps what is typed but not asked: each chat has its own, and a program that is closed or killed loses nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from app.gui.chips import Chip
from app.gui.controllers.composer_controller import ComposerController
from app.gui.controllers.session_controller import SessionController
from app.gui.jobs import JobRunner
from app.gui.models.session_list_model import SessionListModel
from app.gui.widgets.composer import Composer

log = logging.getLogger(__name__)
PAUSE_MILLISECONDS = 600


class DraftController(QObject):
    """Puts the words and files of a chat into the composer when the chat is opened.

    Words are stored in ``path``, a moment after the last key; files that were not sent yet are kept as long as the
    program runs.
    """

    def __init__(
        self,
        runner: JobRunner,
        sessions: SessionController,
        session_list: SessionListModel,
        composer: Composer,
        controller: ComposerController,
        path: Path,
    ) -> None:
        super().__init__()
        self._runner = runner
        self._sessions = sessions
        self._list = session_list
        self._composer = composer
        self._controller = controller
        self._path = path
        self._open = ""
        self._fresh = True
        self._texts: dict[str, str] = {}
        self._files: dict[str, list[Chip]] = {}
        self._stored: dict[str, str] | None = None
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MILLISECONDS)
        self._pause.timeout.connect(self.save)
        composer.edit.textChanged.connect(self._pause.start)
        sessions.begun.connect(self._on_begun)
        sessions.opened.connect(self._on_opened)

    def attach(self) -> None:
        """The library is open: read what was typed before."""
        self._runner.run(lambda: _read(self._path), self._on_read)

    def save(self) -> None:
        """Store all drafts, if others are stored; those of chats that are gone are forgotten."""
        self._pause.stop()
        if self._stored is None:
            return  # not read yet
        self._texts[self._open] = self._composer.edit.toPlainText()
        listed = {"", self._open, *(record.id for record in self._list.records)}
        drafts = {key: text for key, text in self._texts.items() if text and key in listed}
        if drafts != self._stored:
            self._stored = drafts
            self._runner.run(lambda: _write(self._path, drafts), on_error=self._on_not_stored, group="drafts")

    def _on_not_stored(self, error: Exception) -> None:
        """A full disk costs the draft, and the words stay on the screen; questions say so themselves."""
        if not isinstance(error, OSError):
            raise error
        self._stored = {}  # the next pause tries again
        log.warning("what is being typed could not be stored: %s", error)

    def _on_read(self, drafts: dict[str, str]) -> None:
        if self._stored is None:
            self._stored = drafts
            self._texts = {**drafts, **{key: text for key, text in self._texts.items() if text}}
            if not self._fresh:  # else the chat of the last time is still on its way
                self._show(self._texts.get(self._open, ""))

    def _on_begun(self, session_id: str) -> None:
        """The chat on the screen has got a name; what is being typed stays with it."""
        self._texts.pop("", None)
        self._open = session_id

    def _on_opened(self, session_id: str) -> None:
        fresh, self._fresh = self._fresh, False
        if fresh:  # the chat of the last time: what was typed until it came is meant for it
            self._open = session_id
            self._show(self._texts.get(session_id, ""))
        if session_id == self._open:
            return
        self._texts[self._open] = self._composer.edit.toPlainText()
        files = self._controller.exchange_files(self._files.pop(session_id, []))
        self._files[self._open] = files
        self._open = session_id
        self._composer.set_text(self._texts.get(session_id, ""))

    def _show(self, text: str) -> None:
        """Only into an empty field: the user may have been quicker."""
        if text and not self._composer.edit.toPlainText():
            self._composer.set_text(text)


def _read(path: Path) -> dict[str, str]:
    """The drafts by chat; none where the file is missing or damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: text for key, text in data.items() if isinstance(text, str)} if isinstance(data, dict) else {}


def _write(path: Path, drafts: Mapping[str, str]) -> None:
    """Replace the file as a whole."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(drafts, ensure_ascii=True), encoding="ascii")
    partial.replace(path)
