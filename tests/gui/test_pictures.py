"""Pictures in the real window: those that a model draws, and those that go with a question."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from pypdf import PdfReader
from PySide6.QtCore import QBuffer, QIODevice, Qt, QUrl
from PySide6.QtGui import QColor, QImage, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.turns import MessageStatus
from app.gui.chat_pdf import print_pdf
from app.gui.chips import attachments_of
from app.gui.desktop import Desktop
from app.gui.pictures import picture_from, picture_in
from app.gui.widgets.attached_strip import PictureButton
from app.gui.widgets.question_widget import QuestionWidget
from app.services.session_files import ExportFormat
from tests.chat_models.stub_replies import chat_chunk, chat_stream, sse
from tests.chat_models.stub_server import StubServer
from tests.gui.conftest import WAIT, DesktopRig
from tests.gui.test_window import answer_widget

RED = QColor(220, 30, 40)


def png(width: int = 60, height: int = 40) -> bytes:
    picture = QImage(width, height, QImage.Format.Format_RGB32)
    picture.fill(RED)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert picture.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs know paths only
    return bytes(buffer.data().data())


def drawn(data: bytes) -> bytes:
    """A chunk that brings a picture, as OpenRouter sends it."""
    address = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return sse(chat_chunk(images=[{"type": "image_url", "image_url": {"url": address}}]))


@pytest.fixture
def remote(rig: DesktopRig, stub: StubServer, tmp_path: Path) -> Desktop:
    """A window whose chosen model lives on the scripted server, over a library of one file."""
    desktop = rig.open_remote(stub)
    (tmp_path / "pond.txt").write_text("The pond lies behind the shed.", encoding="utf-8")
    rig.add(tmp_path / "pond.txt")
    return desktop


def pictures_shown(desktop: Desktop) -> list[QImage]:
    """The pictures that are set in the last answer."""
    document = answer_widget(desktop).browser.document()
    kind = QTextDocument.ResourceType.ImageResource.value
    found = []
    block = document.begin()
    while block.isValid():
        place = block.begin()
        while not place.atEnd():
            form = place.fragment().charFormat()
            place += 1
            if form.isImageFormat():
                found.append(QImage(document.resource(kind, QUrl(form.toImageFormat().name()))))
        block = block.next()
    return found


def test_a_drawn_picture_is_shown_kept_and_left_out_of_what_is_sent(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer
) -> None:
    data = png()
    stub.reply(sse(chat_chunk("This is the pond. [p1]")), drawn(data), chat_stream("It lies behind the shed. [p1]"))
    stub.reply(chat_stream("Behind the shed. [p1]"))
    entry = rig.ask("Draw the pond")
    assert entry.status is MessageStatus.COMPLETE
    (picture,) = pictures_shown(remote)
    assert picture.pixelColor(5, 5) == RED
    assert "behind the shed" in answer_widget(remote).browser.toPlainText()
    assert [sentence.text.split(" [")[0] for sentence in entry.sentences] == [
        "This is the pond.",
        "It lies behind the shed.",
    ]
    rig.ask("Where does it lie?")
    told = str(stub.bodies[1:])
    assert "(Picture)" in told
    assert base64.b64encode(data).decode()[:40] not in told
    again = rig.restart()
    again.sessions.open(again.session_list.records[0].id)
    qtbot.waitUntil(lambda: again.messages.rowCount() == 4, timeout=WAIT)
    assert base64.b64encode(data).decode() in again.messages.entries[1].text
    assert not rig.built[-1].sessions.search("iVBORw0KGgo"), "bytes of pictures are no words"


def test_a_drawing_that_calls_itself_a_photograph_is_not_read(qapp: QApplication, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    link = f'<image href="{(tmp_path / "secret.png").as_uri()}" width="50" height="50"/>'
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60">{link}</svg>'.encode()
    assert picture_in(png()) is not None
    assert picture_in(drawing) is None
    assert picture_from(f"data:image/png;base64,{base64.b64encode(drawing).decode()}") is None


def test_a_damaged_picture_is_told_and_the_answer_goes_on(rig: DesktopRig, remote: Desktop, stub: StubServer) -> None:
    damaged = sse(chat_chunk(images=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,%%"}}]))
    stub.reply(sse(chat_chunk("Look. ")), damaged, chat_stream("That was it."))
    entry = rig.ask("Draw the pond")
    assert entry.status is MessageStatus.COMPLETE
    shown = answer_widget(remote).browser.toPlainText()
    assert "can't be shown" in shown
    assert "That was it." in shown


def test_drawn_pictures_are_exported(rig: DesktopRig, remote: Desktop, stub: StubServer, tmp_path: Path) -> None:
    stub.reply(sse(chat_chunk("The pond. [p1]")), drawn(png(1800, 90)), chat_stream("The end. <img src=x>"))
    rig.ask("Draw the pond")
    services, chat = rig.built[-1], remote.sessions.current
    page = tmp_path / "chat.html"
    services.sessions.exports.to_file(chat, page, ExportFormat.HTML)
    html = page.read_text(encoding="utf-8")
    assert html.count("<img ") == 1
    assert '<img src="data:image/png;base64,' in html
    assert "img-src data:" in html
    title, pieces = services.sessions.exports.pieces(chat)
    print_pdf(title, pieces, tmp_path / "chat.pdf")
    (image,) = [each.image for sheet in PdfReader(tmp_path / "chat.pdf").pages for each in sheet.images if each.image]
    assert image.size[0] <= 620, "wider than the page"
    assert image.convert("RGB").getpixel((5, 5)) == (RED.red(), RED.green(), RED.blue())


def test_a_wide_picture_fits_into_a_narrow_column(rig: DesktopRig, remote: Desktop, stub: StubServer) -> None:
    remote.window.resize(900, 700)
    stub.reply(drawn(png(2400, 300)), chat_stream("That was it."))
    rig.ask("Draw the pond")
    browser = answer_widget(remote).browser
    layout = browser.document().documentLayout()
    block = browser.document().begin()
    assert 100 < layout.blockBoundingRect(block).width() <= browser.viewport().width()
    assert layout.blockBoundingRect(block).height() < 150, "there is a gap below it"
    assert browser.document().idealWidth() <= browser.viewport().width()


def attach(qtbot: QtBot, desktop: Desktop, paths: list[Path]) -> None:
    desktop.window.chat.composer.edit.paths_pasted.emit(paths)
    qtbot.waitUntil(lambda: len(attachments_of(desktop.composer.chips)) == len(paths), timeout=WAIT)


def question_widget(desktop: Desktop) -> QuestionWidget:
    widget = desktop.window.chat.messages.widget_at(desktop.messages.rowCount() - 2)
    assert isinstance(widget, QuestionWidget)
    return widget


def shows_red(desktop: Desktop) -> bool:
    button = question_widget(desktop).attached.buttons[0]
    return isinstance(button, PictureButton) and button.grab().toImage().pixelColor(20, 20) == RED


def test_files_of_a_question_stand_above_it_and_open(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer, tmp_path: Path
) -> None:
    (tmp_path / "pond.png").write_bytes(png(900, 600))
    (tmp_path / "notes.txt").write_text("The pond is two metres deep.", encoding="utf-8")
    attach(qtbot, remote, [tmp_path / "pond.png", tmp_path / "notes.txt"])
    gate = stub.gate()
    stub.reply(sse(chat_chunk("It is ")), gate, chat_stream("deep. [p1]"))
    remote.ask("How deep is it?")
    qtbot.waitUntil(lambda: remote.messages.rowCount() == 2 and shows_red(remote), timeout=WAIT)
    gate.open()
    qtbot.waitUntil(lambda: not remote.chat.answering, timeout=WAIT)
    (tmp_path / "pond.png").unlink()
    again = rig.restart()
    again.sessions.open(again.session_list.records[0].id)
    qtbot.waitUntil(lambda: again.messages.rowCount() == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: len(question_widget(again).attached.buttons) == 2 and shows_red(again), timeout=WAIT)
    strip = question_widget(again).attached
    assert strip.isVisible()
    assert strip.geometry().bottom() < question_widget(again).bubble.geometry().top()
    QTest.mouseClick(strip.buttons[1], Qt.MouseButton.LeftButton)
    source = again.window.right.source
    qtbot.waitUntil(lambda: source.source is not None, timeout=WAIT)
    assert "two metres deep" in source.text.toPlainText()
