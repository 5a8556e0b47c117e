"""Files that came with questions: their pictures are read when a question comes near the view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from app.domain.turn_details import AttachedNote
from app.gui.attached_files import AttachedFile, content_of, files_noted, thumbnail
from app.gui.jobs import JobRunner
from app.gui.models.message_list_model import MessageEntry, MessageListModel
from app.gui.ports import Services


class AttachedController(QObject):
    """Fills in ``MessageEntry.attached``."""

    def __init__(self, runner: JobRunner, messages: MessageListModel) -> None:
        super().__init__()
        self._runner = runner
        self._messages = messages
        self._services: Services | None = None

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def look_up(self, entry: MessageEntry) -> None:
        """Read the pictures of a question that has just been asked and came near the view."""
        if entry.is_question:
            self._read(entry, entry.attached)

    def show_noted(self, answer: MessageEntry, notes: Sequence[AttachedNote]) -> None:
        """Show the files of the question before ``answer``, as they were noted."""
        row = self._messages.row_of(answer.id)
        if not row or not notes:
            return
        question = self._messages.entry(row - 1)
        known = {each.path: each.picture for each in question.attached}
        files = tuple(replace(each, picture=known.get(each.path)) for each in files_noted(notes))
        self._messages.update(question, attached=files)
        self._read(question, files)

    def _read(self, question: MessageEntry, files: Sequence[AttachedFile]) -> None:
        services = self._services
        if services is None or not any(each.is_picture and each.picture is None for each in files):
            return

        def picture(file: AttachedFile) -> QImage | None:
            if not file.is_picture or file.picture is not None:
                return file.picture
            content = services.attachments.picture_of(file.document_id) if file.document_id else content_of(file.path)
            return thumbnail(content) if content else None

        def show(pictures: Sequence[QImage | None]) -> None:
            now = {each.path: found for each, found in zip(files, pictures, strict=True)}
            shown = tuple(replace(each, picture=now.get(each.path, each.picture)) for each in question.attached)
            self._messages.update(question, attached=shown)

        self._runner.run(lambda: [picture(each) for each in files], show)
