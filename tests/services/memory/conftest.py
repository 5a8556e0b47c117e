"""Chats with a memory: real stores, a chat model that says what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from app.chat_models.loop_thread import LoopThread, shared_loop_thread
from app.domain.errors import ModelFileError
from app.domain.messages import Message
from app.domain.passages import Scope
from app.domain.turn_options import MemoryKind, Strictness, TurnOptions
from app.domain.turns import StoredMessage
from app.services.memory.conversation_memory import ConversationMemory
from app.services.turn_seams import Remembered, Turn
from app.storage.database import Database
from app.storage.memory_store import MemoryStore
from app.storage.session_store import SessionStore, open_chats
from app.storage.settings_store import SettingsStore
from tests.services.scripted_chat import ScriptedModel

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder


@pytest.fixture(autouse=True)
def no_shared_loop() -> Iterator[None]:
    """Close the shared loop where a test used it, so that no thread outlives the test."""
    yield
    if shared_loop_thread.cache_info().currsize:
        shared_loop_thread().close()
        shared_loop_thread.cache_clear()


SUBJECTS = ("pier", "ferry", "storm", "rent", "cat")


class SubjectEmbedder:
    """A vector has a one for each subject its text speaks of; what is embedded is noted."""

    model_key = "subjects"
    dimension = len(SUBJECTS) + 1
    max_tokens = 256

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.failure: ModelFileError | None = None

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += texts
        return np.stack([self.embed_query(each) for each in texts])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        if self.failure:
            raise self.failure
        vector = np.array([float(each in text.lower()) for each in SUBJECTS] + [0.1], dtype=np.float32)
        unit: NDArray[np.float32] = vector / np.linalg.norm(vector)
        return unit

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(each.split()) for each in texts]

    def close(self) -> None:
        pass


@dataclass
class Bench:
    """A memory over real stores; ``ask`` remembers for a question of the session."""

    database: Database
    sessions: SessionStore
    settings: SettingsStore
    embedder: SubjectEmbedder
    model: ScriptedModel
    memory: ConversationMemory
    loop: LoopThread
    session_id: str
    chosen: dict[str, MemoryKind] = field(default_factory=dict)

    def say(self, *turns: tuple[str, str]) -> None:
        """Store turns of the chat."""
        for question, answer in turns:
            self.sessions.add_message(self.session_id, "user", question)
            self.sessions.add_message(self.session_id, "assistant", answer)

    def remember(
        self,
        kind: MemoryKind | None,
        *,
        question: str = "And then?",
        budget: int = 200,
        model: str = "scripted",
        history: Sequence[StoredMessage] | None = None,
    ) -> Remembered:
        """What the memory gives for a question."""
        options = TurnOptions(memory=kind)
        turn = Turn(self.session_id, question, model, options, Strictness.STRICT, Scope(), lambda: self.model)
        told = self.sessions.messages(self.session_id) if history is None else history
        return self.loop.run(self.memory(turn, told, question, budget))

    @property
    def prompts(self) -> list[str]:
        """What the chat model was asked."""
        return [asked[-1].text for asked in self.model.asked]


@pytest.fixture
def open_bench(tmp_path: Path) -> Iterator[Callable[[], Bench]]:
    """Makes benches over the same files, one after the other."""
    opened: list[Bench] = []

    def close() -> None:
        for each in opened:
            each.loop.close()
            each.database.close()
        opened.clear()

    def make() -> Bench:
        close()
        database = open_chats(tmp_path / "chats.db")
        sessions, settings = SessionStore(database), SettingsStore(database)
        embedder, model, chosen = SubjectEmbedder(), ScriptedModel(), dict[str, MemoryKind]()

        def open_embedder() -> Embedder:
            return embedder

        memory = ConversationMemory(MemoryStore(database), open_embedder, settings, chosen.get, writing_seconds=0.5)
        known = sessions.sessions()
        session_id = known[0].id if known else sessions.create().id
        opened.append(
            Bench(database, sessions, settings, embedder, model, memory, LoopThread("test-loop"), session_id, chosen)
        )
        return opened[-1]

    yield make
    close()


@pytest.fixture
def bench(open_bench: Callable[[], Bench]) -> Bench:
    return open_bench()


def texts(messages: Sequence[Message]) -> list[str]:
    """The texts of messages."""
    return [each.text for each in messages]
