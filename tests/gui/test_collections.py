"""Collections in the window: made, renamed, deleted, filled, emptied, shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.gui.desktop import Desktop
from app.gui.dragging import mime_of
from app.gui.models.collection_list_model import CollectionEntry, CollectionListModel
from app.gui.widgets.library_panel import LibraryPanel
from app.gui.widgets.name_dialog import NameDialog
from tests.gui.conftest import WAIT, DesktopRig

TEXTS = {"heron.txt": "Herons nest in the old oak.", "newt.txt": "Newts live in the pond.", "bee.txt": "Bees swarm."}


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def full(rig: DesktopRig, papers: Path) -> Desktop:
    """A window whose library has three documents."""
    desktop = rig.open()
    rig.add(papers)
    return desktop


def panel_of(desktop: Desktop) -> LibraryPanel:
    return desktop.window.right.library


def lines(desktop: Desktop) -> list[tuple[str, int]]:
    model = panel_of(desktop).collections.model
    entries = [model.index(row).data(CollectionListModel.EntryRole) for row in range(model.rowCount())]
    return [(entry.name, entry.documents) for entry in entries]


def names(desktop: Desktop) -> list[str]:
    model = desktop.documents
    return [model.index(row).data() for row in range(model.rowCount())]


def select(desktop: Desktop, *wanted: str) -> None:
    view, model = panel_of(desktop).list, desktop.documents
    view.clearSelection()
    for row in range(model.rowCount()):
        if model.index(row).data() in wanted:
            view.selectionModel().select(model.index(row), view.selectionModel().SelectionFlag.Select)


def action_of(menu: QMenu, *path: str) -> None:
    """Trigger what stands in a menu under these words."""
    for text in path[:-1]:
        inner = next(action for action in menu.actions() if action.text() == text).menu()
        assert isinstance(inner, QMenu)
        menu = inner
    next(action for action in menu.actions() if action.text() == path[-1]).trigger()


def give_name(desktop: Desktop, qtbot: QtBot, name: str) -> NameDialog:
    """Type a name into the dialog that is open, and press Enter."""

    def unanswered() -> list[NameDialog]:
        dialogs = desktop.window.findChildren(NameDialog)
        return [each for each in dialogs if each.isVisible() and not each.problem.isVisible()]

    [dialog] = unanswered()
    dialog.name.clear()
    QTest.keyClicks(dialog.name, name)
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not unanswered(), timeout=WAIT)
    return dialog


def make(desktop: Desktop, qtbot: QtBot, name: str, *documents: str) -> None:
    """Select documents and make a collection of them, by their menu."""
    panel = panel_of(desktop)
    panel.collections.choose(None)
    qtbot.waitUntil(lambda: desktop.documents.members is None, timeout=WAIT)
    if documents:
        select(desktop, *documents)
        action_of(panel.menu_for(panel.selected), "Add to collection", "New collection…")
    else:
        panel.collections.add_button.click()
    give_name(desktop, qtbot, name)
    qtbot.waitUntil(lambda: (name, len(documents)) in lines(desktop), timeout=WAIT)


def offered(desktop: Desktop) -> list[str]:
    """The collections that the composer knows behind its ``#``."""
    return [each.label for each in desktop.composer.scope_suggestions() if each.detail == "Collection"]


def test_a_collection_of_selected_documents_is_made_shown_and_offered_to_questions(full: Desktop, qtbot: QtBot) -> None:
    assert lines(full) == []
    make(full, qtbot, "Pond & co", "newt.txt", "heron.txt")
    assert lines(full) == [("All documents", 3), ("Pond & co", 2)]
    qtbot.waitUntil(lambda: names(full) == ["heron.txt", "newt.txt"], timeout=WAIT)
    qtbot.waitUntil(lambda: offered(full) == ["Pond & co"], timeout=WAIT)
    panel_of(full).collections.choose(None)
    qtbot.waitUntil(lambda: len(names(full)) == 3, timeout=WAIT)


def test_a_name_that_is_taken_is_said_and_what_was_typed_stays(full: Desktop, qtbot: QtBot) -> None:
    make(full, qtbot, "Pond")
    panel_of(full).collections.add_button.click()
    dialog = give_name(full, qtbot, "pond")
    assert "already" in dialog.problem.text()
    assert dialog.name.text() == "pond"
    dialog.reject()
    assert lines(full) == [("All documents", 3), ("Pond", 0)]


def test_a_collection_is_renamed(full: Desktop, qtbot: QtBot) -> None:
    make(full, qtbot, "Pond", "newt.txt")
    panel = panel_of(full)
    action_of(panel.collections.menu_for(_entry(full, 1)), "Rename…")
    give_name(full, qtbot, "Water")
    qtbot.waitUntil(lambda: lines(full) == [("All documents", 3), ("Water", 1)], timeout=WAIT)
    qtbot.waitUntil(lambda: offered(full) == ["Water"], timeout=WAIT)
    qtbot.waitUntil(lambda: names(full) == ["newt.txt"], timeout=WAIT)


