"""Files that go with a question, in the real window: dropped, pasted, kept in the chat, taken out of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.chips import Chip, ChipKind
from app.gui.desktop import Desktop
from app.gui.models.message_list_model import MessageEntry
from app.gui.widgets.basics import TextButton
from app.gui.widgets.chip_row import ChipWidget
from tests.gui.conftest import WAIT, DesktopRig

LETTER = "The lighthouse keeper is paid forty crowns a month."


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.txt"
    path.write_text(LETTER, encoding="utf-8")
    return path


def drop(desktop: Desktop, data: QMimeData) -> bool:
    """Drag something across the composer and let it go there. Whether it was welcome."""
    target = desktop.window.chat.composer
    middle = target.rect().center()
    keys, button = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(QPoint(middle), Qt.DropAction.CopyAction, data, button, keys)
    QApplication.sendEvent(target, enter)
    if enter.isAccepted():
        QApplication.sendEvent(target, QDropEvent(QPointF(middle), Qt.DropAction.CopyAction, data, button, keys))
    return enter.isAccepted()


def files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(each)) for each in paths])
    return data


def chips(desktop: Desktop, *kinds: ChipKind) -> list[Chip]:
    return [each.chip for each in desktop.window.chat.composer.chips.widgets if each.chip.kind in kinds]


def widget_of(desktop: Desktop, chip: Chip) -> ChipWidget:
    return next(each for each in desktop.window.chat.composer.chips.widgets if each.chip == chip)


def attach(qtbot: QtBot, desktop: Desktop, path: Path) -> Chip:
    assert drop(desktop, files(path))
    qtbot.waitUntil(lambda: bool(chips(desktop, ChipKind.ATTACHMENT)), timeout=WAIT)
    return chips(desktop, ChipKind.ATTACHMENT)[0]


def ask(qtbot: QtBot, desktop: Desktop, question: str) -> MessageEntry:
    """Type a question, send it and wait for the answer."""
    edit, before = desktop.window.chat.composer.edit, desktop.messages.rowCount()
    QTest.keyClicks(edit, question)
    QTest.keyClick(edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desktop.messages.rowCount() == before + 2 and not desktop.chat.answering, timeout=WAIT)
    return desktop.messages.entries[-1]


def test_a_file_stays_in_its_chat_until_it_is_taken_out(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, letter: Path
) -> None:
    attach(qtbot, desktop, letter)
    answer = ask(qtbot, desktop, "What is the lighthouse keeper paid?")
    assert [each.path for each in answer.citations] == [letter]
    first = desktop.sessions.current
    qtbot.waitUntil(lambda: [each.label for each in chips(desktop, ChipKind.KEPT)] == ["letter.txt"], timeout=WAIT)
    assert not chips(desktop, ChipKind.ATTACHMENT)
    desktop.begin_chat()
    assert not chips(desktop, ChipKind.KEPT)
    desktop = rig.restart()
    desktop.sessions.open(first)
    qtbot.waitUntil(lambda: bool(chips(desktop, ChipKind.KEPT)), timeout=WAIT)
    assert ask(qtbot, desktop, "And how many crowns is that?").citations[0].path == letter
    kept = widget_of(desktop, chips(desktop, ChipKind.KEPT)[0])
    QTest.keyClick(kept, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: not chips(desktop, ChipKind.KEPT), timeout=WAIT)
    assert rig.built[-1].attachments.of(first) == []
    assert ask(qtbot, desktop, "What is the lighthouse keeper paid?").citations == ()


def test_a_click_on_a_chip_sends_the_file_to_the_library_instead(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, letter: Path
) -> None:
    chip = attach(qtbot, desktop, letter)
    button = next(each for each in widget_of(desktop, chip).findChildren(TextButton) if each.text() == "this chat")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    (chip,) = chips(desktop, ChipKind.ATTACHMENT)
    assert any(each.text() == "library" for each in widget_of(desktop, chip).findChildren(TextButton))
    ask(qtbot, desktop, "What is the lighthouse keeper paid?")
    qtbot.waitUntil(lambda: [each.path for each in desktop.documents.entries] == [letter], timeout=WAIT)
    assert not chips(desktop, ChipKind.KEPT)


def test_files_that_wait_for_a_question_wait_in_their_chat(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, letter: Path
) -> None:
    ask(qtbot, desktop, "Is there a ferry?")
    first = desktop.sessions.current
    attach(qtbot, desktop, letter)
    desktop.begin_chat()
    assert not chips(desktop, ChipKind.ATTACHMENT)
    desktop.sessions.open(first)
    qtbot.waitUntil(lambda: len(chips(desktop, ChipKind.ATTACHMENT)) == 1, timeout=WAIT)


def test_pictures_and_words_of_other_programs_can_be_dropped(qtbot: QtBot, desktop: Desktop) -> None:
    picture, words, nothing = QMimeData(), QMimeData(), QMimeData()
    image = QImage(30, 20, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.blue)
    picture.setImageData(image)
    picture.setUrls([QUrl("https://example.org/blue.png")])  # as browsers do; nothing is fetched
    words.setText("What does this mean?")
    nothing.setData("application/x-other", b"1")
    assert drop(desktop, picture)
    qtbot.waitUntil(lambda: len(chips(desktop, ChipKind.ATTACHMENT)) == 1, timeout=WAIT)
    assert QImage(str(chips(desktop, ChipKind.ATTACHMENT)[0].value.path)).size() == image.size()
    assert drop(desktop, words)
    qtbot.waitUntil(lambda: desktop.window.chat.composer.edit.toPlainText() == "What does this mean?", timeout=WAIT)
    assert not drop(desktop, nothing)


def test_two_pictures_pasted_in_one_second_are_two_files(qtbot: QtBot, desktop: Desktop) -> None:
    for color in (Qt.GlobalColor.red, Qt.GlobalColor.green):
        image = QImage(8, 8, QImage.Format.Format_RGB32)
        image.fill(color)
        desktop.window.chat.composer.edit.image_pasted.emit(image)
        qtbot.waitUntil(lambda: not desktop.runner.busy, timeout=WAIT)
    paths = {each.value.path for each in chips(desktop, ChipKind.ATTACHMENT)}
    assert len(paths) == 2
    assert len({path.read_bytes() for path in paths}) == 2


def test_a_folder_and_a_page_dropped_on_the_composer_can_join_the_library(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, letter: Path
) -> None:
    assert drop(desktop, files(letter.parent))
    toast = desktop.window.toast
    qtbot.waitUntil(lambda: "can't go with a question" in toast.text, timeout=WAIT)
    toast.action.click()
    qtbot.waitUntil(lambda: letter in [each.path for each in desktop.documents.entries], timeout=WAIT)
    qtbot.waitUntil(lambda: desktop.window.right.library.card.isHidden(), timeout=WAIT)
    asked: list[list[str]] = []
    desktop.window.chat.composer.pages_dropped.disconnect()
    desktop.window.chat.composer.pages_dropped.connect(asked.append)
    page = QMimeData()
    page.setUrls([QUrl("https://example.org/rules.html")])
    assert drop(desktop, page)
    qtbot.waitUntil(lambda: asked == [["https://example.org/rules.html"]], timeout=WAIT)
