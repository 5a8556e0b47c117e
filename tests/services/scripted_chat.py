"""What tests of the chat service talk to: a model that says what it is told, and a retriever that is an event away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.chat_models.call import Call
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.domain.documents import Box
from app.domain.messages import AIMessageChunk, Message
from app.domain.passages import Passage, Scope
from app.domain.turns import StoredMessage, TextAdded, TurnEvent, TurnFailed, TurnFinished, TurnStopped
from app.services.chat_service import ChatService
from app.storage.session_store import SessionStore, open_chats
from app.storage.settings_store import SettingsStore

DOCUMENT = "The harbour was opened in 1887. A storm destroyed the pier in 1903.\n\nThe ferry runs every hour."


def passage(text: str, number: int) -> Passage:
    start = DOCUMENT.index(text)
    return Passage(
        number,
        7,
        Path("/docs/bay.txt"),
        "Bay",
        "hash",
        start,
        start + len(text),
        text,
        1.0,
        page=number,
        token_count=12,
    )


PASSAGES = [
    passage("The harbour was opened in 1887. A storm destroyed the pier in 1903.", 1),
    passage("The ferry runs every hour.", 2),
]


class ScriptedModel(ChatModel):
    """Streams ``script``: texts are sent, errors raised, and where an event stands the stream waits for it.

    What is in ``first`` is taken before it, one script for each call.
    """

    script: Sequence[str | AIMessageChunk | Exception | asyncio.Event] = ()
    first: list[Sequence[str | AIMessageChunk | Exception | asyncio.Event]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    asked: list[Sequence[Message]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        self.asked.append(messages)
        self.calls.append(call)
        try:
            for step in self.first.pop(0) if self.first else self.script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield AIMessageChunk(step) if isinstance(step, str) else step
        finally:
            self.closed.set()


class ScriptedRetriever:
    """Returns its passages, or raises, once its gate is open."""

    def __init__(self, passages: Sequence[Passage] = PASSAGES) -> None:
        self.passages = list(passages)
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[tuple[str, int, Scope | None]] = []
        self.called = threading.Event()

    def context(self, query: str, *, token_budget: int, scope: Scope | None = None) -> list[Passage]:
        self.asked.append((query, token_budget, scope))
        self.called.set()
        assert self.gate.wait(30)
        if self.failure:
            raise self.failure
        return self.passages


@dataclass
class Room:
    """A chat service over real stores and all that it works with."""

    service: ChatService
    sessions: SessionStore
    settings: SettingsStore
    retriever: ScriptedRetriever
    model: ScriptedModel
    loop: LoopThread
    session_id: str
    models_asked: list[str] = field(default_factory=list)

    def says(self, *script: Any) -> None:
        """What the model answers from now on."""
        self.model.script = script

    def start(self, question: str = "What happened?", **options: Any) -> Iterator[TurnEvent]:
        """Begin a turn; it runs as far as its events are read."""
        return self.service.stream_answer(self.session_id, question, **options)

    def ask(self, question: str = "What happened?", **options: Any) -> list[TurnEvent]:
        """A whole turn."""
        return list(self.start(question, **options))

    @property
    def stored(self) -> list[StoredMessage]:
        return self.sessions.messages(self.session_id)


@contextmanager
def open_room(folder: Path, *, checkpoint_seconds: float = 1.0, **arguments: Any) -> Iterator[Room]:
    """A room whose chats are kept in ``folder``; further ``arguments`` are those of ``ChatService``."""
    database = open_chats(folder / "chats.db")
    loop = LoopThread("test-loop")
    sessions, settings = SessionStore(database), SettingsStore(database)
    retriever, model = ScriptedRetriever(), ScriptedModel()
    asked: list[str] = []

    def models(name: str) -> ScriptedModel:
        asked.append(name)
        return model

    arguments = {"checkpoint_seconds": checkpoint_seconds, **arguments}
    service = ChatService(loop, lambda: retriever, sessions, models, _boxes, settings, **arguments)
    yield Room(service, sessions, settings, retriever, model, loop, sessions.create().id, asked)
    retriever.gate.set()
    loop.close()
    database.close()


def _boxes(passage: Passage, start: int, end: int) -> tuple[Box, ...]:
    return (Box(float(start), 0.0, float(end), 1.0),)


def text_of(events: Sequence[TurnEvent]) -> str:
    """The answer as it was shown."""
    return "".join(event.text for event in events if isinstance(event, TextAdded))


def last(events: Sequence[TurnEvent], kind: type[TurnFinished | TurnStopped | TurnFailed]) -> StoredMessage:
    """The message of the only final event, which must be of ``kind``."""
    assert sum(isinstance(event, TurnFinished | TurnStopped | TurnFailed) for event in events) == 1
    assert isinstance(events[-1], kind)
    return events[-1].message