def test_deleting_can_be_undone_and_takes_no_document(full: Desktop, qtbot: QtBot) -> None:
    make(full, qtbot, "Pond", "newt.txt")
    collections = panel_of(full).collections
    collections.view.setFocus()
    QTest.keyClick(collections.view, Qt.Key.Key_Delete)
    assert lines(full) == []
    qtbot.waitUntil(lambda: len(names(full)) == 3, timeout=WAIT)
    full.window.toast.action.click()
    qtbot.waitUntil(lambda: lines(full) == [("All documents", 3), ("Pond", 1)], timeout=WAIT)
    full.collections.delete(collections.model.records[0])
    full.window.toast.dismiss()
    qtbot.waitUntil(lambda: offered(full) == [], timeout=WAIT)
    assert lines(full) == []
    assert full.documents.count() == 3


def test_the_name_of_a_deleted_collection_is_free_at_once(full: Desktop, qtbot: QtBot) -> None:
    make(full, qtbot, "Pond", "newt.txt")
    full.collections.delete(panel_of(full).collections.model.records[0])
    make(full, qtbot, "Pond", "bee.txt")
    qtbot.waitUntil(lambda: names(full) == ["bee.txt"], timeout=WAIT)


def test_what_was_deleted_is_gone_after_a_restart(rig: DesktopRig, full: Desktop, qtbot: QtBot) -> None:
    make(full, qtbot, "Pond")
    make(full, qtbot, "Wood")
    full.collections.delete(panel_of(full).collections.model.records[0])
    desktop = rig.restart()
    qtbot.waitUntil(lambda: lines(desktop) == [("All documents", 3), ("Wood", 0)], timeout=WAIT)


def test_documents_are_taken_out_and_put_back(full: Desktop, qtbot: QtBot) -> None:
    make(full, qtbot, "Pond", "newt.txt", "heron.txt")
    qtbot.waitUntil(lambda: len(names(full)) == 2, timeout=WAIT)
    panel = panel_of(full)
    select(full, "heron.txt")
    action_of(panel.menu_for(panel.selected), "Take out of “Pond”")
    qtbot.waitUntil(lambda: names(full) == ["newt.txt"], timeout=WAIT)
    full.window.toast.action.click()
    qtbot.waitUntil(lambda: names(full) == ["heron.txt", "newt.txt"], timeout=WAIT)
    assert full.documents.count() == 3


def test_a_folder_brings_its_new_files_along(full: Desktop, qtbot: QtBot, papers: Path) -> None:
    make(full, qtbot, "Pond")
    panel = panel_of(full)
    qtbot.waitUntil(lambda: len(full.folder_list.entries) == 1, timeout=WAIT)
    action_of(panel.folders.menu_for(full.folder_list.entries[0]), "Add to collection", "Pond")
    qtbot.waitUntil(lambda: len(names(full)) == 3 and full.documents.members is not None, timeout=WAIT)
    assert "New files in it join" in full.window.toast.text
    (papers / "toad.txt").write_text("Toads sing at night.")
    qtbot.waitUntil(lambda: names(full) == ["bee.txt", "heron.txt", "newt.txt", "toad.txt"], timeout=WAIT)


def test_documents_are_dropped_into_a_collection_and_out_of_it(full: Desktop, qtbot: QtBot, papers: Path) -> None:
    make(full, qtbot, "Pond")
    collections = panel_of(full).collections
    drop(collections.view, collections.model.index(1), [papers / "bee.txt", papers / "newt.txt"])
    qtbot.waitUntil(lambda: names(full) == ["bee.txt", "newt.txt"], timeout=WAIT)
    drop(collections.view, collections.model.index(0), [papers / "bee.txt"])
    qtbot.waitUntil(lambda: names(full) == ["newt.txt"], timeout=WAIT)
    assert full.documents.count() == 3


def test_an_empty_collection_says_how_to_fill_it(full: Desktop, qtbot: QtBot) -> None:
    make(full, qtbot, "Pond")
    panel = panel_of(full)
    qtbot.waitUntil(lambda: names(full) == [], timeout=WAIT)
    assert "Drag documents" in panel._empty_words.text()


def test_a_question_is_asked_of_the_collection_alone(rig: DesktopRig, full: Desktop, qtbot: QtBot) -> None:
    make(full, qtbot, "Pond", "newt.txt")
    qtbot.waitUntil(lambda: offered(full) == ["Pond"], timeout=WAIT)
    chip = next(each.value for each in full.composer.scope_suggestions() if each.label == "Pond")
    full.composer.add(chip)
    answer = rig.ask("Where do newts, herons and bees live?")
    assert {citation.path.name for citation in answer.citations} == {"newt.txt"}


def _entry(desktop: Desktop, row: int) -> CollectionEntry:
    entry: CollectionEntry = panel_of(desktop).collections.model.index(row).data(CollectionListModel.EntryRole)
    return entry


def drop(view: object, index: QModelIndex, paths: Sequence[Path]) -> None:
    """Drop paths of the library on a line, as a drag does."""
    from app.gui.widgets.collection_list import CollectionView

    assert isinstance(view, CollectionView)
    data, place = mime_of(paths), view.visualRect(index).center()
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    copy = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(place, copy, data, buttons, keys)
    QApplication.sendEvent(view.viewport(), enter)
    assert enter.isAccepted()
    event = QDropEvent(QPointF(place), copy, data, buttons, keys)
    QApplication.sendEvent(view.viewport(), event)
