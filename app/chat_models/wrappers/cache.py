"""Cache: an identical request is answered from memory, or from a file."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Protocol

from app.chat_models.call import Call
from app.chat_models.loop_thread import closing
from app.chat_models.wrappers.wrapper import Wrapper
from app.domain.message_json import message_from_json, message_to_json
from app.domain.messages import Accumulator, AIMessage, AIMessageChunk, Message, ReasoningPart, TextPart

DEFAULT_SIZE = 128
_PIECE_CHARACTERS = 48
_COMPLETE = (None, "stop", "tool_calls", "unknown")
# What does not change an answer.
_NOT_PART_OF_KEY = frozenset({"timeouts", "stream_wire", "whole"})


class ReplayedChunk(AIMessageChunk):
    """A chunk out of a cache: nothing was sent or paid for it."""

    __slots__ = ()


class CacheStore(Protocol):
    """Where answers are kept beyond the life of the process."""

    def get(self, key: str) -> str | None:
        """The value of ``key``."""

    def put(self, key: str, value: str) -> None:
        """Keep ``value``."""

    def clear(self) -> None:
        """Forget everything."""


class ResponseCache:
    """The ``maxsize`` answers that were used last, and a store behind them. Thread-safe."""

    def __init__(self, maxsize: int = DEFAULT_SIZE, store: CacheStore | None = None) -> None:
        if maxsize < 1:
            raise ValueError(f"A cache must hold at least 1 answer, not {maxsize}.")
        self._maxsize = maxsize
        self._store = store
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, str] = OrderedDict()
        self._hits = self._misses = 0

    def get(self, key: str) -> AIMessage | None:
        """The answer kept under ``key``, which counts as a hit, or None, which counts as a miss."""
        with self._lock:
            value = self._answers.get(key)
            if value is None and self._store is not None:
                value = self._store.get(key)
            if value is None:
                self._misses += 1
                return None
            self._hits += 1
            self._remember(key, value)
        message = message_from_json(json.loads(value))
        return message if isinstance(message, AIMessage) else None

    def put(self, key: str, answer: AIMessage) -> None:
        """Keep ``answer``; the one unused for longest makes room."""
        value = json.dumps(message_to_json(replace(answer, id=None)), ensure_ascii=False)
        with self._lock:
            self._remember(key, value)
            if self._store is not None:
                self._store.put(key, value)

    def cache_info(self) -> dict[str, int]:
        """``hits``, ``misses``, ``maxsize`` and ``currsize``."""
        with self._lock:
            return {
                "hits": self._hits,
                "misses": self._misses,
                "maxsize": self._maxsize,
                "currsize": len(self._answers),
            }

    def cache_clear(self) -> None:
        """Forget all answers and counts."""
        with self._lock:
            self._answers.clear()
            self._hits = self._misses = 0
            if self._store is not None:
                self._store.clear()

    @property
    def hit_rate(self) -> float:
        """Hits among all look-ups, 0 to 1; 0 when there were none."""
        with self._lock:
            asked = self._hits + self._misses
            return self._hits / asked if asked else 0.0

    def _remember(self, key: str, value: str) -> None:
        self._answers[key] = value
        self._answers.move_to_end(key)
        while len(self._answers) > self._maxsize:
            self._answers.popitem(last=False)


class Cache(Wrapper):
    """Answers identical requests from a cache. Errors, cut-off and cancelled answers are never kept.

    Two requests are identical when messages, model, server and every parameter of the call are, schemas and tools
    included.
    """

    cache: ResponseCache
    """Where answers are kept."""

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        key = cache_key(messages, self.inner.identity(call))
        known = await asyncio.to_thread(self.cache.get, key)
        if known is not None:
            for chunk in _replay(known):
                yield chunk
            return
        total = Accumulator()
        async with closing(self.inner.chunks(messages, call)) as chunks:
            async for chunk in chunks:
                total.add(chunk)
                yield chunk
        answer = total.message()
        if answer.finish in _COMPLETE and answer.parts:
            await asyncio.to_thread(self.cache.put, key, answer)

    def cache_info(self) -> dict[str, int]:
        """As of the cache."""
        return self.cache.cache_info()

    def cache_clear(self) -> None:
        """Empty the cache."""
        self.cache.cache_clear()


def cache_key(messages: Sequence[Message], identity: Mapping[str, Any]) -> str:
    """The SHA-256 of all that decides about an answer. Ids of messages don't."""
    asked = [
        {"role": message.role, "name": message.name, "parts": message.parts, "more": message.additional_kwargs}
        for message in messages
    ]
    text = json.dumps({"messages": asked, **identity}, sort_keys=True, ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        names = (each.name for each in fields(value) if each.name not in _NOT_PART_OF_KEY)
        return {"kind": type(value).__name__, **{name: getattr(value, name) for name in names}}
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    return repr(value)


def _replay(answer: AIMessage) -> Iterator[AIMessageChunk]:
    """Chunks that add up to ``answer``; its text in pieces, as if it came from a server."""
    for number, part in enumerate(answer.parts):
        if isinstance(part, (TextPart, ReasoningPart)):
            starts = range(0, len(part.text), _PIECE_CHARACTERS)
            pieces = [part.text[start : start + _PIECE_CHARACTERS] for start in starts] or [""]
            for piece in pieces:
                yield ReplayedChunk(parts=(replace(part, text=piece, index=number),))
        else:
            yield ReplayedChunk(parts=(replace(part, index=number),))
    names = ("name", "additional_kwargs", "usage", "finish", "model", "response_metadata")
    yield ReplayedChunk(parts=(), **{name: getattr(answer, name) for name in names})
