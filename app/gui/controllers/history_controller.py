"""The arrow keys bring earlier questions back into the composer."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.gui.models.message_list_model import MessageListModel
from app.gui.widgets.question_edit import QuestionEdit


class HistoryController(QObject):
    """Goes through the questions of the open chat, from an empty field or from a question that was not changed."""

    def __init__(self, edit: QuestionEdit, messages: MessageListModel) -> None:
        super().__init__()
        self._edit = edit
        self._messages = messages
        self._place: int | None = None
        self._shown = ""
        edit.earlier_wished.connect(self._step)
        edit.textChanged.connect(self._on_changed)

    def _on_changed(self) -> None:
        """A question that the user goes on writing is a new one; the arrows move in it."""
        if self._place is not None and self._edit.toPlainText() != self._shown:
            self._place = None
            self._edit.recalling = False

    def _step(self, step: int) -> None:
        questions = [entry.text for entry in self._messages.entries if entry.is_question]
        if self._place is None and (step > 0 or self._edit.toPlainText()):
            return
        place = (len(questions) if self._place is None else self._place) + step
        if 0 <= place < len(questions):
            self._show(place, questions[place])
        elif place >= len(questions):
            self._show(None, "")

    def _show(self, place: int | None, text: str) -> None:
        self._place, self._shown = place, text
        self._edit.recalling = place is not None
        self._edit.setPlainText(text)
        self._edit.moveCursor(self._edit.textCursor().MoveOperation.End)
