"""Killed at any moment of a chat, the program loses nothing that was kept, and keeps the part of an answer."""

from __future__ import annotations

import contextlib
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.domain.turns import MessageStatus
from app.storage.session_store import SessionStore, open_chats
from tests.chat_models.providers.protocols import CHAT
from tests.chat_models.stub_replies import Delay, Reply
from tests.chat_models.stub_server import StubServer

KILLS = int(os.environ.get("FOOTNOTE_CHAT_KILLS", "12"))
START_SECONDS = 3.0
WORDS = [f"word{number} " for number in range(40)]
ANSWER = "The harbour opened in 1887 [p1]. " + "".join(WORDS) + "é終 [p2]."
SHOWN = "The harbour opened in 1887 [1]. " + "".join(WORDS) + "é終 [2]."

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked and killed by signal")


@dataclass
class Tally:
    """What came of all kills."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    interrupted: int = 0
    with_text: int = 0
    slowest_start: float = 0.0
    problems: list[str] = field(default_factory=list)

    def line(self) -> str:
        return (
            f"{self.kills} kills while chatting: {self.acknowledged} acknowledged messages, {self.lost} lost; "
            f"{self.interrupted} answers cut off and marked, {self.with_text} of them with the part that was shown; "
            f"slowest start {self.slowest_start:.2f} s; {len(self.problems)} problems"
        )


class Children:
    """Forks chatting processes, one after another."""

    def __init__(self, folder: Path, url: str) -> None:
        self._line = shlex.join([str(folder), url]) + "\n"
        command = [sys.executable, "-m", "tests.faults.chat_child"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._said() == "ready"

    def killed_after(self, events: int, seconds: float) -> list[str]:
        """What a child told until it was killed, so long after it had told so many events of its chat."""
        assert self._process.stdin is not None
        self._process.stdin.write(self._line)
        self._process.stdin.flush()
        pid = 0
        told: list[str] = []
        while not pid or len(told) <= events:
            event = self._said()
            if event.startswith("pid "):
                pid = int(event.split()[1])
            elif event.startswith("ended"):
                return told
            else:
                told.append(event)
        time.sleep(seconds)  # the moment of the kill is what is drawn by chance, nothing waits for it
        with contextlib.suppress(ProcessLookupError):  # it has failed; why is among what it told
            os.kill(pid, signal.SIGKILL)
        while not (event := self._said()).startswith("ended"):
            told.append(event)
        return told

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer() as server:
        frames = CHAT.text(*(ANSWER[at : at + 7] for at in range(0, len(ANSWER), 7)))
        steps = tuple(step for frame in frames for step in (frame, Delay(0.002)))
        server.script(Reply(steps=steps, content_type=CHAT.content_type))
        yield server


@pytest.mark.requirement("R1")
def test_a_kill_while_chatting_loses_nothing_that_was_kept(tmp_path: Path, server: StubServer) -> None:
    chance = random.Random(1)
    tally = Tally()
    kept: set[int] = set()
    children = Children(tmp_path, server.url)
    try:
        for _ in range(KILLS):
            told = children.killed_after(chance.randrange(1, 120), chance.uniform(0.0, 0.02))
            tally.kills += 1
            _look(tmp_path, told, kept, tally)
    finally:
        children.close()
    print(tally.line())
    assert tally.problems == []
    assert tally.lost == 0
    assert tally.acknowledged >= KILLS
    assert 0 < tally.with_text <= tally.interrupted
    assert tally.slowest_start <= START_SECONDS


def _look(folder: Path, told: list[str], kept: set[int], tally: Tally) -> None:
    """Start again and compare what is stored with what the child had told."""
    tally.problems += [each for each in told if each.startswith("failure")]
    asked = {int(each.split()[1]) for each in told if each.startswith("asked")}
    finished = {int(each.split()[1]) for each in told if each.startswith("finished")}
    kept |= asked | finished
    tally.acknowledged += len(asked) + len(finished)
    began = time.monotonic()
    database = open_chats(folder / "chats.db")
    try:
        sessions = SessionStore(database)
        sessions.mark_interrupted()
        tally.slowest_start = max(tally.slowest_start, time.monotonic() - began)
        stored = {each.id: each for record in sessions.sessions() for each in sessions.messages(record.id)}
        tally.lost += len(kept - set(stored))
        tally.lost += sum(stored[each].text != SHOWN for each in finished if each in stored)
        cut = [each for each in stored.values() if each.status is MessageStatus.INTERRUPTED]
        tally.interrupted = len(cut)
        tally.with_text = sum(bool(each.text) for each in cut)
        tally.problems += [f"no part of the answer: {each.text!r}" for each in cut if not SHOWN.startswith(each.text)]
        tally.problems += [f"still {each.status}" for each in stored.values() if each.status is MessageStatus.STREAMING]
        tally.problems += sessions.integrity()
    finally:
        database.close()
