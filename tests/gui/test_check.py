"""The check of the library in the window, and its repair."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.domain.documents import DocumentState
from app.gui.desktop import Desktop
from app.gui.widgets.check_dialog import CheckDialog
from tests.gui.conftest import WAIT, DesktopRig


@pytest.fixture
def full(rig: DesktopRig, tmp_path: Path) -> Desktop:
    file = tmp_path / "heron.txt"
    file.write_text("Herons nest in the old oak.\n\nNewts live in the pond.")
    desktop = rig.open()
    rig.add(file)
    return desktop


def opened(desktop: Desktop, qtbot: QtBot) -> CheckDialog:
    desktop.window.right.library.check_wished.emit()
    dialog = desktop.check.dialog
    assert dialog is not None
    settle(dialog, qtbot)
    return dialog


def settle(dialog: CheckDialog, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: dialog.outcome.isVisible() and not dialog.work.isVisible(), timeout=WAIT)


def test_a_sound_library_is_in_order(full: Desktop, qtbot: QtBot) -> None:
    dialog = opened(full, qtbot)
    assert dialog.outcome.text() == "Everything is in order"
    assert "Looked at 1 document, 1 passage, 1 vector in" in dialog.advice.text()
    assert dialog.repair_button.isHidden()


def test_damage_is_listed_and_repaired_and_the_window_goes_on(rig: DesktopRig, full: Desktop, qtbot: QtBot) -> None:
    answer = rig.ask("Where do herons nest?")
    rig.close()
    with closing(sqlite3.connect(rig.paths.library_db)) as connection, connection:
        connection.execute("UPDATE chunks SET text = replace(text, 'oak', 'elm')")
    desktop = rig.open()
    dialog = opened(desktop, qtbot)
    assert "problem" in dialog.outcome.text()
    assert len(dialog.lines) > 1
    assert dialog.repair_button.isVisible()
    dialog.repair_button.click()
    settle(dialog, qtbot)
    assert dialog.outcome.text() == "Repaired."
    assert any("read again from the file" in line for line in dialog.lines)
    qtbot.waitUntil(lambda: desktop.library.loaded and desktop.window.right.library.card.isHidden(), timeout=WAIT)
    services = rig.built[-1]
    qtbot.waitUntil(lambda: services.library.documents()[0].state is DocumentState.READY, timeout=WAIT)
    dialog.again_button.click()
    settle(dialog, qtbot)
    assert dialog.outcome.text().startswith("Everything is in order")
    dialog.reject()
    assert "old oak" in rig.ask("Where do herons nest?").citations[0].quote
    assert answer.text in [each.text for each in desktop.messages.entries], "the chat is as it was"


def test_the_check_can_be_stopped_and_begun_again(full: Desktop, qtbot: QtBot) -> None:
    full.window.right.library.check_wished.emit()
    dialog = full.check.dialog
    assert dialog is not None
    dialog.work.stop_button.click()
    settle(dialog, qtbot)
    assert dialog.outcome.text().startswith("Stopped")
    dialog.again_button.click()
    settle(dialog, qtbot)
    assert dialog.outcome.text().startswith("Everything is in order")


def test_a_database_with_damaged_pages_is_left_to_the_command(rig: DesktopRig, full: Desktop, qtbot: QtBot) -> None:
    rig.close()
    with closing(sqlite3.connect(rig.paths.library_db)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'sections_confidence'")
        [(size,)] = connection.execute("PRAGMA page_size")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with rig.paths.library_db.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    desktop = rig.open()
    dialog = opened(desktop, qtbot)
    assert "footnote doctor --repair" in dialog.advice.text(), dialog.lines
    assert dialog.repair_button.isHidden()
