"""Keys in the composer of the real window: several lines, earlier questions, commands; and the meter below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.chat_models.providers.openai import LM_STUDIO_URL
from app.domain.turn_details import NearMiss, PromptMessage, SentPassage, TurnDetails
from app.gui.controllers.meter_controller import reading_of
from app.gui.desktop import Desktop
from app.gui.widgets.dialogs import ShortcutsDialog
from app.gui.widgets.export_dialog import ExportDialog
from app.services.chat_service import CONTEXT_TOKENS
from app.services.turn_notes import NO_ROOM, NOT_IN_IT
from tests.chat_models.stub_replies import chat_stream
from tests.chat_models.stub_server import StubServer
from tests.gui.conftest import WAIT, DesktopRig

FIRST, SECOND = "When does the ferry leave?", "How long does\nthe soup need?"


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


def press(desktop: Desktop, key: Qt.Key, *more: Qt.Key) -> None:
    for each in (key, *more):
        QTest.keyClick(desktop.window.chat.composer.edit, each)


def type_in(desktop: Desktop, text: str) -> None:
    QTest.keyClicks(desktop.window.chat.composer.edit, text)


def words(desktop: Desktop) -> str:
    return desktop.window.chat.composer.edit.toPlainText()


def test_several_lines_are_typed_and_sent(qtbot: QtBot, desktop: Desktop) -> None:
    edit = desktop.window.chat.composer.edit
    low = edit.height()
    type_in(desktop, "How long does")
    QTest.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    type_in(desktop, "the soup need?")
    assert edit.height() > low
    press(desktop, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not desktop.chat.answering and desktop.messages.rowCount() == 2, timeout=WAIT)
    assert desktop.messages.entries[0].text == SECOND
    assert words(desktop) == ""
    assert edit.height() == low


def test_a_click_anywhere_in_the_composer_makes_it_ready_to_type(qtbot: QtBot, desktop: Desktop) -> None:
    composer = desktop.window.chat.composer
    desktop.window.activateWindow()
    desktop.window.sessions.list.setFocus()
    QTest.mouseClick(composer, Qt.MouseButton.LeftButton, pos=QPoint(composer.width() // 2, composer.height() - 12))
    assert desktop.window.focusWidget() is composer.edit


def test_the_arrows_go_through_earlier_questions_and_back(qtbot: QtBot, rig: DesktopRig, desktop: Desktop) -> None:
    rig.ask(FIRST)
    rig.ask(SECOND)
    up, down = Qt.Key.Key_Up, Qt.Key.Key_Down
    press(desktop, up)
    assert words(desktop) == SECOND
    press(desktop, up)  # from its second line to its first
    assert words(desktop) == SECOND
    press(desktop, up)
    assert words(desktop) == FIRST
    press(desktop, up)
    assert words(desktop) == FIRST
    press(desktop, down)
    assert words(desktop) == SECOND
    press(desktop, down)
    assert words(desktop) == ""
    press(desktop, up, up, up)
    type_in(desktop, " Really")
    press(desktop, up, down)
    assert words(desktop) == f"{FIRST} Really"


def test_commands_for_the_chat_and_the_window(qtbot: QtBot, rig: DesktopRig, desktop: Desktop) -> None:
    def run(name: str) -> None:
        type_in(desktop, f"/{name}")
        press(desktop, Qt.Key.Key_Return)
        assert words(desktop) == ""

    run("rename")
    assert "begins with your first question" in desktop.window.toast.text
    rig.ask(FIRST)
    run("rename")
    editor = desktop.window.sessions.list.findChild(QLineEdit)
    assert editor is not None
    editor.setText("Ferries")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desktop.window.windowTitle() == "Ferries – Footnote", timeout=WAIT)
    run("export")
    qtbot.waitUntil(lambda: desktop.window.findChild(ExportDialog) is not None, timeout=WAIT)
    for dialog in desktop.window.findChildren(ExportDialog):
        dialog.close()
    run("help")
    for shortcuts in desktop.window.findChildren(ShortcutsDialog):
        shortcuts.close()
    run("search")
    assert desktop.window.focusWidget() is desktop.window.sessions.search
    run("delete")
    assert "Deleted “Ferries”" in desktop.window.toast.text
    assert not desktop.sessions.current


def test_a_command_that_there_is_not_is_no_question(qtbot: QtBot, desktop: Desktop) -> None:
    type_in(desktop, "/nonsense")
    press(desktop, Qt.Key.Key_Return)
    assert "no command /nonsense" in desktop.window.toast.text
    assert words(desktop) == "/nonsense"
    assert desktop.messages.rowCount() == 0
    desktop.window.chat.composer.edit.setPlainText("/etc/hosts, what is it for?")
    press(desktop, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not desktop.chat.answering and desktop.messages.rowCount() == 2, timeout=WAIT)


def test_personas_are_taken_on_by_their_names(qtbot: QtBot, desktop: Desktop) -> None:
    qtbot.waitUntil(lambda: len(desktop.composer.templates) >= 8, timeout=WAIT)
    type_in(desktop, "/brief")
    press(desktop, Qt.Key.Key_Return)
    assert words(desktop) == ""
    assert desktop.window.chat.composer.persona_button.text() == "Brief"
    assert desktop.composer.ask_with().options.instructions


def passage(name: str, text: str, ident: str = "") -> SentPassage:
    return SentPassage(ident, 1, Path(name), name, None, 0, len(text), text, 1.0)


def test_the_meter_says_what_the_room_was_used_for_and_what_did_not_fit() -> None:
    sent, question = "a" * 400, "b" * 400
    details = TurnDetails(
        model="lmstudio:tiny",
        room=1_000,
        reserve=500,
        dropped=3,
        summary="What was said.",
        prompt=tuple(
            PromptMessage(role, text)
            for role, text in (("system", "c" * 200), ("user", "d" * 200), ("assistant", "e" * 200), ("user", question))
        ),
        passages=(passage("in.txt", sent[:200], "p1"),),
        near_misses=tuple(NearMiss(passage(f"{n}.txt", "x"), NO_ROOM if n else NOT_IN_IT) for n in range(6)),
    )
    reading = reading_of(details, 2_400)
    assert reading.room == 1_500
    assert reading.history > 0
    assert reading.passages > 0
    assert reading.history + reading.passages + reading.other + reading.reserve + reading.free == reading.room
    assert "kept free for the answer" in reading.words
    assert "3 earlier messages did not fit; notes on them went along." in reading.words
    assert "5 passages did not fit, of 1.txt, 2.txt, 3.txt and 2 other files." in reading.words
    built_in = reading_of(replace(details, model="extractive", near_misses=(), dropped=0), 2_400)
    assert built_in.reserve == 0
    assert "did not fit" not in built_in.words


def test_a_full_context_is_told(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, stub: StubServer, tmp_path: Path
) -> None:
    services = rig.built[-1]
    services.settings.set(LM_STUDIO_URL, f"{stub.url}/v1")
    services.settings.set(CONTEXT_TOKENS, 256)
    desktop.composer.choose_model("lmstudio:tiny")
    times = [
        f"On day {day} of month {month} ferry {day * month} leaves." for day in range(1, 29) for month in (3, 7, 11)
    ]
    (tmp_path / "notes.txt").write_text("\n\n".join(times), encoding="utf-8")
    rig.add(tmp_path / "notes.txt")
    meter = desktop.window.chat.composer.meter
    for _ in range(3):
        stub.reply(chat_stream("It leaves at eight [p1]. " * 12))
        rig.ask(FIRST)
    qtbot.waitUntil(lambda: meter.reading.dropped > 0, timeout=WAIT)
    assert meter.reading.reserve > 0
    assert "notes.txt" in meter.accessibleDescription()
    assert "kept free for the answer" in meter.toolTip()
