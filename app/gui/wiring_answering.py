"""How answers come about: strictness and memory of the chat, tools, tasks over whole documents."""

from __future__ import annotations

from pathlib import Path

from app.domain.turn_details import Task, TaskKind
from app.domain.turn_options import MemoryKind, Strictness
from app.gui.controllers.chat_controller import ChatController
from app.gui.controllers.choices_controller import ChoicesController
from app.gui.ports import Services
from app.gui.turn_notes import answered
from app.gui.widgets.answering_button import AnsweringButton
from app.gui.wiring import Shortcut, Stage
from app.gui.wording import shown_name


class AnsweringWiring:
    """The button for strictness and memory, the user's word on tools, and tasks."""

    def __init__(self, stage: Stage, chat: ChatController, choices: ChoicesController) -> None:
        self._stage = stage
        self._chat = chat
        self._choices = choices
        self._services: Services | None = None
        self.button = AnsweringButton(stage.appearance)
        stage.window.chat.composer.add_control(self.button)
        self.button.strictness_chosen.connect(self._set_strictness)
        self.button.memory_chosen.connect(self._set_memory)
        choices.changed.connect(lambda: self.button.show_choices(choices.choices))
        stage.window.chat.tool_answered.connect(self.answer_tool)
        stage.window.chat.stop_wished.connect(chat.stop)
        right = stage.window.right
        right.library.summary_wished.connect(lambda entries: self.summarise(entries[0].id, entries[0].path))
        right.source.summary_wished.connect(lambda document, path: self.summarise(document, Path(path)))

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        return [
            ("Ctrl+Shift+A", "How this chat answers", self.button.showMenu),
            ("Ctrl+Shift+Return", "Check every document for the question", self.check_every_document),
        ]

    # -- tasks -----------------------------------------------------------------------------------------------------

    def summarise(self, document_id: int | None, path: Path) -> None:
        """Have all of a document summarised in the open chat."""
        if document_id is None:
            return

        self._run(f"Summarise {shown_name(path)}", Task(TaskKind.SUMMARISE, document_id))

    def check_every_document(self) -> None:
        """Answer the question that stands in the composer from every document, one by one."""
        composer = self._stage.window.chat.composer
        question = composer.edit.toPlainText().strip()
        if not question:
            self._stage.window.toast.say("Write the question first; then every document is checked for it.")
            composer.edit.setFocus()
            return
        composer.edit.clear()

        self._run(question, Task(TaskKind.FIND))
        composer.task_sent.emit()

    def _run(self, text: str, task: Task) -> None:
        self._stage.window.chat.messages.scroll_to_bottom()
        self._chat.run_task(text, task)

    # -- choices and tools -----------------------------------------------------------------------------------------

    def _set_strictness(self, chosen: str | None) -> None:
        self._choices.set(strictness=Strictness(chosen) if chosen else None)

    def _set_memory(self, chosen: str | None) -> None:
        self._choices.set(memory=MemoryKind(chosen) if chosen else None)

    def answer_tool(self, message_id: int, call_id: str, allowed: bool, always: bool) -> None:
        """The user has said whether a tool may run."""
        services, messages = self._services, self._stage.messages
        row, session_id = messages.row_of(message_id), self._chat.session_id
        if services is None or row is None:
            return
        entry = messages.entry(row)

        def said(in_time: bool) -> None:
            self._chat.note(entry, answered(entry.notes, call_id))
            if not in_time:
                self._stage.window.toast.say("The model went on without an answer.")

        self._stage.runner.run(
            lambda: services.tool_approvals.answer(session_id, call_id, allowed, always=always), said
        )
