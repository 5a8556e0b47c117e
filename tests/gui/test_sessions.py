"""Chats in the real window: ordered, searched, deleted and brought back, exported and imported."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMenu, QMessageBox, QPushButton, QTextEdit
from pytestqt.qtbot import QtBot

from app.chat_models.providers.openai import LM_STUDIO_URL
from app.gui.desktop import Desktop
from app.gui.models.chat_hit_model import ChatHitModel
from app.gui.models.session_list_model import SessionListModel
from app.services.chat_service import CHAT_MODEL
from app.storage.session_store import SessionStore, open_chats
from tests.chat_models.stub_replies import chat_stream
from tests.chat_models.stub_server import StubServer
from tests.gui.conftest import WAIT, DesktopRig
from tests.services.chats_rig import branched, node

FERRY, TOWER = "How often does the ferry run?", "How high is it?"


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture
def chatting(rig: DesktopRig, stub: StubServer, tmp_path: Path) -> Desktop:
    """A window with two chats that a model behind HTTP answered from a file: about the ferry, then the lighthouse."""
    desktop = rig.open()
    rig.built[-1].settings.set(LM_STUDIO_URL, f"{stub.url}/v1")
    rig.built[-1].settings.set(CHAT_MODEL, "lmstudio:tiny")
    (tmp_path / "island.txt").write_text("The ferry runs every hour. The lighthouse is high.", encoding="utf-8")
    rig.add(tmp_path / "island.txt")
    for answer in ("Every hour", "Very high"):
        stub.reply(chat_stream(answer, " [p", "1]."))
    for question in (FERRY, TOWER):
        desktop.begin_chat()
        rig.ask(question)
    return desktop


def lines(desktop: Desktop) -> list[str]:
    """What the list shows; headings in brackets."""
    model = desktop.session_list
    indexes = [model.index(row) for row in range(model.rowCount())]
    return [each.data() if each.data(SessionListModel.IdRole) else f"[{each.data()}]" for each in indexes]


def session(desktop: Desktop, title: str) -> str:
    return next(record.id for record in desktop.session_list.records if record.title == title)


def choose(menu: QMenu, words: str) -> None:
    """Click a line of a menu or of its submenus."""
    for action in menu.actions():
        below = action.menu()
        if isinstance(below, QMenu):
            if any(each.text() == words for each in below.actions()):
                choose(below, words)
                return
        elif action.text() == words:
            action.trigger()
            return
    raise AssertionError(f"no {words} in {[each.text() for each in menu.actions()]}")


def menu_of(desktop: Desktop, title: str) -> QMenu:
    record = desktop.session_list.record(session(desktop, title))
    assert record is not None
    return desktop.session_menus.of_chat(record)


def idle(qtbot: QtBot, desktop: Desktop) -> None:
    qtbot.waitUntil(lambda: not desktop.runner.busy, timeout=WAIT)


def test_chats_are_pinned_filed_tagged_and_put_away(qtbot: QtBot, rig: DesktopRig, chatting: Desktop) -> None:
    assert lines(chatting) == ["[Today]", TOWER, FERRY]
    choose(menu_of(chatting, FERRY), "Pin")
    assert lines(chatting) == ["[Pinned]", FERRY, "[Today]", TOWER]
    chatting.session_menus.ask_for_new_folder(session(chatting, TOWER)).textValueSelected.emit(" Island  walks ")
    chatting.session_menus.ask_for_tags(chatting.session_list.records[0]).textValueSelected.emit("sea, #boats, Sea")
    idle(qtbot, chatting)
    assert lines(chatting) == ["[Pinned]", FERRY, "[Island walks]", TOWER]
    assert "Island walks" in [each.text() for each in menu_of(chatting, FERRY).findChildren(QMenu)[0].actions()]
    chatting.session_menus.ask_for_folder_name("Island walks").textValueSelected.emit("Walks")
    choose(menu_of(chatting, FERRY), "Archive")
    assert lines(chatting) == ["[Walks]", TOWER, "[Archived]"]
    idle(qtbot, chatting)
    chatting = rig.restart()
    assert lines(chatting) == ["[Walks]", TOWER, "[Archived]"]
    archived = chatting.session_list.records[-1]
    assert (archived.title, archived.pinned, archived.tags) == (FERRY, True, ("sea", "boats"))
    choose(menu_of(chatting, FERRY), "Take out of the archive")
    choose(menu_of(chatting, TOWER), "No folder")
    assert lines(chatting) == ["[Pinned]", FERRY, "[Today]", TOWER]


def test_a_folder_is_removed_and_its_chats_stay(qtbot: QtBot, rig: DesktopRig, chatting: Desktop) -> None:
    for title in (FERRY, TOWER):
        chatting.session_actions.move(session(chatting, title), "Walks")
    idle(qtbot, chatting)
    assert lines(chatting) == ["[Walks]", TOWER, FERRY]
    section = chatting.session_list.index(0).data(SessionListModel.SectionRole)
    menu = chatting.session_menus.of_section(section)
    assert menu is not None
    choose(menu, "Remove folder, keep its chats")
    assert lines(chatting) == ["[Today]", TOWER, FERRY]
    idle(qtbot, chatting)
    assert lines(rig.restart()) == ["[Today]", TOWER, FERRY]


def test_headings_fold_by_mouse_and_key_and_stay_folded(qtbot: QtBot, rig: DesktopRig, chatting: Desktop) -> None:
    chatting.session_actions.move(session(chatting, FERRY), "Walks")
    view = chatting.window.sessions.list
    heading = view.visualRect(chatting.session_list.index(0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=heading)
    assert lines(chatting) == ["[Walks]", "[Today]", TOWER]
    view.setCurrentIndex(chatting.session_list.index(0))
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert lines(chatting) == ["[Walks]", FERRY, "[Today]", TOWER]
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=heading)
    idle(qtbot, chatting)
    assert lines(rig.restart()) == ["[Walks]", "[Today]", TOWER]


def test_a_search_jumps_to_the_message_and_marks_it(qtbot: QtBot, chatting: Desktop) -> None:
    panel = chatting.window.sessions
    QTest.keyClicks(panel.search, "HOUR")
    qtbot.waitUntil(lambda: panel.searching and panel.hits.rowCount() == 1, timeout=WAIT)
    assert panel.hits.index(0).data(ChatHitModel.HitRole).excerpt.startswith("Every hour")
    QTest.keyClick(panel.search, Qt.Key.Key_Down)
    QTest.keyClick(panel.hit_list, Qt.Key.Key_Return)
    ferry = session(chatting, FERRY)
    qtbot.waitUntil(lambda: chatting.sessions.current == ferry, timeout=WAIT)

    def marked() -> list[str]:
        widget = chatting.window.chat.messages.widget_at(1)
        texts = widget.findChildren(QTextEdit) if widget is not None else []
        return [mark.cursor.selectedText() for text in texts for mark in text.extraSelections()]

    qtbot.waitUntil(lambda: marked() == ["hour"], timeout=WAIT)
    QTest.keyClick(panel.search, Qt.Key.Key_Escape)
    assert not panel.searching
    assert marked() == []
    chatting.session_actions.tag(ferry, "sea")
    idle(qtbot, chatting)
    panel.search.setText("#sea")
    qtbot.waitUntil(lambda: panel.searching and panel.hits.rowCount() == 1, timeout=WAIT)
    assert panel.hits.index(0).data() == FERRY
    panel.search.setText("nosuchword \" ' * (")
    qtbot.waitUntil(lambda: panel.hits.rowCount() == 0, timeout=WAIT)


def test_a_hit_on_another_branch_shows_that_branch(qtbot: QtBot, rig: DesktopRig, tmp_path: Path) -> None:
    desktop = rig.open()
    (tmp_path / "c.json").write_text(json.dumps([branched()]), encoding="utf-8")
    desktop.transfer.import_file(tmp_path / "c.json")
    qtbot.waitUntil(lambda: "Trip" in lines(desktop), timeout=WAIT)
    panel = desktop.window.sessions
    panel.search.setText("crete")
    qtbot.waitUntil(lambda: panel.searching and panel.hits.rowCount() == 1, timeout=WAIT)
    panel.hit_list.chosen.emit(panel.hits.index(0))
    qtbot.waitUntil(
        lambda: [entry.text for entry in desktop.messages.entries] == ["Where to in May?", "To Crete."], timeout=WAIT
    )


def test_deleting_goes_by_the_trash(qtbot: QtBot, rig: DesktopRig, chatting: Desktop) -> None:
    ferry, tower = session(chatting, FERRY), session(chatting, TOWER)
    chatting.session_actions.delete(tower)
    assert lines(chatting) == ["[Today]", FERRY]
    qtbot.waitUntil(lambda: chatting.sessions.current == ferry, timeout=WAIT)
    chatting.window.toast.action.click()
    qtbot.waitUntil(lambda: chatting.sessions.current == tower, timeout=WAIT)
    assert lines(chatting) == ["[Today]", TOWER, FERRY]
    view = chatting.window.sessions.list
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Delete)
    chatting.session_actions.delete(ferry)
    idle(qtbot, chatting)
    chatting = rig.restart()
    assert lines(chatting) == []
    trash = chatting.open_trash()
    qtbot.waitUntil(lambda: len(trash.model.ids) == 2, timeout=WAIT)
    assert "30 days left" in trash.model.index(0).data()
    trash.list.setCurrentIndex(trash.model.index(trash.model.ids.index(tower)))
    trash.restore_button.click()
    qtbot.waitUntil(lambda: lines(chatting) == ["[Today]", TOWER], timeout=WAIT)
    qtbot.waitUntil(lambda: trash.model.ids == [ferry], timeout=WAIT)
    trash.empty_button.click()
    box = trash.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    next(each for each in box.buttons() if isinstance(each, QPushButton) and each.text() == "Delete").click()
    qtbot.waitUntil(lambda: trash.model.ids == [], timeout=WAIT)
    assert not trash.restore_button.isEnabled()
    trash.close()
    assert rig.built[-1].sessions.trashed() == []


@pytest.mark.parametrize("suffix", ["md", "html", "pdf", "json"])
def test_exporting_with_sources(qtbot: QtBot, chatting: Desktop, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"chat.{suffix}"
    dialog = chatting.ask_to_export(session(chatting, FERRY))
    dialog.choose(suffix)
    wished: list[str] = []
    dialog.export_wished.disconnect()
    dialog.export_wished.connect(wished.append)
    dialog.export_button.click()
    assert wished == [suffix]
    chatting.transfer.export(session(chatting, FERRY), path)
    qtbot.waitUntil(lambda: f"chat.{suffix}" in chatting.window.toast.text, timeout=WAIT)
    if suffix == "pdf":
        from pypdf import PdfReader

        reader = PdfReader(path)
        text = " ".join(reader.pages[0].extract_text().split())
        assert reader.metadata is not None
        assert reader.metadata.title == FERRY
    else:
        text = path.read_text(encoding="utf-8")
    assert "Every hour" in text
    assert "island.txt" in text
    assert not list(tmp_path.glob("*.partial"))


def test_what_cant_be_written_or_read_is_said(qtbot: QtBot, chatting: Desktop, tmp_path: Path) -> None:
    for suffix in ("md", "pdf"):
        chatting.transfer.export(session(chatting, FERRY), tmp_path / "missing" / f"chat.{suffix}")
        box = said(qtbot, chatting)
        assert "can't be written" in box.text()
        box.close()
    (tmp_path / "photo.json").write_bytes(b"\xff\xd8")
    chatting.transfer.import_file(tmp_path / "photo.json")
    box = said(qtbot, chatting)
    assert "Nothing was imported" in box.text()
    box.close()
    assert lines(chatting) == ["[Today]", TOWER, FERRY]


def said(qtbot: QtBot, desktop: Desktop) -> QMessageBox:
    """The message box that comes up."""

    def boxes() -> list[QMessageBox]:
        return [each for each in desktop.window.findChildren(QMessageBox) if each.isVisible()]

    qtbot.waitUntil(lambda: len(boxes()) == 1, timeout=WAIT)
    return boxes()[0]


def test_importing_an_export_and_again(qtbot: QtBot, chatting: Desktop, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("conversations.json", json.dumps([branched()]))
    chatting.transfer.import_file(tmp_path / "export.zip")
    toast = chatting.window.toast
    qtbot.waitUntil(lambda: toast.text == "1 chat: 1 new. Added 6 messages.", timeout=WAIT)
    qtbot.waitUntil(lambda: lines(chatting) == ["[Today]", TOWER, FERRY, "[November 2023]", "Trip"], timeout=WAIT)
    chatting.transfer.import_file(tmp_path / "export.zip")
    qtbot.waitUntil(lambda: toast.text == "1 chat: 1 was here already. Added 0 messages.", timeout=WAIT)
    chatting.sessions.open(session(chatting, "Trip"))
    qtbot.waitUntil(lambda: chatting.messages.rowCount() == 3, timeout=WAIT)
    longer = branched()
    longer["mapping"]["a3"] = node("a3", "q2", "assistant", "For the food.")
    (tmp_path / "longer.json").write_text(json.dumps([longer | {"current_node": "a3"}]), encoding="utf-8")
    chatting.transfer.import_file(tmp_path / "longer.json")
    qtbot.waitUntil(lambda: chatting.messages.entries[-1].text == "For the food.", timeout=WAIT)
    chatting.transfer.export_all(tmp_path / "all.json")
    qtbot.waitUntil(lambda: "Exported 3 chats" in toast.text, timeout=WAIT)
    assert len(json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["chats"]) == 3


def test_duplicating_and_naming(qtbot: QtBot, chatting: Desktop) -> None:
    choose(menu_of(chatting, FERRY), "Duplicate")
    copy = f"{FERRY} (copy)"
    qtbot.waitUntil(lambda: copy in lines(chatting), timeout=WAIT)
    qtbot.waitUntil(lambda: chatting.sessions.current == session(chatting, copy), timeout=WAIT)
    assert chatting.messages.entries[0].text == FERRY
    model = chatting.session_list
    row = model.row_of(session(chatting, copy))
    assert row is not None
    assert model.setData(model.index(row), "Ferries")
    assert chatting.window.windowTitle() == "Ferries – Footnote"
    choose(menu_of(chatting, "Ferries"), "Name after the question")
    qtbot.waitUntil(lambda: chatting.window.windowTitle() == f"{FERRY} – Footnote", timeout=WAIT)


def test_a_damaged_chat_opens_and_says_so(qtbot: QtBot, rig: DesktopRig, chatting: Desktop) -> None:
    ferry = session(chatting, FERRY)
    rig.close()
    database = open_chats(rig.paths.chats_db)
    store = SessionStore(database)
    question, answer = store.messages(ferry)
    with database.write() as connection:
        connection.execute("UPDATE messages SET sentences = '{', status = 'eaten' WHERE id = ?", (answer.id,))
        connection.execute("UPDATE messages SET role = 'wizard', timings = '[' WHERE id = ?", (question.id,))
        connection.execute("UPDATE sessions SET choices = 'x', tags = '{' WHERE id = ?", (ferry,))
    database.close()
    desktop = rig.open()
    desktop.sessions.open(ferry)
    qtbot.waitUntil(lambda: desktop.sessions.current == ferry, timeout=WAIT)
    qtbot.waitUntil(lambda: desktop.messages.rowCount() == 2, timeout=WAIT)
    assert [entry.text for entry in desktop.messages.entries] == [question.text, answer.text]
    damage = "It could not be read how this message ended. It could not be read which sentence rests on which footnote."
    assert damage in " ".join(shown_words(desktop, 1))


def shown_words(desktop: Desktop, row: int) -> list[str]:
    """The labels of a message on the screen."""
    widget = desktop.window.chat.messages.widget_at(row)
    assert widget is not None
    return [label.text() for label in widget.findChildren(QLabel) if not label.isHidden()]


def test_keys_in_the_list_go_from_chat_to_chat_and_letters_to_the_question(qtbot: QtBot, chatting: Desktop) -> None:
    tower, ferry = session(chatting, TOWER), session(chatting, FERRY)
    chatting.session_actions.pin(ferry, True)
    idle(qtbot, chatting)
    view = chatting.window.sessions.list
    chatting.window.activateWindow()
    view.setFocus()
    assert chatting.sessions.current == tower
    QTest.keyClick(view, Qt.Key.Key_Up)  # over the heading of the day
    qtbot.waitUntil(lambda: chatting.sessions.current == ferry, timeout=WAIT)
    QTest.keyClicks(view, "T")
    edit = chatting.window.chat.composer.edit
    assert edit.toPlainText() == "T"
    assert chatting.window.focusWidget() is edit
    assert chatting.sessions.current == ferry
    assert view.currentIndex().data() == FERRY


def test_a_line_asks_for_its_menu(qtbot: QtBot, chatting: Desktop) -> None:
    panel = chatting.window.sessions
    panel.menu_wished.disconnect()
    asked: list[str] = []
    panel.menu_wished.connect(lambda index, _place: asked.append(index.data()))
    for row in range(2):
        panel.list.customContextMenuRequested.emit(panel.list.visualRect(chatting.session_list.index(row)).center())
    panel.list.customContextMenuRequested.emit(QPoint(5, panel.list.viewport().height() - 3))
    assert asked == ["Today", TOWER]
    assert menu_of(chatting, TOWER).actions()[0].text() == "Rename"
