"""The switcher of profiles in the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.gui.desktop import Desktop
from app.gui.widgets.profiles_dialog import ProfilesDialog
from app.settings.profiles import Profiles
from app.storage.library_lock import LibraryLock
from tests.gui.conftest import DesktopRig

WAIT = 10_000


def open_dialog(desktop: Desktop, qtbot: QtBot) -> ProfilesDialog:
    """Open it as the user does, through the menu of tools."""
    menu = desktop.window.sessions.tools_button.menu()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text() == "Profiles…").trigger()
    dialog = desktop.profiles.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.list.count() > 0, timeout=WAIT)
    return dialog


def rows(dialog: ProfilesDialog) -> list[str]:
    return [dialog.list.item(row).text() for row in range(dialog.list.count())]


def create(dialog: ProfilesDialog, qtbot: QtBot, name: str) -> None:
    before = dialog.list.count()
    dialog.name.setFocus()
    QTest.keyClicks(dialog.name, name)
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.list.count() > before or dialog.problem.isVisible(), timeout=WAIT)


def test_a_profile_is_made_chosen_and_switched_to(desktop: Desktop, qtbot: QtBot) -> None:
    started: list[str] = []

    def start(name: str) -> bool:
        started.append(name)
        return True

    desktop.profiles.start = start
    dialog = open_dialog(desktop, qtbot)
    assert rows(dialog) == ["default  ·  this window"]
    assert not dialog.switch_button.isEnabled()
    create(dialog, qtbot, "Work")
    assert rows(dialog) == ["default  ·  this window", "Work"]
    assert dialog.list.currentRow() == 1
    assert dialog.name.text() == ""
    dialog.switch_button.click()
    qtbot.waitUntil(lambda: not desktop.window.isVisible(), timeout=WAIT)
    assert started == ["Work"]


def test_what_can_not_be_is_said_in_the_dialog(desktop: Desktop, rig: DesktopRig, qtbot: QtBot) -> None:
    work = Profiles(rig.paths).create("Work").paths
    work.create()
    dialog = open_dialog(desktop, qtbot)
    create(dialog, qtbot, "work")
    assert "already" in dialog.problem.text()
    assert dialog.name.text() == "work"  # what was typed stays
    with LibraryLock(work.library_lock):
        dialog.list.setCurrentRow(1)
        dialog.switch_button.click()
        qtbot.waitUntil(lambda: "is open in another Footnote" in dialog.problem.text(), timeout=WAIT)
    desktop.profiles.start = lambda name: False
    dialog.switch_button.click()
    qtbot.waitUntil(lambda: "footnote --profile" in dialog.problem.text(), timeout=WAIT)
    assert desktop.window.isVisible()


def test_the_window_of_a_profile_says_its_name_and_has_its_own_chats(rig: DesktopRig, qtbot: QtBot) -> None:
    desktop = rig.open()
    assert desktop.window.sessions.heading.text() == "Footnote"
    rig.close()
    rig.paths = Profiles(rig.paths).create("Work").paths
    desktop = rig.open()
    qtbot.waitUntil(lambda: desktop.window.sessions.heading.text() == "Footnote · Work", timeout=WAIT)
    dialog = open_dialog(desktop, qtbot)
    assert rows(dialog) == ["default", "Work  ·  this window"]
    assert rig.paths.chats_db.is_file()


def test_the_program_is_started_with_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    from app.gui.relaunch import start_footnote

    told = tmp_path / "told"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$FOOTNOTE_PROFILE|$*" > {told}.partial\nmv {told}.partial {told}\n')
    program.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(program))
    assert start_footnote("Büro 2")
    qtbot.waitUntil(told.exists, timeout=WAIT)
    assert told.read_text(encoding="utf-8") == "Büro 2|-m app\n"
    monkeypatch.setattr("sys.executable", str(tmp_path / "nothing"))
    assert not start_footnote("Work")
