"""Chats of many users for programs and the server: sessions with a system prompt, a memory and a limited length.

Plain talk with a chat model; questions to the documents go through ``ChatService``.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict
from weakref import WeakValueDictionary

from app.domain.errors import StorageError
from app.domain.messages import AIMessage, HumanMessage, Message, SystemMessage, ToolMessage
from app.services.memory.choosing import BufferMemory, Memory
from app.services.memory.conversation_memory import remembered_messages
from app.services.memory.exchanges import message_exchanges
from app.storage.conversation_store import Conversation, ConversationStore

if TYPE_CHECKING:
    from app.chat_models.loop_thread import LoopThread
    from app.chat_models.model import ChatModel

SYSTEM_PROMPT = "You are a helpful assistant. Answer briefly, correctly and kindly."
MAX_HISTORY = 50
MEMORY_TOKENS = 4_000
_SYSTEM_PROMPT_KEY = "system_prompt"


class ChatResult(TypedDict, total=False):
    """What a turn gave. ``status`` is "success", "error", or "unsaved": answered, but not stored yet."""

    response: str
    session_id: str
    message_count: int
    latency_ms: int
    status: str
    error: str


class HistoryEntry(TypedDict):
    """One message of a history; ``role`` is user, assistant, system or tool."""

    role: str
    content: str


class ConversationService:
    """Use cases of conversations. Thread-safe; ``open_model`` and the store block and are called in threads.

    A session keeps at most 2 * ``max_history`` messages; the oldest go, exchange by exchange. One turn at a time runs
    in a session, others wait; all turns run on one event loop. Where a method takes ``user_id``, sessions of other
    users are as unknown as none; without it the session's id is enough. Methods raise ``StorageError`` as the store
    does.
    """

    def __init__(
        self,
        store: ConversationStore,
        open_model: Callable[[], ChatModel],
        loop: LoopThread,
        *,
        memory: Memory | None = None,
        memory_tokens: int = MEMORY_TOKENS,
        system_prompt: str = SYSTEM_PROMPT,
        max_history: int = MAX_HISTORY,
    ) -> None:
        self._store = store
        self._open_model = open_model
        self._loop = loop
        self._memory = memory or BufferMemory(memory_tokens)
        self._memory_tokens = memory_tokens
        self._system_prompt = system_prompt
        self._limit = 2 * max_history
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._saving = threading.Lock()
        self._unsaved: dict[str, list[Message]] = {}

    def create_session(
        self, user_id: str, system_prompt: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> str:
        """Begin a session of a user; returns its id. ``metadata`` is kept with it and must be a JSON object."""
        kept = dict(metadata or {})
        if system_prompt:
            kept[_SYSTEM_PROMPT_KEY] = system_prompt
        return self._store.create_session(user_id, kept).session_id

    def chat(self, session_id: str, user_message: str, *, user_id: str | None = None) -> ChatResult:
        """``achat`` for synchronous code."""
        return self._loop.run(self.achat(session_id, user_message, user_id=user_id))

    async def achat(self, session_id: str, user_message: str, *, user_id: str | None = None) -> ChatResult:
        """Answer a message. An unknown session gives ``{"error": "Session not found", "status": "error"}``.

        Question and answer are stored together. Where the store fails after the model has answered, the answer is
        returned with the status "unsaved" and stored before the next turn. Raises ``ChatError`` where the model fails;
        then nothing of the turn is stored.
        """
        async with self._turns.setdefault(session_id, asyncio.Lock()):
            session = await asyncio.to_thread(self._session, session_id, user_id)
            if session is None:
                return {"error": "Session not found", "status": "error"}
            began = time.monotonic()
            prompt = await self._prompt(session, user_message)
            model = await asyncio.to_thread(self._open_model)
            answer = await model.ainvoke(prompt)
            latency = int((time.monotonic() - began) * 1000)
            result: ChatResult = {"response": answer.text, "session_id": session_id}
            turn = [HumanMessage(user_message), AIMessage(answer.text, usage=answer.usage, model=answer.model)]
            try:
                count = await asyncio.to_thread(self._keep, session_id, turn)
            except StorageError as error:
                self._unsaved[session_id] = turn
                count = session.message_count + len(turn)
                return {
                    **result,
                    "message_count": count,
                    "latency_ms": latency,
                    "status": "unsaved",
                    "error": str(error),
                }
            return {**result, "message_count": count, "latency_ms": latency, "status": "success"}

    def get_session_history(self, session_id: str, *, user_id: str | None = None) -> list[HistoryEntry] | None:
        """The messages of a session as roles and texts; None if it is unknown."""
        if self._session(session_id, user_id) is None:
            return None
        return [{"role": each.role, "content": each.text} for each in self._store.load_messages(session_id)]

    def get_history(self, session_id: str, *, user_id: str | None = None) -> list[HistoryEntry]:
        """As ``get_session_history``, but an unknown session has no messages."""
        return self.get_session_history(session_id, user_id=user_id) or []

    def get_user_sessions(self, user_id: str) -> list[str]:
        """The ids of a user's sessions that have not expired, the one used last first."""
        return self._store.user_sessions(user_id)

    def clear_history(self, session_id: str, *, user_id: str | None = None) -> bool:
        """Forget what was said; the session stays. False if it is unknown."""
        if self._session(session_id, user_id) is None:
            return False
        self._store.clear_session(session_id)
        return True

    def extend_session(self, session_id: str, *, user_id: str | None = None) -> bool:
        """Let a session live for its full time again. False if it is unknown."""
        return self._session(session_id, user_id) is not None and self._store.extend_session(session_id)

    def delete_session(self, session_id: str, *, user_id: str | None = None) -> bool:
        """Delete a session. False if it is unknown."""
        self._unsaved.pop(session_id, None)
        return self._session(session_id, user_id) is not None and self._store.delete_session(session_id)

    def _session(self, session_id: str, user_id: str | None) -> Conversation | None:
        """The session, with what could not be stored earlier."""
        found = self._store.session(session_id)
        if found is None or user_id not in (None, found.user_id):
            return None
        with self._saving:
            if (turn := self._unsaved.get(session_id)) is None:
                return found
            self._keep(session_id, turn)
            del self._unsaved[session_id]
        return self._store.session(session_id)

    def _keep(self, session_id: str, turn: Sequence[Message]) -> int:
        """Store a turn unless it is there already, for a lost reply of a server does not mean a lost turn."""
        stored = self._store.load_messages(session_id)
        if session_id in self._unsaved and stored[-len(turn) :] == list(turn):
            return len(stored)
        count = self._store.add_messages(session_id, turn)
        if count > self._limit and (extra := surplus([*stored, *turn], self._limit)):
            self._store.drop_oldest(session_id, extra)
            count -= extra
        return count

    async def _prompt(self, session: Conversation, user_message: str) -> list[Message]:
        stored = await asyncio.to_thread(self._store.load_messages, session.session_id)
        recalled = await self._memory.recall(message_exchanges(stored), user_message, self._memory_tokens)
        system = str(session.metadata.get(_SYSTEM_PROMPT_KEY) or self._system_prompt)
        return [SystemMessage(system), *remembered_messages(recalled), HumanMessage(user_message)]


def surplus(messages: Sequence[Message], limit: int) -> int:
    """How many of the oldest messages must go for at most ``limit`` to stay.

    What stays begins with a user's message, or where a single exchange is longer than that, not with a tool's result.
    """
    first = max(0, len(messages) - limit)
    later = range(first, len(messages))
    starts = [each for each in later if isinstance(messages[each], HumanMessage)]
    whole = [each for each in later if not isinstance(messages[each], ToolMessage)]
    return next(iter(starts or whole), len(messages)) if first else 0
