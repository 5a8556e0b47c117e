"""Followed folders in the window: shown with their state, kept up with, asked about when they are large."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.domain.documents import DocumentState
from app.domain.folders import FolderState
from app.gui.controllers.library_controller import ASK_ABOVE_FILES
from app.gui.models.folder_list_model import FolderListModel
from tests.gui.conftest import WAIT, DesktopRig


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "heron.txt").write_text("Herons nest in the old oak by the weir.")
    return folder


def test_an_added_folder_is_shown_and_kept_up_with(qtbot: QtBot, rig: DesktopRig, papers: Path) -> None:
    desktop = rig.open()
    panel = desktop.window.right.library
    assert panel.folders.isHidden()
    rig.add(papers)
    qtbot.waitUntil(lambda: [entry.path for entry in desktop.folder_list.entries] == [papers], timeout=WAIT)
    assert not panel.folders.isHidden()
    (papers / "newt.txt").write_text("Newts live in the pond.")
    qtbot.waitUntil(lambda: desktop.documents.count(DocumentState.READY) == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: "2 documents" in desktop.folder_list.entries[0].status_line, timeout=WAIT)
    (papers / "newt.txt").unlink()
    qtbot.waitUntil(lambda: desktop.documents.count() == 1, timeout=WAIT)
    assert (papers / "heron.txt").exists()


def test_a_folder_that_went_away_says_so_and_comes_back(qtbot: QtBot, rig: DesktopRig, papers: Path) -> None:
    desktop = rig.open()
    rig.add(papers)
    papers.rename(papers.parent / "away")
    qtbot.waitUntil(lambda: desktop.documents.count(DocumentState.OFFLINE) == 1, timeout=WAIT)
    qtbot.waitUntil(lambda: desktop.folder_list.entries[0].needs_attention, timeout=WAIT)
    index = desktop.folder_list.index(0)
    assert "Connect its drive" in index.data(Qt.ItemDataRole.AccessibleTextRole)
    (papers.parent / "away").rename(papers)
    qtbot.waitUntil(lambda: desktop.documents.count(DocumentState.READY) == 1, timeout=WAIT)
    qtbot.waitUntil(lambda: desktop.folder_list.entries[0].status.state is FolderState.LIVE, timeout=WAIT)


def test_a_folder_can_be_removed_and_looked_through_by_its_menu(qtbot: QtBot, rig: DesktopRig, papers: Path) -> None:
    desktop = rig.open()
    rig.add(papers)
    qtbot.waitUntil(lambda: len(desktop.folder_list.entries) == 1, timeout=WAIT)
    folders = desktop.window.right.library.folders
    actions = {action.text(): action for action in folders.menu_for(desktop.folder_list.entries[0]).actions()}
    assert list(actions) == ["Rescan", "Show in folder", "Remove from library", "", "Add to collection"]
    actions["Rescan"].trigger()
    qtbot.waitUntil(lambda: "looked through" in desktop.window.toast.text, timeout=WAIT)
    actions["Remove from library"].trigger()
    qtbot.waitUntil(lambda: desktop.documents.count() == 0 and not desktop.folder_list.entries, timeout=WAIT)
    assert (papers / "heron.txt").exists()
    assert folders.isHidden()


def test_a_document_removed_from_a_followed_folder_stays_out_until_it_is_added(
    qtbot: QtBot, rig: DesktopRig, papers: Path
) -> None:
    desktop = rig.open()
    rig.add(papers)
    qtbot.waitUntil(lambda: len(desktop.folder_list.entries) == 1, timeout=WAIT)
    desktop.library.remove(desktop.documents.entries)
    qtbot.waitUntil(lambda: desktop.documents.count() == 0, timeout=WAIT)
    desktop.folders.rescan(desktop.folder_list.entries[0])
    qtbot.waitUntil(lambda: "looked through" in desktop.window.toast.text, timeout=WAIT)
    desktop = rig.restart()
    assert desktop.documents.count() == 0
    rig.add(papers / "heron.txt")
    assert desktop.documents.count(DocumentState.READY) == 1


def test_many_files_are_asked_about_first(qtbot: QtBot, rig: DesktopRig, papers: Path) -> None:
    for number in range(ASK_ABOVE_FILES):
        os.link(papers / "heron.txt", papers / f"{number}.txt")
    desktop = rig.open()
    desktop.add_paths([papers])
    qtbot.waitUntil(lambda: bool(desktop.window.findChildren(QMessageBox)), timeout=WAIT)
    [box] = desktop.window.findChildren(QMessageBox)
    assert "Add 2,001 files" in box.text()
    box.button(QMessageBox.StandardButton.Cancel).click()
    qtbot.waitUntil(lambda: desktop.window.right.library.card.isHidden(), timeout=WAIT)
    assert desktop.documents.count() == 0
    assert desktop.folder_list.rowCount() == 0


def test_an_empty_list_of_folders_has_no_rows() -> None:
    model = FolderListModel()
    model.set_statuses([])
    assert model.rowCount() == 0
    assert model.data(model.index(0)) is None
