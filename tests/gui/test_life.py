"""The program as its user lives with it: started twice, killed, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.gui.controllers.draft_controller import DraftController
from app.gui.desktop import Desktop
from app.gui.early_window import STATE_FILE
from app.gui.single_window import LaterStarts, show_open_window
from app.gui.window_state import WindowState
from app.storage.library_lock import LibraryLock
from tests.chat_models.stub_replies import Stall, chat_chunk, sse
from tests.chat_models.stub_server import StubServer
from tests.gui.conftest import WAIT, DesktopRig
from tests.gui.life_child import QUESTION

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder for sockets with a name that is short enough for them."""
    with tempfile.TemporaryDirectory(prefix="fn") as folder:
        Path(folder).chmod(0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield folder


def remembered(rig: DesktopRig) -> str:
    """The chat that a start would open, as it stands on the disk."""
    return WindowState(rig.paths.config / STATE_FILE).session_id


def type_in(desktop: Desktop, text: str) -> None:
    QTest.keyClicks(desktop.window.chat.composer.edit, text)


def words(desktop: Desktop) -> str:
    return desktop.window.chat.composer.edit.toPlainText()


def test_a_second_start_brings_the_open_window_to_the_front(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, sockets: str
) -> None:
    later = LaterStarts(rig.paths, desktop.window)
    assert later.listen()
    desktop.window.showMinimized()
    environment = {**os.environ, "FOOTNOTE_HOME": str(rig.paths.data.parent), "QT_QPA_PLATFORM": "offscreen"}
    second = subprocess.Popen(
        [sys.executable, "-m", "app"],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    qtbot.waitUntil(lambda: second.poll() is not None, timeout=PATIENCE_SECONDS * 1_000)
    output, _ = second.communicate()
    assert second.returncode == 0, output
    assert not output
    assert not desktop.window.isMinimized()
    later.close()
    assert not show_open_window(rig.paths, patience=50)


def test_a_socket_that_a_killed_program_left_is_no_hindrance(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, sockets: str
) -> None:
    first, second = LaterStarts(rig.paths, desktop.window), LaterStarts(rig.paths, desktop.window)
    assert first.listen()
    (left_over,) = Path(sockets).iterdir()
    first.close()
    left_over.touch()
    assert second.listen()
    second.close()


def test_a_library_that_another_program_is_leaving_opens_by_itself(qtbot: QtBot, rig: DesktopRig) -> None:
    rig.paths.create()
    with LibraryLock(rig.paths.library_lock):
        desktop = rig.open_without_waiting()
        invitation = desktop.window.chat.invitation
        qtbot.waitUntil(lambda: "is using this library" in invitation.words, timeout=WAIT)
        assert "empty" not in " ".join(shown_in(desktop))
    qtbot.waitUntil(lambda: desktop.library.loaded and desktop.sessions.loaded, timeout=WAIT)
    assert "Your library is empty" in " ".join(shown_in(desktop))


def shown_in(desktop: Desktop) -> list[str]:
    """The words of the side panels."""
    from PySide6.QtWidgets import QLabel

    panels = (desktop.window.right.library, desktop.window.sessions)
    return [label.text() for panel in panels for label in panel.findChildren(QLabel) if label.isVisibleTo(panel)]


def test_a_window_that_never_opened_forgets_nothing(qtbot: QtBot, rig: DesktopRig, desktop: Desktop) -> None:
    rig.ask("Is there a ferry?")
    chat = desktop.sessions.current
    qtbot.waitUntil(lambda: remembered(rig) == chat, timeout=WAIT)  # while it runs: a killed program saves nothing
    rig.close()
    with LibraryLock(rig.paths.library_lock):
        blocked = rig.open_without_waiting()
        qtbot.waitUntil(lambda: "is using" in blocked.window.chat.invitation.words, timeout=WAIT)
        rig.close()
    assert remembered(rig) == chat
    again = rig.open()
    qtbot.waitUntil(lambda: again.sessions.current == chat, timeout=WAIT)


def test_what_is_being_typed_belongs_to_its_chat_and_stays(qtbot: QtBot, rig: DesktopRig, desktop: Desktop) -> None:
    rig.ask("Is there a ferry?")
    first = desktop.sessions.current
    type_in(desktop, "and when")
    desktop.begin_chat()
    assert words(desktop) == ""
    type_in(desktop, "another thing")
    desktop.sessions.open(first)
    qtbot.waitUntil(lambda: words(desktop) == "and when", timeout=WAIT)
    again = rig.restart()
    qtbot.waitUntil(lambda: again.sessions.current == first and words(again) == "and when", timeout=WAIT)
    again.begin_chat()
    again = rig.restart()
    qtbot.waitUntil(lambda: words(again) == "another thing", timeout=WAIT)
    QTest.keyClick(again.window.chat.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not again.chat.answering and again.messages.rowCount() == 2, timeout=WAIT)
    again.begin_chat()
    assert words(again) == ""


def test_keys_typed_before_the_chat_is_there_stay_in_the_composer(qtbot: QtBot, rig: DesktopRig) -> None:
    desktop = rig.open()
    rig.ask("Is there a ferry?")
    type_in(desktop, "kept from before")
    rig.close()
    again = rig.open_without_waiting()
    type_in(again, "quick")
    qtbot.waitUntil(lambda: bool(again.sessions.current), timeout=WAIT)
    qtbot.waitUntil(lambda: not again.runner.busy, timeout=WAIT)
    assert words(again) == "quick"


@pytest.mark.parametrize("damage", ["{", "[1]", '{"": 3, "x": ["y"]}', ""])
def test_damaged_drafts_are_no_hindrance(qtbot: QtBot, rig: DesktopRig, damage: str) -> None:
    rig.paths.create()
    (rig.paths.data / "drafts.json").write_text(damage, encoding="utf-8")
    desktop = rig.open()
    type_in(desktop, "a new one")
    drafts: DraftController = desktop.composer_wiring.drafts
    drafts.save()
    qtbot.waitUntil(lambda: "a new one" in (rig.paths.data / "drafts.json").read_text(encoding="utf-8"), timeout=WAIT)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends programs in other ways")
def test_a_window_that_is_killed_comes_back_as_it_was(qtbot: QtBot, rig: DesktopRig, tmp_path: Path) -> None:
    home = rig.paths.data.parent
    with StubServer() as server:
        server.reply(sse(chat_chunk("Because rivers carry salt ")), Stall())
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.gui.life_child", str(home), f"{server.url}/v1"],
            cwd=REPOSITORY,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "half\n"
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=PATIENCE_SECONDS)
        rig.model = None
        desktop = rig.open()
        qtbot.waitUntil(lambda: desktop.messages.rowCount() == 2, timeout=WAIT)
        question, answer = desktop.messages.entries
        assert question.text == QUESTION
        assert answer.text.strip() == "Because rivers carry salt"
        assert desktop.window.right.isHidden()
        qtbot.waitUntil(lambda: words(desktop) == "and then", timeout=WAIT)
