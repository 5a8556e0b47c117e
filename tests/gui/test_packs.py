"""Collection packs in the window: written, looked at, mapped to other folders, taken in or refused."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.domain.documents import DocumentState
from app.gui.desktop import Desktop
from app.gui.widgets.pack_import_dialog import PackImportDialog
from app.settings.paths import AppPaths
from tests.gui.conftest import WAIT, DesktopRig
from tests.services.pack_damage import DAMAGES

TEXTS = {"heron.txt": "Herons nest in the old oak.", "newt.txt": "Newts live in the pond.", "bee.txt": "Bees swarm."}


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "old" / "papers"
    folder.mkdir(parents=True)
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def pack(rig: DesktopRig, qtbot: QtBot, papers: Path, tmp_path: Path) -> Path:
    """A pack of everything, two of its documents in a collection, written by the window of another home."""
    desktop = rig.open()
    rig.add(papers)
    services = rig.built[-1]
    services.packs.collections.create("Pond")
    services.packs.collections.add("Pond", [papers / "heron.txt", papers / "newt.txt"])
    file = tmp_path / "all.footnotepack"
    assert export(desktop, qtbot, file).startswith("Written: 3 documents")
    return file


def export(desktop: Desktop, qtbot: QtBot, file: Path, collection: str | None = None) -> str:
    """Export as the menu does, and give what the dialog says at the end."""
    desktop.packs.export(file, collection, desktop.window)
    dialog = desktop.packs.export_dialog
    assert dialog is not None
    qtbot.waitUntil(dialog.outcome.isVisible, timeout=WAIT)
    words = dialog.outcome.text()
    dialog.close_button.click()
    assert desktop.packs.export_dialog is None
    return words


def second_home(rig: DesktopRig, tmp_path: Path) -> Desktop:
    """The window of another home, with an empty library."""
    rig.close()
    home = tmp_path / "second"
    rig.paths = AppPaths(home / "data", home / "config", home / "cache", home / "logs")
    return rig.open()


def looked_at(desktop: Desktop, qtbot: QtBot, file: Path) -> PackImportDialog:
    """The dialog once it says what it would do, or why it won't."""
    desktop.packs.open_pack(file, desktop.window)
    dialog = desktop.packs.import_dialog
    assert dialog is not None
    settle(dialog, qtbot)
    return dialog


def settle(dialog: PackImportDialog, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not dialog.work.isVisible(), timeout=WAIT)


def imported(desktop: Desktop, dialog: PackImportDialog, qtbot: QtBot) -> None:
    dialog.import_button.click()
    qtbot.waitUntil(lambda: desktop.packs.import_dialog is None, timeout=WAIT)


def test_a_pack_is_looked_at_mapped_and_taken_in(
    rig: DesktopRig, qtbot: QtBot, pack: Path, papers: Path, tmp_path: Path
) -> None:
    place = tmp_path / "new"
    desktop = second_home(rig, tmp_path)
    papers.rename(place)
    dialog = looked_at(desktop, qtbot, pack)
    assert dialog.facts.isVisible()
    assert dialog.effect_text == "Of 3 documents: 3 new.\n3 documents without a file on this computer."
    [row] = dialog.rows
    assert (row.root.folder, row.root.documents, row.root.here) == (str(papers), 3, False)
    assert "not on this computer" in row.state.full_text
    assert desktop.documents.count() == 0, "a preview stores nothing"
    desktop.packs.set_place(row.root.folder, place)
    settle(dialog, qtbot)
    assert dialog.effect_text == "Of 3 documents: 3 new."
    assert str(place) in row.state.full_text
    imported(desktop, dialog, qtbot)
    qtbot.waitUntil(lambda: desktop.documents.count(DocumentState.READY) == 3, timeout=WAIT)
    assert {entry.path.parent for entry in desktop.documents.entries} == {place}
    records = desktop.window.right.library.collections.model
    qtbot.waitUntil(lambda: [(each.name, each.documents) for each in records.records] == [("Pond", 2)], timeout=WAIT)
    assert rig.ask("Where do newts live?").citations[0].path == place / "newt.txt"
    again = looked_at(desktop, qtbot, pack)
    desktop.packs.set_place(row_folder(again), place)
    settle(again, qtbot)
    assert again.effect_text == "Of 3 documents: 3 here already."
    imported(desktop, again, qtbot)
    assert desktop.documents.count() == 3


def row_folder(dialog: PackImportDialog) -> str:
    return dialog.rows[0].root.folder


