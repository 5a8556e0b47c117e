"""Services that are real but for the two models, and a witness of which thread calls them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any

from app.bootstrap import Services
from app.chat_models.call import Call
from app.chat_models.model import ChatModel
from app.domain.messages import AIMessageChunk, HumanMessage, Message, TextPart
from app.retrieval.embedder import Embedder
from app.settings.paths import AppPaths
from tests.retrieval.small_library import HashEmbedder

WAIT_SECONDS = 30


class GatedEmbedder(HashEmbedder):
    """Waits with every batch of passages until its gate is open. Questions raise ``failure``, if there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def embed_passages(self, texts: Sequence[str]) -> Any:
        assert self.gate.wait(WAIT_SECONDS)
        return super().embed_passages(texts)

    def embed_query(self, text: str) -> Any:
        vector = super().embed_query(text)
        if self.failure is not None:
            raise self.failure
        return vector


class QuotingModel(ChatModel):
    """Quotes the first words of each passage it is given, or says ``script`` with ``{p1}`` as the first passage's id.

    Before the part that is ``PAUSE`` it waits for ``gate``.
    """

    PAUSE = "\x00"

    script: str = ""
    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        parts = _last_parts(messages)
        ids = [str(part.extras["passage_id"]) for part in parts if "passage_id" in part.extras]
        self.asked.append(" ".join(part.text for part in parts if part.extras.get("question")))
        text = self.script or " ".join(f"Passage {number} says so. [{each}]" for number, each in enumerate(ids, 1))
        for number, each in enumerate(ids, 1):
            text = text.replace(f"{{p{number}}}", f"[{each}]")
        for piece in text.split(" "):
            if piece == self.PAUSE:
                await asyncio.to_thread(self.gate.wait, WAIT_SECONDS)
                continue
            yield AIMessageChunk(piece + " ")
            await asyncio.sleep(0)
        yield AIMessageChunk(finish="stop", model="quoting")


def _last_parts(messages: Sequence[Message]) -> list[TextPart]:
    last = next(each for each in reversed(messages) if isinstance(each, HumanMessage))
    return [part for part in last.parts if isinstance(part, TextPart)]


class TestServices(Services):
    """Everything as the program makes it, but vectors from hashes and, if given, another chat model."""

    __test__ = False

    def __init__(self, paths: AppPaths, embedder: GatedEmbedder, model: ChatModel | None) -> None:
        self._stand_in_embedder = embedder
        self._stand_in_model = model
        super().__init__(paths, writer=True)

    def _make_embedder(self) -> Embedder:
        return self._stand_in_embedder

    def _make_answerer(self) -> ChatModel:
        return self._stand_in_model or super()._make_answerer()


class Witness:
    """Stands before services and writes down which thread calls what."""

    def __init__(self, real: Any, calls: list[tuple[str, int]], name: str = "services") -> None:
        self._real = real
        self._calls = calls
        self._name = name

    def __getattr__(self, name: str) -> Any:
        label = f"{self._name}.{name}"
        self._calls.append((label, threading.get_ident()))
        value = getattr(self._real, name)
        if callable(value):
            return self._witnessed(label, value)
        if name in {"library", "ingest", "chat", "sessions", "settings"}:
            return Witness(value, self._calls, label)
        return value

    def __getitem__(self, key: Any) -> Any:
        self._calls.append((f"{self._name}[]", threading.get_ident()))
        return self._real[key]

    def _witnessed(self, label: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._calls.append((f"{label}()", threading.get_ident()))
            return function(*arguments, **named)

        return call

    @cached_property
    def threads(self) -> set[int]:
        """Threads seen so far."""
        return {thread for _, thread in self._calls}
