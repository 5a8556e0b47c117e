"""A chat server that breaks, hangs or dies at any byte: the part that came is kept, and nothing hangs or leaks."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.chat_models.loop_thread import LoopThread
from app.domain.cancellation import CancelToken
from app.domain.turns import MessageStatus, StoredMessage, TextAdded, TurnFailed, TurnFinished, TurnStarted, TurnStopped
from app.grounding.footnotes import FootnoteWriter
from app.grounding.markers import MarkerParser
from app.services.chat_service import ChatService
from app.storage.session_store import SessionStore, open_chats
from app.storage.settings_store import SettingsStore
from tests.chat_models.providers.protocols import ANTHROPIC, CHAT, OLLAMA, Protocol, model_at
from tests.chat_models.stub_replies import Close, Reply, Reset, Stall, Step
from tests.chat_models.stub_server import StubServer
from tests.services.scripted_chat import DOCUMENT, PASSAGES, ScriptedRetriever

DEATHS = int(os.environ.get("FOOTNOTE_SERVER_DEATHS", "40"))
ANSWER = "The harbour opened in 1887 [p1]. Größe: 終わり 😀, `code [p1]`. The ferry runs hourly [p2]【p1】. The end."
SHOWN = "The harbour opened in 1887 [1]. Größe: 終わり 😀, `code [p1]`. The ferry runs hourly [2][3]. The end."


def shown(written: str) -> str:
    """An answer as it is shown when a model has written this much of it."""
    passages = dict(zip(("p1", "p2"), PASSAGES, strict=True))
    parser, writer = MarkerParser(passages), FootnoteWriter(passages)
    writer.add([*parser.feed(written), *parser.finish()])
    return writer.text


BEGINNINGS = {shown(ANSWER[:end]) for end in range(len(ANSWER) + 1)}
PROTOCOLS = (CHAT, ANTHROPIC, OLLAMA)


@dataclass
class Seen:
    """What was measured over all deaths. Seconds."""

    deaths: int = 0
    partial: int = 0
    whole: int = 0
    lag: list[float] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)

    def line(self) -> str:
        return (
            f"{self.deaths} deaths of a chat server: {self.partial} answers kept in part, {self.whole} whole, "
            f"0 lost; event loop held up at most {1000 * max(self.lag):.0f} ms, "
            f"Stop at most {1000 * max(self.stops):.0f} ms"
        )


class Room:
    """A chat service whose model is at a stub server, without retries."""

    def __init__(self, folder: Path, server: StubServer) -> None:
        self.server = server
        self.reply = Reply()
        server.script(lambda request: self.reply)
        self.protocol: Protocol = CHAT
        self.loop = LoopThread("dying-server")
        self._database = open_chats(folder / "chats.db")
        self.sessions = SessionStore(self._database)
        self.service = ChatService(
            self.loop,
            ScriptedRetriever,
            self.sessions,
            lambda name: model_at(server, self.protocol, self.loop, max_retries=0),
            lambda passage, start, end: (),
            SettingsStore(self._database),
        )
        self.session_id = self.sessions.create().id

    def ask(self, *steps: Step, cancel: CancelToken | None = None) -> StoredMessage:
        """Ask once; the server answers with ``steps``. Returns the message of the only final event."""
        self.reply = Reply(steps=steps, content_type=self.protocol.content_type)
        events = self.service.stream_answer(self.session_id, "When?", model=self.protocol.spec, cancel=cancel)
        (message,) = [each.message for each in events if isinstance(each, TurnFinished | TurnFailed | TurnStopped)]
        assert self.sessions.message(message.id) == message
        return message

    def close(self) -> None:
        self.loop.close()
        self._database.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with StubServer() as server:
        room = Room(tmp_path, server)
        yield room
        room.close()


async def _watch(lag: list[float], stop: threading.Event) -> None:
    while not stop.is_set():
        began = time.monotonic()
        await asyncio.sleep(0.005)
        lag.append(time.monotonic() - began - 0.005)


def frames(protocol: Protocol) -> bytes:
    """A whole answer, in small pieces that cut its characters anywhere."""
    return b"".join(protocol.text(*(ANSWER[at : at + 3] for at in range(0, len(ANSWER), 3))))


@pytest.mark.requirement("R11")
def test_a_server_that_dies_at_any_byte_costs_no_word_that_came(room: Room) -> None:
    chance = random.Random(11)
    seen, stop = Seen(), threading.Event()
    room.ask(frames(CHAT))  # starts the threads that stay
    threads = threading.active_count()
    watching = threading.Thread(target=lambda: room.loop.run(_watch(seen.lag, stop)))
    watching.start()
    for _ in range(DEATHS):
        room.protocol = chance.choice(PROTOCOLS)
        body = frames(room.protocol)
        cut = chance.randrange(len(body) + 1)
        pieces = [body[at : at + 97] for at in range(0, cut, 97)]
        pieces[-1:] = [pieces[-1][: cut - 97 * (len(pieces) - 1)]] if pieces else []
        dies = chance.choice(("close", "reset", "stall"))
        _die(room, pieces, dies, seen)
    stop.set()
    watching.join(10)
    print(seen.line())
    assert seen.partial > DEATHS / 2
    pool = min(32, (os.cpu_count() or 1) + 4)  # what the loop's own pool may grow to, however many servers die
    assert pool < DEATHS
    assert threading.active_count() <= threads + pool


def _die(room: Room, pieces: list[bytes], dies: str, seen: Seen) -> None:
    token = CancelToken()
    if dies == "stall":
        gate = room.server.gate()
        stopping: list[float] = []

        def stop() -> None:
            gate.wait_reached()
            stopping.append(time.monotonic())
            token.cancel()

        thread = threading.Thread(target=stop)
        thread.start()
        message = room.ask(*pieces, gate, Stall(), cancel=token)
        thread.join(10)
        gate.open()
        seen.stops.append(time.monotonic() - stopping[0])
        assert message.status in (MessageStatus.STOPPED, MessageStatus.COMPLETE)
    else:
        message = room.ask(*pieces, Close() if dies == "close" else Reset())
        assert message.status in (MessageStatus.FAILED, MessageStatus.COMPLETE)
        assert bool(message.error) == (message.status is MessageStatus.FAILED)
    seen.deaths += 1
    whole = message.status is MessageStatus.COMPLETE
    seen.whole += whole
    seen.partial += bool(message.text) and not whole
    assert message.text == SHOWN if whole else message.text in BEGINNINGS
    assert all(each.quote == DOCUMENT[each.start : each.end] for each in message.citations)


@pytest.mark.requirement("R11")
@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500, content_type="application/json", steps=(b"{}",)),
        Reply(before_headers=(Close(),)),
        Reply(before_headers=(Reset(),)),
        Reply(steps=(b"data: {\x22choices\x22: [", Close())),
        Reply(steps=(b"data: \xff\xfe\xc3\n\n",)),
        Reply(steps=()),
    ],
    ids=["500", "hangs up", "resets", "half a line", "invalid UTF-8", "empty"],
)
def test_a_broken_reply_ends_in_words_and_the_next_question_is_answered(room: Room, reply: Reply) -> None:
    room.reply = reply
    events = list(room.service.stream_answer(room.session_id, "When?", model=CHAT.spec))
    assert isinstance(events[-1], TurnFailed)
    assert events[-1].message.error.endswith((".", "!"))
    assert isinstance(events[0], TurnStarted)

    message = room.ask(frames(CHAT))
    assert message.text == SHOWN


@pytest.mark.requirement("R11")
def test_nobody_listening_is_told_in_words(room: Room) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        room.server.url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    events = list(room.service.stream_answer(room.session_id, "When?", model=CHAT.spec))
    assert isinstance(events[-1], TurnFailed)
    assert events[-1].message.error
    assert not any(isinstance(each, TextAdded) for each in events)