@pytest.mark.parametrize("damage", ["truncated", "wrong checksum", "foreign member", "newer format", "bomb"])
def test_a_pack_that_is_refused_says_why_and_stores_nothing(
    rig: DesktopRig, qtbot: QtBot, pack: Path, tmp_path: Path, damage: str
) -> None:
    spoil, reason = DAMAGES[damage]
    damaged = tmp_path / "damaged.footnotepack"
    spoil(pack, damaged)
    desktop = second_home(rig, tmp_path)
    dialog = looked_at(desktop, qtbot, damaged)
    assert dialog.problem.isVisible()
    assert reason in dialog.problem.text()
    assert not dialog.import_button.isEnabled()
    dialog.cancel_button.click()
    assert desktop.packs.import_dialog is None
    assert desktop.documents.count() == 0


def test_what_is_no_pack_is_refused(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear reader")
    assert "not a whole collection pack" in looked_at(desktop, qtbot, letter).problem.text()


def test_an_import_that_is_stopped_stores_nothing_and_can_be_done_again(
    rig: DesktopRig, qtbot: QtBot, pack: Path, tmp_path: Path
) -> None:
    rig.embedder.model_key = "another-model@1"
    desktop = second_home(rig, tmp_path)
    dialog = looked_at(desktop, qtbot, pack)
    assert "3 passages will be embedded again" in dialog.effect_text
    rig.embedder.gate.clear()
    dialog.import_button.click()
    dialog.work.stop_button.click()
    assert dialog.work.detail.text() == "Stopping…"
    rig.embedder.gate.set()
    qtbot.waitUntil(lambda: "Nothing was stored" in dialog.effect_text, timeout=WAIT)
    settle(dialog, qtbot)
    assert rig.built[-1].library.documents() == []
    imported(desktop, dialog, qtbot)
    qtbot.waitUntil(lambda: desktop.documents.count() == 3, timeout=WAIT)


def test_closing_the_dialog_while_the_pack_is_checked_stores_nothing(
    rig: DesktopRig, qtbot: QtBot, pack: Path, tmp_path: Path
) -> None:
    desktop = second_home(rig, tmp_path)
    desktop.packs.open_pack(pack, desktop.window)
    dialog = desktop.packs.import_dialog
    assert dialog is not None
    dialog.reject()
    qtbot.waitUntil(lambda: not desktop.runner.busy, timeout=WAIT)
    assert desktop.packs.import_dialog is None
    assert desktop.documents.count() == 0
    assert looked_at(desktop, qtbot, pack).effect_text.startswith("Of 3 documents: 3 new.")


def test_a_collection_alone_is_exported(rig: DesktopRig, qtbot: QtBot, pack: Path, tmp_path: Path) -> None:
    desktop = rig.desktop
    assert desktop is not None
    file = tmp_path / "pond.footnotepack"
    assert export(desktop, qtbot, file, "Pond").startswith("Written: 2 documents")
    assert "left out" not in export(desktop, qtbot, file, "Pond")


def test_a_pack_that_can_not_be_written_is_said(rig: DesktopRig, qtbot: QtBot, pack: Path, tmp_path: Path) -> None:
    desktop = rig.desktop
    assert desktop is not None
    words = export(desktop, qtbot, tmp_path / "missing" / "pond.footnotepack")
    assert "can't be written" in words
    assert not (tmp_path / "missing").exists()


def test_an_empty_library_has_nothing_to_export(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "none.footnotepack"
    assert "nothing to export" in export(desktop, qtbot, file)
    assert not file.exists()


def test_an_export_that_is_stopped_leaves_no_file(rig: DesktopRig, qtbot: QtBot, pack: Path, tmp_path: Path) -> None:
    desktop = rig.desktop
    assert desktop is not None
    names = sorted(each.name for each in tmp_path.iterdir())
    workers_are_free = threading.Event()
    for _ in range(16):
        desktop.runner.run(workers_are_free.wait)
    desktop.packs.export(tmp_path / "stopped.footnotepack", None, desktop.window)
    dialog = desktop.packs.export_dialog
    assert dialog is not None
    dialog.work.stop_button.click()
    workers_are_free.set()
    qtbot.waitUntil(dialog.outcome.isVisible, timeout=WAIT)
    assert dialog.outcome.text() == "Stopped. Nothing was written."
    assert sorted(each.name for each in tmp_path.iterdir()) == names
    dialog.close_button.click()
