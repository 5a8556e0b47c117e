"""The memory of chats: plugs into a turn, and chooses what of the earlier turns the model is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.chat_models.call import NO_OVERRIDES
from app.domain.messages import AIMessage, HumanMessage, Message
from app.domain.turn_options import BUILT_IN_MODEL, MemoryKind
from app.domain.turns import StoredMessage
from app.services.memory.choosing import BufferMemory, Memory, Recalled, TokenMemory, WindowMemory
from app.services.memory.exchanges import Exchange, stored_exchanges
from app.services.memory.recollection import RetrievalMemory, VectorStore, count_words
from app.services.memory.running_summary import (
    WRITING_SECONDS,
    ModelSummariser,
    Summariser,
    SummaryMemory,
    SummaryStore,
    extract_summary,
)
from app.services.turn_seams import Remembered, Turn
from app.settings.setting import Setting

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder

T = TypeVar("T")
NOTES_HEAD = "Notes on what we said before the messages below:"
COUNTED_TURNS = 2_000  # of some kilobytes each
MODEL_SHARE = 3
"""A third of what a model can hold; the rest is for passages and the answer."""
NOTED = "I will keep that in mind."

MEMORY_KIND = Setting(
    "memory.kind",
    MemoryKind.TOKENS,
    "Memory of a chat",
    "What a model is told of the chat so far. buffer: all of it. window: the last turns. tokens: as many of the last "
    "turns as there is room for. summary: the last turns, and notes on those before them. retrieval: the last turns, "
    "and earlier ones that have to do with the question.",
)
WINDOW_TURNS = Setting(
    "memory.window_turns", 5, "Turns remembered", "How many turns the window holds.", minimum=1, maximum=200
)
LONGEST_MEMORY = Setting(
    "memory.longest_tokens",
    4_000,
    "Longest memory",
    "How many tokens of earlier turns a model is given at most when all turns or the last ones are remembered.",
    minimum=256,
    maximum=1_000_000,
)


class Settings(Protocol):
    """Where values of settings come from."""

    def __getitem__(self, setting: Setting[T]) -> T: ...


class MemoryRecords(SummaryStore, VectorStore, Protocol):
    """Where summaries and vectors are kept."""


class ConversationMemory:
    """Remembers for turns. Thread-safe.

    The kind of memory is that of the turn's options, else what ``chosen`` gives for the session (blocks), else the
    setting's. ``open_embedder`` blocks as well. A model has ``writing_seconds`` to write a summary.
    """

    def __init__(
        self,
        records: MemoryRecords,
        open_embedder: Callable[[], Embedder],
        settings: Settings,
        chosen: Callable[[str], MemoryKind | None] = lambda session_id: None,
        *,
        writing_seconds: float = WRITING_SECONDS,
    ) -> None:
        self._records = records
        self._open_embedder = open_embedder
        self._settings = settings
        self._chosen = chosen
        self._writing_seconds = writing_seconds
        self._count_words = lru_cache(maxsize=COUNTED_TURNS)(count_words)

    async def __call__(self, turn: Turn, history: Sequence[StoredMessage], question: str, budget: int) -> Remembered:
        """Choose from ``history`` (oldest first) for ``question``, within ``budget`` tokens.

        Buffer and window may take more than ``budget``: what the setting allows, and a third of what the model can
        hold. Messages that are no part of the talk (failed or empty answers, and their questions) count as neither
        used nor dropped.
        """
        kind = turn.options.memory
        if kind is None:
            kind = await asyncio.to_thread(self._kind, turn.session_id)
        exchanges = await asyncio.to_thread(stored_exchanges, history)
        memory = await self._memory(kind, turn)
        recalled = await memory.recall(exchanges, question, budget)
        return remembered(exchanges, recalled, kind)

    def _kind(self, session_id: str) -> MemoryKind:
        return self._chosen(session_id) or self._settings[MEMORY_KIND]

    async def _memory(self, kind: MemoryKind, turn: Turn) -> Memory:
        if kind is MemoryKind.BUFFER:
            return BufferMemory(await asyncio.to_thread(self._longest, turn))
        if kind is MemoryKind.WINDOW:
            return WindowMemory(self._settings[WINDOW_TURNS], await asyncio.to_thread(self._longest, turn))
        if kind is MemoryKind.SUMMARY:
            return SummaryMemory(self._records, turn.session_id, self._summariser(turn))
        if kind is MemoryKind.RETRIEVAL:
            return RetrievalMemory(self._records, turn.session_id, self._open_embedder, self._count_words)
        return TokenMemory()

    def _summariser(self, turn: Turn) -> Summariser:
        if turn.model == BUILT_IN_MODEL:
            return extract_summary
        return ModelSummariser(turn.open_model, turn.model, seconds=self._writing_seconds)

    def _longest(self, turn: Turn) -> int:
        longest = self._settings[LONGEST_MEMORY]
        profile = turn.open_model().profile_of(NO_OVERRIDES)
        if profile is None or not profile.limits.context:
            return longest
        return min(longest, profile.limits.context // MODEL_SHARE)


def remembered(exchanges: Sequence[Exchange], recalled: Recalled, kind: MemoryKind) -> Remembered:
    """What was recalled of ``exchanges`` as messages of a prompt, the summary first, and what was left out."""
    used = sum(each.count for each in recalled.exchanges)
    return Remembered(
        messages=remembered_messages(recalled),
        used=used,
        dropped=sum(each.count for each in exchanges) - used,
        summary=recalled.summary,
        kind=kind,
    )


def remembered_messages(recalled: Recalled) -> tuple[Message, ...]:
    """What was recalled as messages; a summary as the first turn, as many models take a single system message."""
    notes = (HumanMessage(f"{NOTES_HEAD}\n{recalled.summary}"), AIMessage(NOTED)) if recalled.summary else ()
    return (*notes, *(each for one in recalled.exchanges for each in one.messages))
