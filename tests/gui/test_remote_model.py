"""The window with a chat model behind HTTP: streamed, footnoted, and stopped before and after the first word."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.chat_models.providers.openai import LM_STUDIO_URL
from app.domain.turns import MessageStatus
from app.gui.desktop import Desktop
from tests.chat_models.stub_replies import chat_chunk, chat_stream, sse
from tests.chat_models.stub_server import StubServer
from tests.gui.conftest import WAIT, DesktopRig
from tests.gui.test_window import answer_widget

STOP_SECONDS = 0.05
ATTEMPTS = 5


@pytest.fixture
def remote(rig: DesktopRig, stub: StubServer, tmp_path: Path) -> Desktop:
    """A window whose chosen model lives on the scripted server, over a library of one file."""
    desktop = rig.open_remote(stub)
    (tmp_path / "ferry.txt").write_text("The ferry runs every hour until eight.", encoding="utf-8")
    rig.add(tmp_path / "ferry.txt")
    return desktop


def _click_stop(desktop: Desktop) -> float:
    clicked = time.monotonic()
    QTest.mouseClick(desktop.window.chat.composer.send_button, Qt.MouseButton.LeftButton)
    return clicked


def _wait_for_requests(qtbot: QtBot, stub: StubServer, count: int) -> None:
    """The server's own wait would block the thread on which the window works."""
    qtbot.waitUntil(lambda: len(stub.requests) >= count, timeout=WAIT)


def test_a_remote_answer_streams_with_its_footnote(rig: DesktopRig, remote: Desktop, stub: StubServer) -> None:
    stub.reply(chat_stream("It runs every hour", " [p", "1]."))
    entry = rig.ask("How often does the ferry run?")
    assert entry.status is MessageStatus.COMPLETE
    assert entry.citations[0].quote == "The ferry runs every hour until eight."
    assert stub.bodies[0]["model"] == "tiny"
    assert "every hour until eight" in str(stub.bodies[0]["messages"])


def test_stop_reaches_the_server_before_the_first_word(qtbot: QtBot, remote: Desktop, stub: StubServer) -> None:
    fastest = STOP_SECONDS + 1
    for attempt in range(ATTEMPTS):
        stub.reply(stub.gate())
        remote.ask("How often does the ferry run?")
        _wait_for_requests(qtbot, stub, attempt + 1)
        clicked = _click_stop(remote)
        fastest = min(fastest, stub.requests[attempt].wait_disconnected() - clicked)
        qtbot.waitUntil(lambda: not remote.chat.answering, timeout=WAIT)
        if fastest <= STOP_SECONDS:
            break
    assert fastest <= STOP_SECONDS
    assert remote.messages.entries[-1].status is MessageStatus.STOPPED


def test_stop_reaches_the_server_after_the_first_word(qtbot: QtBot, remote: Desktop, stub: StubServer) -> None:
    fastest = STOP_SECONDS + 1
    for attempt in range(ATTEMPTS):
        stub.reply(sse(chat_chunk("These words have arrived. ")), stub.gate())
        remote.ask("How often does the ferry run?")
        qtbot.waitUntil(lambda: "arrived" in answer_widget(remote).browser.toPlainText(), timeout=WAIT)
        clicked = _click_stop(remote)
        fastest = min(fastest, stub.requests[attempt].wait_disconnected() - clicked)
        qtbot.waitUntil(lambda: not remote.chat.answering, timeout=WAIT)
        if fastest <= STOP_SECONDS:
            break
    assert fastest <= STOP_SECONDS
    assert "These words have arrived." in remote.messages.entries[-1].text


def test_a_server_that_is_not_there_is_told_in_plain_words(rig: DesktopRig, remote: Desktop) -> None:
    rig.built[-1].settings.set(LM_STUDIO_URL, "http://127.0.0.1:9/v1")
    entry = rig.ask("How often does the ferry run?")
    assert entry.status is MessageStatus.FAILED
    assert "127.0.0.1:9" in entry.error
    assert "Traceback" not in entry.error
