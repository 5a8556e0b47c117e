"""A chat service that speaks to a scripted server over HTTP, in the dialect of the model that is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.domain.documents import Box
from app.domain.passages import Passage
from app.domain.turns import StoredMessage, TurnEvent
from app.services.chat_service import ChatService, PassageFinder
from app.services.turn_seams import TurnSeams
from app.storage.session_store import SessionStore, open_chats
from app.storage.settings_store import SettingsStore
from tests.chat_models.providers.protocols import ANTHROPIC, CHAT, OLLAMA, model_at
from tests.chat_models.stub_server import StubServer
from tests.services.scripted_chat import ScriptedRetriever

OPENAI = CHAT.spec


@dataclass
class HttpRoom:
    """A chat service, the server that plays its models, and the session that is asked."""

    service: ChatService
    server: StubServer
    sessions: SessionStore
    settings: SettingsStore
    retriever: ScriptedRetriever
    loop: LoopThread
    session_id: str

    def ask(self, question: str, *, model: str = OPENAI, **options: Any) -> list[TurnEvent]:
        """A whole turn."""
        return list(self.service.stream_answer(self.session_id, question, model=model, **options))

    @property
    def stored(self) -> list[StoredMessage]:
        return self.sessions.messages(self.session_id)


def stub_models(server: StubServer, loop: LoopThread) -> Callable[[str], ChatModel]:
    """Makes models by name whose requests go to ``server``; the built-in answerer is played by it too."""
    protocols = {each.spec: each for each in (CHAT, ANTHROPIC, OLLAMA)}
    return lambda name: model_at(server, protocols.get(name, CHAT), loop)


@contextmanager
def open_http_room(folder: Path, seams: TurnSeams, *, retriever: PassageFinder | None = None) -> Iterator[HttpRoom]:
    """A room whose chats are kept in ``folder``."""
    folder.mkdir(exist_ok=True)
    database = open_chats(folder / "chats.db")
    loop = LoopThread("test-loop")
    sessions, settings = SessionStore(database), SettingsStore(database)
    scripted = ScriptedRetriever()
    with StubServer() as server:
        service = ChatService(
            loop,
            lambda: retriever or scripted,
            sessions,
            stub_models(server, loop),
            _no_boxes,
            settings,
            seams=seams,
        )
        yield HttpRoom(service, server, sessions, settings, scripted, loop, sessions.create().id)
        loop.close()
    database.close()


def _no_boxes(passage: Passage, start: int, end: int) -> tuple[Box, ...]:
    return ()
