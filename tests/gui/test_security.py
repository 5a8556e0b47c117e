"""Text from outside stays text, and nothing in the window reaches for the network."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.domain.citations import Citation
from app.domain.documents import DocumentState
from app.domain.turns import MessageStatus, SessionRecord, StoredMessage
from app.gui.desktop import Desktop
from app.gui.models.document_list_model import DocumentEntry
from app.gui.models.message_list_model import MessageEntry
from app.gui.sources import LoadedSource
from app.gui.theme import Appearance
from app.gui.widgets.answer_browser import AnswerBrowser
from app.gui.widgets.basics import plain_tool_tip
from app.gui.widgets.dialogs import CrashDialog, ShortcutsDialog, show_problem
from app.gui.wording import shown
from tests.gui.hostile import MARKUP_NAMES, image_payloads


class Trap(http.server.ThreadingHTTPServer):
    """Writes down every request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hits: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Trap

    def do_GET(self) -> None:
        self.server.hits.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def trap() -> Iterator[Trap]:
    trap = Trap()
    thread = threading.Thread(target=trap.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield trap
    trap.shutdown()
    thread.join()
    trap.server_close()


def test_no_payload_in_an_answer_fetches_anything(qtbot: QtBot, appearance: Appearance, trap: Trap) -> None:
    browser = AnswerBrowser(appearance)
    qtbot.addWidget(browser)
    browser.resize(500, 400)
    browser.show()
    for payload in image_payloads(trap.address):
        browser.show_answer(payload, ())
        browser.height_for(500)
        browser.grab()
        browser.show_answer("", ())
        for character in payload:
            browser.append_text(character, ())
        browser.finish()
        browser.grab()
    qtbot.wait(150)
    assert trap.hits == []


def test_the_trap_itself_works(trap: Trap) -> None:
    import urllib.request

    urllib.request.urlopen(f"{trap.address}/hit", timeout=5).close()
    assert trap.hits == ["/hit"]


def test_local_images_are_not_shown(qtbot: QtBot, appearance: Appearance, tmp_path: Path) -> None:
    picture = QImage(200, 200, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    path = tmp_path / "secret.png"
    assert picture.save(str(path))
    browser = AnswerBrowser(appearance)
    qtbot.addWidget(browser)
    browser.resize(400, 300)
    browser.show_answer(f"![picture]({path.as_uri()}) ![picture]({path})", ())
    browser.show()
    grabbed = browser.grab().toImage()
    red = sum(
        grabbed.pixelColor(x, y) == Qt.GlobalColor.red
        for x in range(0, grabbed.width(), 3)
        for y in range(0, grabbed.height(), 3)
    )
    assert red == 0
    assert browser.document().resource(2, path.as_uri()).size().width() <= 1


def everything(desktop: Desktop) -> list[QWidget]:
    return [each for top in QApplication.topLevelWidgets() for each in (top, *top.findChildren(QWidget))]


def show_hostile(desktop: Desktop, name: str, address: str) -> None:
    """Put a hostile text everywhere where text from outside is shown."""
    window = desktop.window
    path = Path("/tmp") / name.replace("/", "_")
    payload = f'{name} <img src="{address}/x.png">'
    desktop.session_list.set_sessions([SessionRecord("s", payload, 1.0, 1.0)])
    window.chat.title.set_full_text(shown(payload))
    desktop.documents.put(
        [DocumentEntry(path, DocumentState.FAILED, problem=payload), DocumentEntry(path, DocumentState.READY, 1)]
    )
    citation = Citation(1, 1, path, payload, "h", 0, 1, payload, page=2)
    desktop.messages.set_messages(
        [
            StoredMessage(1, "s", "user", payload),
            StoredMessage(2, "s", "assistant", payload + " [1]", citations=(citation,), model=payload),
            StoredMessage(3, "s", "assistant", payload, MessageStatus.FAILED, error=payload),
        ]
    )
    desktop.messages.append(MessageEntry(4, "assistant", payload, MessageStatus.STREAMING))
    source = window.right.source
    source.show_source(LoadedSource(path, quote=payload, notice=payload))
    source.show_footnote(citation, 3)
    window.show_source()
    window.toast.say(payload, "Undo")
    window.chat.invitation.show_failed(payload)
    window.chat.composer.set_scope(payload)
    window.chat.composer.set_text(payload)
    widget = window.chat.messages.widget_at(1)
    assert widget is not None
    widget.footnote_hovered.emit(2, 1, window.rect())


@pytest.mark.parametrize("name", MARKUP_NAMES)
def test_hostile_names_are_plain_text_everywhere(qtbot: QtBot, desktop: Desktop, trap: Trap, name: str) -> None:
    show_hostile(desktop, name, trap.address)
    box = show_problem(name, name, desktop.window)
    dialogs: list[QDialog] = [
        box,
        CrashDialog(desktop.appearance, name, name, desktop.window),
        ShortcutsDialog(desktop.appearance, [(name, name)], desktop.window),
    ]
    qtbot.wait(220)  # the card beside a footnote comes after a moment
    desktop.window.grab()
    labels = [each for each in everything(desktop) if isinstance(each, QLabel)]
    assert len(labels) > 30
    ours = [each for each in labels if each.objectName() not in {"qt_msgbox_label", "qt_msgboxex_icon_label"}]
    assert {each.textFormat() for each in ours} == {Qt.TextFormat.PlainText}
    assert box.textFormat() is Qt.TextFormat.PlainText
    for dialog in dialogs:
        dialog.close()
    assert trap.hits == []


@pytest.mark.parametrize("name", MARKUP_NAMES)
def test_names_lose_what_could_deceive_and_keep_the_rest(name: str) -> None:
    text = shown(name)
    assert text == text.strip()
    assert all(character.isprintable() or character == "\u200d" for character in text)
    assert "\u202e" not in text
    assert [c for c in text if c.isalnum()] == [c for c in name if c.isalnum()]


@pytest.mark.parametrize("name", MARKUP_NAMES)
def test_tool_tips_show_names_as_they_are(qtbot: QtBot, name: str) -> None:
    tip = plain_tool_tip(shown(name))
    label = QLabel()
    qtbot.addWidget(label)
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setText(tip)
    document_text = _rendered(tip)
    assert document_text == shown(name)


def _rendered(html: str) -> str:
    from PySide6.QtGui import QTextDocument

    document = QTextDocument()
    document.setHtml(html)
    return document.toPlainText()
