"""Questions and answers: retrieves, asks the model, streams the answer with its footnotes, stores every message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from app.chat_models.loop_thread import closing
from app.domain.cancellation import CancelToken
from app.domain.documents import Box
from app.domain.errors import BadInputError
from app.domain.passages import Passage, Scope
from app.domain.turn_details import UnreadFile
from app.domain.turn_options import BUILT_IN_MODEL, Strictness, TurnOptions
from app.domain.turns import TurnEvent
from app.services.lazy import Lazy
from app.services.turn_parts import Check, Found, ModelFacts, TurnParts, nothing_unread, unchecked, unknown_model
from app.services.turn_record import TurnRecord
from app.services.turn_registry import BusyError, TurnRegistry
from app.services.turn_run import TurnRun
from app.services.turn_seams import NO_SEAMS, Turn, TurnSeams
from app.services.turn_tasks import events_of
from app.settings.setting import Setting

if TYPE_CHECKING:
    from app.chat_models.loop_thread import LoopThread
    from app.chat_models.model import ChatModel
    from app.storage.session_store import SessionStore

__all__ = ["CHAT_MODEL", "CONTEXT_TOKENS", "STRICTNESS", "BusyError", "ChatService"]

T = TypeVar("T")
CHECKPOINT_SECONDS = 1.0
PASSAGE_SHARE = 0.75  # of the room; the rest is for headers of passages and earlier turns
NEAR_SHARE = 1.4  # of the room for passages: what is found there and doesn't fit is shown as left out

CHAT_MODEL = Setting(
    "chat.model",
    BUILT_IN_MODEL,
    "Model",
    "Which chat model answers. The built-in one quotes sentences of your documents and needs no network.",
)
CONTEXT_TOKENS = Setting(
    "chat.context_tokens",
    2_400,
    "Room for passages",
    "How many tokens of passages and earlier turns a model is given with a question.",
    minimum=256,
    maximum=200_000,
)
STRICTNESS = Setting(
    "chat.strictness",
    Strictness.STRICT,
    "Answers",
    "strict: only from your documents. open: also from what the model knows, marked as such.",
)
_NO_OPTIONS = TurnOptions()


class PassageFinder(Protocol):
    """What chat needs of the retriever."""

    def context(self, query: str, *, token_budget: int, scope: Scope | None = None) -> list[Passage]:
        """The best passages that fit into ``token_budget`` tokens, best first. Blocks."""
        ...


class Settings(Protocol):
    """Where values of settings come from."""

    def __getitem__(self, setting: Setting[T]) -> T: ...


class ChatService:
    """Answers questions in sessions. Thread-safe.

    ``models`` makes the chat model of a name, ``citation_boxes`` finds the rectangles of a span of a passage's
    document; both block and are called in threads, as are the retriever, the store and what ``TurnParts`` explains:
    ``model_facts``, ``unread`` and ``check``. A streaming answer is stored every ``checkpoint_seconds``.
    ``turns`` is shared with all else that answers in sessions.
    """

    def __init__(
        self,
        loop: LoopThread,
        open_retriever: Callable[[], PassageFinder],
        sessions: SessionStore,
        models: Callable[[str], ChatModel],
        citation_boxes: Callable[[Passage, int, int], tuple[Box, ...]],
        settings: Settings,
        *,
        seams: TurnSeams = NO_SEAMS,
        model_facts: Callable[[str], ModelFacts] = unknown_model,
        unread: Callable[[Scope], tuple[Sequence[UnreadFile], int]] = nothing_unread,
        check: Check = unchecked,
        turns: TurnRegistry | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        self._loop = loop
        self._open_retriever = open_retriever
        self._sessions = sessions
        self._models = models
        self._citation_boxes = citation_boxes
        self._settings = settings
        self._seams = seams
        self._model_facts = model_facts
        self._unread = unread
        self._check = check
        self._checkpoint_seconds = checkpoint_seconds
        self._turns = turns or TurnRegistry()

    async def answer(
        self,
        session_id: str,
        question: str,
        *,
        model: str | None = None,
        scope: Scope | None = None,
        cancel: CancelToken | None = None,
        replace: bool = False,
        options: TurnOptions = _NO_OPTIONS,
    ) -> AsyncIterator[TurnEvent]:
        """Answer a question; the events come in the order that ``app.domain.turns`` describes.

        The question is stored before anything is searched, and the answer keeps what had arrived whatever happens.
        ``cancel``, closing the iterator or cancelling the task stop the turn within milliseconds; ``cancel`` lets it
        end with ``TurnStopped``. One turn at a time runs in a session: another one raises ``BusyError``, unless
        ``replace`` is true, which stops the running turn first. ``options`` are for this turn alone; what
        they, ``model`` and ``scope`` leave open is as chosen for the session, or else in the settings. Raises
        ``BadInputError`` for an empty question and for a session that is gone. Failures of search or model end the
        turn with ``TurnFailed``.
        """
        question = question.strip()
        if not question and options.question_id is None and options.continue_id is None:
            raise BadInputError("The question is empty. Write what you want to know.")
        choices = (await asyncio.to_thread(self._sessions.session, session_id)).choices
        name = model or choices.model or self._settings[CHAT_MODEL]
        record = TurnRecord(
            self._sessions, session_id, question, name, options, checkpoint_seconds=self._checkpoint_seconds
        )
        parts = self._parts(name)
        strictness = options.strictness or choices.strictness or self._settings[STRICTNESS]
        within = choices.scope if scope is None else scope
        asked = Turn(session_id, question, name, options, strictness, within, parts.open_model)

        def work(emit: Callable[[TurnEvent], None]) -> Coroutine[Any, Any, None]:
            return TurnRun(record, parts, emit).run(asked)

        async with closing(events_of(self._turns, session_id, work, cancel=cancel, replace=replace)) as events:
            async for event in events:
                yield event

    def stream_answer(
        self,
        session_id: str,
        question: str,
        *,
        model: str | None = None,
        scope: Scope | None = None,
        cancel: CancelToken | None = None,
        replace: bool = False,
        options: TurnOptions = _NO_OPTIONS,
    ) -> Iterator[TurnEvent]:
        """``answer`` for synchronous code, run on the loop thread. Closing the iterator stops the turn."""
        return self._loop.iterate(
            self.answer(session_id, question, model=model, scope=scope, cancel=cancel, replace=replace, options=options)
        )

    def busy(self, session_id: str) -> bool:
        """Whether the session is answering a question."""
        return self._turns.busy(session_id)

    def _parts(self, model: str) -> TurnParts:
        budget = self._settings[CONTEXT_TOKENS]
        return TurnParts(
            retrieve=lambda query, scope: self._found(query, scope, round(budget * PASSAGE_SHARE)),
            open_model=Lazy(lambda: self._models(model)),
            boxes=self._citation_boxes,
            token_budget=budget,
            seams=self._seams,
            model_facts=lambda: self._model_facts(model),
            unread=self._unread,
            check=self._check,
        )

    def _found(self, query: str, scope: Scope, budget: int) -> Found:
        """What fits into ``budget`` tokens, and what would have fitted into somewhat more."""
        from app.retrieval.context_budget import within_budget

        wide = self._open_retriever().context(query, token_budget=round(budget * NEAR_SHARE), scope=scope)
        chosen = within_budget(wide, budget) or wide[:1]
        ids = {each.chunk_id for each in chosen}
        return Found(chosen, [each for each in wide if each.chunk_id not in ids])
