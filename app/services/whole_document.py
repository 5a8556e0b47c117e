"""Reading whole documents: "summarise this file" and "find in every document", as answers in a chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from dataclasses import replace as with_changes
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from app.chat_models.loop_thread import closing
from app.domain.cancellation import CancelToken
from app.domain.errors import BadInputError, UserFacingError
from app.domain.passages import Scope
from app.domain.turn_details import Task, TaskKind
from app.domain.turn_options import Strictness, TurnOptions
from app.domain.whole_document import TaskEvent
from app.services.chat_service import CHAT_MODEL, CHECKPOINT_SECONDS, CONTEXT_TOKENS
from app.services.finding import ModelJudge, WordJudge, find_everywhere
from app.services.library_passages import LibraryPassages
from app.services.model_service import BUILT_IN
from app.services.summarising import NO_TEXT, summarise_by_extracts, summarise_by_model
from app.services.task_run import Boxes, TaskRun
from app.services.turn_parts import ModelFacts, unknown_model
from app.services.turn_record import TurnRecord
from app.services.turn_registry import TurnRegistry
from app.services.turn_seams import Attach, Turn
from app.services.turn_tasks import events_of
from app.settings.setting import Setting
from app.storage.library_values import UnknownDocumentError

if TYPE_CHECKING:
    from app.chat_models.loop_thread import LoopThread
    from app.chat_models.model import ChatModel
    from app.retrieval.embedder import Embedder
    from app.storage.library_store import LibraryStore
    from app.storage.session_store import SessionStore

T = TypeVar("T")
ANSWER_SHARE = 0.5
MOST_TOKENS = 24_000
_NO_OPTIONS = TurnOptions()


class Settings(Protocol):
    """Where values of settings come from."""

    def __getitem__(self, setting: Setting[T]) -> T: ...


class WholeDocumentService:
    """Tasks over whole documents. Thread-safe. One task or question at a time runs in a session.

    ``models`` makes the chat model of a name, ``model_facts`` tells what is known of it, ``boxes`` finds rectangles;
    they block and are called in threads. ``turns`` is the registry of the chat service, ``attach`` takes files into a
    chat. An answer is stored every
    ``checkpoint_seconds`` while it grows.
    """

    def __init__(
        self,
        loop: LoopThread,
        turns: TurnRegistry,
        sessions: SessionStore,
        store: LibraryStore,
        passages: LibraryPassages,
        open_embedder: Callable[[], Embedder],
        models: Callable[[str], ChatModel],
        boxes: Boxes,
        settings: Settings,
        *,
        model_facts: Callable[[str], ModelFacts] = unknown_model,
        attach: Attach | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        self._checkpoint_seconds = checkpoint_seconds
        self._loop = loop
        self._turns = turns
        self._sessions = sessions
        self._store = store
        self._passages = passages
        self._open_embedder = open_embedder
        self._models = models
        self._boxes = boxes
        self._settings = settings
        self._model_facts = model_facts
        self._attach = attach

    def summarise(
        self,
        session_id: str,
        document_id: int,
        *,
        model: str | None = None,
        cancel: CancelToken | None = None,
        replace: bool = False,
        options: TurnOptions = _NO_OPTIONS,
    ) -> Iterator[TaskEvent]:
        """Summarise all of a document: by the chat model part by part, or by its own telling sentences.

        Of ``options`` only the place in the chat counts (``question_id``, ``parent_id``).
        Closing the iterator or ``cancel`` stops. Raises ``BadInputError`` for a document or session that is gone.
        """
        name = model or self._settings[CHAT_MODEL]
        try:
            record = self._store.document(document_id)
        except UnknownDocumentError as error:
            raise BadInputError("This document is no longer in the library.") from error

        async def work(run: TaskRun) -> None:
            passages = await asyncio.to_thread(self._passages.whole, document_id)
            if not passages:
                raise UserFacingError(NO_TEXT.format(name=record.path.name))
            if name == BUILT_IN:
                await summarise_by_extracts(run, passages, self._open_embedder)
            else:
                room = await asyncio.to_thread(self._room, name)
                await summarise_by_model(run, passages, lambda: self._models(name), room)

        asked = self._record(session_id, f"Summarise {record.path.name}", name, options)
        return self._events(session_id, asked, Task(TaskKind.SUMMARISE, document_id), work, cancel, replace)

    def find_in_all(
        self,
        session_id: str,
        question: str,
        *,
        scope: Scope | None = None,
        model: str | None = None,
        cancel: CancelToken | None = None,
        replace: bool = False,
        options: TurnOptions = _NO_OPTIONS,
    ) -> Iterator[TaskEvent]:
        """Answer from every document in ``scope`` and every file of the chat; says how many were checked.

        Of ``options`` the place in the chat counts, and ``attachments``: they join the chat first; what can't be read
        is told, and the rest checked all the same.
        Closing the iterator or ``cancel`` stops. Raises ``BadInputError`` for an empty question.
        """
        if not question.strip():
            raise BadInputError("The question is empty. Write what to look for.")
        name = model or self._settings[CHAT_MODEL]

        async def work(run: TaskRun) -> None:
            embedder = await asyncio.to_thread(self._open_embedder)
            judge = WordJudge(embedder) if name == BUILT_IN else ModelJudge(lambda: self._models(name))
            by_model = name != BUILT_IN
            within = with_changes(scope or Scope(), session=session_id)
            if self._attach is not None and options.attachments:
                open_model = lambda: self._models(name)  # noqa: E731  one line, as a Turn wants it
                turn = Turn(session_id, question, name, options, Strictness.STRICT, within, open_model, note=run.remark)
                run.attached = (await self._attach(turn, options.attachments)).fresh
            await find_everywhere(run, question, within, self._passages, embedder, judge, by_model=by_model)

        asked = self._record(session_id, question.strip(), name, options)
        return self._events(session_id, asked, Task(TaskKind.FIND), work, cancel, replace)

    def _record(self, session_id: str, question: str, model: str, options: TurnOptions) -> TurnRecord:
        place = TurnOptions(parent_id=options.parent_id, question_id=options.question_id)
        seconds = self._checkpoint_seconds
        return TurnRecord(self._sessions, session_id, question, model, place, checkpoint_seconds=seconds)

    def _events(
        self,
        session_id: str,
        record: TurnRecord,
        task: Task,
        work: Callable[[TaskRun], Awaitable[None]],
        cancel: CancelToken | None,
        replace: bool,
    ) -> Iterator[TaskEvent]:
        def start(emit: Callable[[TaskEvent], None]) -> Coroutine[Any, Any, None]:
            return TaskRun(record, session_id, task, self._boxes, emit).run(work)

        async def events() -> AsyncIterator[TaskEvent]:
            async with closing(events_of(self._turns, session_id, start, cancel=cancel, replace=replace)) as following:
                async for event in following:
                    yield event

        return self._loop.iterate(events())

    def _room(self, model: str) -> int:
        """How many tokens of a document go into one request: the setting, more where the model surely holds more."""
        facts = self._model_facts(model)
        context = facts.profile.limits.context if facts.profile else None
        setting = self._settings[CONTEXT_TOKENS]
        if context is None:
            return setting
        return min(int(context * ANSWER_SHARE), setting if facts.local else max(setting, MOST_TOKENS))
