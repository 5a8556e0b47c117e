"""Questions and answers of the open session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import count
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.domain.cancellation import CancelToken
from app.domain.citations import Citation
from app.domain.errors import UserFacingError
from app.domain.turn_details import Task, TaskKind
from app.domain.turns import (
    ROOT,
    CitationAdded,
    MessageStatus,
    PassagesFound,
    ReasoningAdded,
    SessionRecord,
    StoredMessage,
    TextAdded,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
)
from app.domain.whole_document import TaskEvent
from app.gui.asking import AskWith
from app.gui.attached_files import files_sent
from app.gui.controllers.session_controller import SessionController
from app.gui.jobs import JobRunner
from app.gui.models.message_list_model import MessageEntry, MessageListModel
from app.gui.models.session_list_model import SessionListModel
from app.gui.ports import Services
from app.gui.turn_notes import TurnNotes, noted
from app.gui.wording import title_from_question

OUR_FAULT = "Something went wrong inside Footnote. The log has the details; ask again."


def _answer(services: Services, turn: Turn) -> Iterator[TaskEvent]:
    task, options = turn.answer.notes.task, turn.asked.options
    if task is not None and options.continue_id is None:
        return _task(services, turn, task)
    return services.chat.stream_answer(
        turn.session_id,
        turn.question.text,
        model=turn.asked.model,
        scope=turn.asked.scope,
        cancel=turn.token,
        replace=True,
        options=options,
    )


def _task(services: Services, turn: Turn, task: Task) -> Iterator[TaskEvent]:
    tasks, asked = services.whole_documents, turn.asked
    model, token, options = asked.model, turn.token, asked.options
    if task.kind is TaskKind.SUMMARISE:
        document = task.document_id
        return tasks.summarise(turn.session_id, document, model=model, cancel=token, replace=True, options=options)
    question, scope = turn.question.text, asked.scope
    return tasks.find_in_all(
        turn.session_id, question, scope=scope, model=model, cancel=token, replace=True, options=options
    )


@dataclass(slots=True, eq=False)
class Turn:
    """A question whose answer is being written. ``beside`` are the alternatives that the new message stands among."""

    question: MessageEntry
    answer: MessageEntry
    asked: AskWith
    session_id: str = ""
    beside: tuple[int, ...] = ()
    token: CancelToken = field(default_factory=CancelToken)


class ChatController(QObject):
    """Signals: ``answering_changed(answering)`` for the open session; ``answer_began`` and ``answer_ended(text)`` for
    whoever reads aloud; ``stored(entry)`` once an answer is; ``failed(error)`` with errors that are not the user's
    business. ``ask_with`` tells what goes with a question.
    """

    answering_changed = Signal(bool)
    answer_began = Signal()
    answer_ended = Signal(str)
    stored = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        runner: JobRunner,
        sessions: SessionController,
        session_list: SessionListModel,
        messages: MessageListModel,
        count_unread: Callable[[], int],
    ) -> None:
        super().__init__()
        self._runner = runner
        self._sessions = sessions
        self._session_list = session_list
        self._messages = messages
        self._count_unread = count_unread
        self._services: Services | None = None
        self._turns: dict[str, Turn] = {}
        self._waiting: list[str] = []
        self._temporary_ids = count(-1, -1)
        self.ask_with: Callable[[], AskWith] = AskWith
        sessions.opened.connect(self._on_session_opened)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    @property
    def answering(self) -> bool:
        """Whether an answer is being written in the open session."""
        return self._sessions.current in self._turns

    @property
    def session_id(self) -> str:
        """The open session, "" for a new one."""
        return self._sessions.current

    def ask(self, text: str) -> None:
        """Ask in the open session. An answer that is being written there is stopped."""
        services = self._services
        if services is None:
            return
        if not self._sessions.current and "" in self._turns:
            self._waiting.append(text)  # the session for the first question is being made
            return
        asked = self.ask_with()
        question = MessageEntry(next(self._temporary_ids), "user", text, attached=files_sent(asked.options.attachments))
        self._begin(services, Turn(question, self._new_answer(), asked, self._sessions.current))

    def run_task(self, text: str, task: Task) -> None:
        """Have a task over whole documents answer in the open session; ``text`` stands as the question."""
        services = self._services
        if services is not None and (self._sessions.current or "" not in self._turns):
            question = MessageEntry(next(self._temporary_ids), "user", text)
            self._begin(services, Turn(question, self._new_answer(task), self.ask_with(), self._sessions.current))

    def note(self, answer: MessageEntry, notes: TurnNotes) -> None:
        """Show other notes beside an answer."""
        self._messages.update(answer, notes=notes)

    def ask_again(self, answer_id: int) -> None:
        """Answer the question before an answer once more. The answer that is there stays as another branch."""
        row = self._messages.row_of(answer_id)
        if self._services is None or not row:
            return
        question, before = self._messages.entry(row - 1), self._messages.entry(row)
        if question.id < 0 or before.id < 0:
            self.ask(question.text)  # neither was ever stored
            return
        self.stop()
        self._messages.cut(row)
        answer = self._new_answer(before.notes.task)
        turn = Turn(question, answer, self._with(question_id=question.id), self._sessions.current)
        turn.beside = before.siblings or (before.id,)
        self._begin(self._services, turn)

    def edit(self, question_id: int, text: str) -> None:
        """Ask a past question in other words. What followed the old one stays as another branch."""
        row = self._messages.row_of(question_id)
        if self._services is None or row is None:
            return
        before = self._messages.entry(row)
        if before.id < 0:
            self.ask(text)
            return
        self.stop()
        task = self._search_after(row)
        self._messages.cut(row)
        asked = self._with(parent_id=ROOT if before.parent_id is None else before.parent_id)
        question = MessageEntry(next(self._temporary_ids), "user", text, parent_id=before.parent_id)
        turn = Turn(question, self._new_answer(task), asked, self._sessions.current)
        turn.beside = before.siblings or (before.id,)
        self._begin(self._services, turn)

    def _search_after(self, row: int) -> Task | None:
        """The search through every document that answered the question in a row."""
        found = [each.notes.task for each in self._messages.entries[row + 1 : row + 2]]
        return next((each for each in found if each is not None and each.kind is TaskKind.FIND), None)

    def go_on(self, answer_id: int) -> None:
        """Let the model go on with an answer that was cut off. What there is of it stays."""
        row = self._messages.row_of(answer_id)
        if self._services is None or not row or answer_id < 0:
            return
        self.stop()
        self._messages.cut(row + 1)
        answer = self._messages.entry(row)
        self._messages.update(answer, status=MessageStatus.STREAMING, error="")
        asked = self._with(continue_id=answer_id)
        self._begin(self._services, Turn(self._messages.entry(row - 1), answer, asked, self._sessions.current))

    def show_branch(self, message_id: int) -> None:
        """Show the branch that holds a message."""
        services, session_id = self._services, self._sessions.current
        if services is not None:
            self._runner.run(
                lambda: services.sessions.show_branch(message_id),
                lambda messages: self._on_branch(session_id, messages),
                group="show-branch",
            )

    def _new_answer(self, task: Task | None = None) -> MessageEntry:
        notes = TurnNotes(task=task)
        return MessageEntry(next(self._temporary_ids), "assistant", "", MessageStatus.STREAMING, notes=notes)

    def _with(self, **options: Any) -> AskWith:
        asked = self.ask_with()
        return replace(asked, options=replace(asked.options, **options))

    def _begin(self, services: Services, turn: Turn) -> None:
        shown = {id(entry) for entry in self._messages.entries[-2:]}
        new = [entry for entry in (turn.question, turn.answer) if id(entry) not in shown]
        if new:
            self._messages.append(*new)
        self.stop()
        self._turns[turn.session_id] = turn
        self.answering_changed.emit(True)
        if turn.session_id:
            self._sessions.touch(turn.session_id)
            self._start(services, turn)
        else:
            title = title_from_question(turn.question.text)
            self._runner.run(
                lambda: services.sessions.create(title),
                lambda record: self._on_session_created(services, turn, record),
                lambda error: self._on_error(turn, error),
            )

    def _on_branch(self, session_id: str, messages: Sequence[StoredMessage]) -> None:
        if session_id != self._sessions.current:
            return
        self._messages.show_branch(messages)
        turn = self._turns.get(session_id)
        if turn is not None and any(message.id == turn.answer.id for message in messages):
            self._messages.put_running(turn.question, turn.answer)

    def stop(self) -> None:
        """Stop the answer in the open session; what has arrived of it stays."""
        turn = self._turns.get(self._sessions.current)
        if turn is not None:
            turn.token.cancel()

    def stop_all(self) -> None:
        """Stop every answer."""
        for turn in self._turns.values():
            turn.token.cancel()

    # -- a turn ----------------------------------------------------------------------------------------------------

    def _on_session_created(self, services: Services, turn: Turn, record: SessionRecord) -> None:
        on_screen = self._turns.get("") is turn and self._sessions.current == ""
        if self._turns.get("") is turn:
            del self._turns[""]
        turn.session_id = record.id
        self._turns[record.id] = turn
        if on_screen:
            self._sessions.adopt(record)
        else:
            self._session_list.put_first(record)
        self._start(services, turn)
        if on_screen and self._waiting:
            waiting, self._waiting = self._waiting, []
            self.ask("\n".join(waiting))

    def _start(self, services: Services, turn: Turn) -> None:
        self._session_list.set_busy(turn.session_id, True)
        self._runner.stream(
            lambda: _answer(services, turn),
            lambda events: self._on_events(turn, events),
            lambda: self._end(turn),
            lambda error: self._on_error(turn, error),
            token=turn.token,
        )

    def _on_events(self, turn: Turn, events: Sequence[TaskEvent]) -> None:
        """Handle all that came since the last frame at once. Footnotes go first, so that their markers are known."""
        citations = tuple(event.citation for event in events if isinstance(event, CitationAdded))
        text = "".join(event.text for event in events if isinstance(event, TextAdded))
        for event in events:
            if isinstance(event, TurnStarted):
                self._on_started(turn, event)
            elif isinstance(event, PassagesFound):
                self._messages.update(turn.answer, passage_count=len(event.passages))
        self._note(turn, events)
        if citations:
            self._messages.update(turn.answer, citations=_merged(turn.answer.citations, citations))
        if text:
            if not turn.answer.text:
                self.answer_began.emit()
            self._messages.append_text(turn.answer, text)
        for event in events:
            if isinstance(event, TurnFinished | TurnStopped | TurnFailed):
                turn.answer.unread_count = self._count_unread()
                self._messages.store(turn.answer, event.message)
                self.answer_ended.emit(turn.answer.error or turn.answer.text)
                self.stored.emit(turn.answer)

    def _note(self, turn: Turn, events: Sequence[TaskEvent]) -> None:
        """Show what happened around the answer, and what the model thought."""
        notes = reduce(noted, events, turn.answer.notes)
        if notes is not turn.answer.notes:
            self._messages.update(turn.answer, notes=notes)
        thoughts = "".join(event.text for event in events if isinstance(event, ReasoningAdded))
        if thoughts:
            self._messages.update(turn.answer, reasoning=turn.answer.reasoning + thoughts)

    def _on_started(self, turn: Turn, event: TurnStarted) -> None:
        question, answer, options = turn.question, turn.answer, turn.asked.options
        new_question, new_answer = question.id < 0, answer.id < 0
        question.id, answer.id = event.question_id, event.answer_id
        answer.parent_id = question.id
        if new_question and question.parent_id is None and options.parent_id is None:
            row = self._messages.row_of(question.id)
            question.parent_id = self._messages.entry(row - 1).id if row else None
        if new_question:
            siblings = (*turn.beside, question.id) if turn.beside else ()
            self._messages.update(question, siblings=siblings)
        elif new_answer and turn.beside:
            self._messages.update(answer, siblings=(*turn.beside, answer.id))

    def _on_error(self, turn: Turn, error: Exception) -> None:
        if isinstance(error, UserFacingError):
            words = str(error)
        else:
            words = OUR_FAULT
            self.failed.emit(error)
        self._messages.update(turn.answer, status=MessageStatus.FAILED, error=words)
        self.answer_ended.emit(words)
        self._end(turn)

    def _end(self, turn: Turn) -> None:
        if turn.answer.streaming:  # the stream ended without saying how
            self._messages.update(turn.answer, status=MessageStatus.STOPPED)
        if self._turns.get(turn.session_id) is turn:
            del self._turns[turn.session_id]
            self._session_list.set_busy(turn.session_id, False)
            if turn.session_id == self._sessions.current:
                self.answering_changed.emit(False)

    def _on_session_opened(self, session_id: str) -> None:
        turn = self._turns.get(session_id)
        if turn is not None:
            self._messages.put_running(turn.question, turn.answer)
        elif any(entry.streaming for entry in self._messages.entries):
            self._sessions.reload_once()  # the answer ended while its session was being read
        self.answering_changed.emit(turn is not None)


def _merged(known: Sequence[Citation], new: Sequence[Citation]) -> tuple[Citation, ...]:
    numbers = {citation.number for citation in known}
    return *known, *(citation for citation in new if citation.number not in numbers)
