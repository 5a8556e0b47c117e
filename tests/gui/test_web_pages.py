"""Adding web pages in the window: by dialog, by drop, by paste; fetched on a worker."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.documents import DocumentState
from app.gui.desktop import Desktop
from app.gui.external import page_link
from app.gui.widgets.page_dialog import PageDialog
from app.network.http import HttpFactory
from app.network.page_fetch import PageFetcher
from app.network.page_fetch_address import IPAddress
from tests.gui.conftest import WAIT, DesktopRig
from tests.gui.stand_ins import TestServices, Witness
from tests.network.trap_server import TrapServer, Visit

BODY = b"<title>Pond life</title><main><h1>Pond life</h1><p>The pond skater walks on water.</p></main>"


class WebRig(DesktopRig):
    """A window whose fetcher takes this machine for a public server."""

    def __init__(self, application: QApplication, bot: QtBot, home: Path) -> None:
        super().__init__(application, bot, home)
        self.threads: set[int] = set()

    def build(self) -> Any:
        rig = self

        class OwnServer(TestServices):
            def _make_fetcher(self) -> PageFetcher:
                return PageFetcher(HttpFactory(), resolve=rig.resolve, allowed=lambda address: address.is_loopback)

        self.built.append(OwnServer(self.paths, self.embedder, self.model))
        return Witness(self.built[-1], self.calls)

    async def resolve(self, host: str, port: int) -> Sequence[IPAddress]:
        self.threads.add(threading.get_ident())
        return [ipaddress.ip_address("127.0.0.1")]


@pytest.fixture
def web_rig(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[WebRig]:
    rig = WebRig(qapp, qtbot, tmp_path / "home")
    yield rig
    rig.close()


@pytest.fixture
def server() -> Iterator[TrapServer]:
    def behave(visit: Visit) -> None:
        if visit.header("if-none-match"):
            visit.send(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        else:
            visit.reply(BODY, 'etag: "1"')

    with TrapServer(behave) as running:
        yield running


def until_ready(qtbot: QtBot, desktop: Desktop) -> None:
    qtbot.waitUntil(lambda: desktop.documents.count(DocumentState.READY) == 1, timeout=WAIT)
    qtbot.waitUntil(desktop.window.right.library.card.isHidden, timeout=WAIT)


def test_a_page_is_added_by_its_address(qtbot: QtBot, web_rig: WebRig, server: TrapServer) -> None:
    desktop = web_rig.open()
    QGuiApplication.clipboard().setText("no address")
    desktop.window.right.library.add_page.click()
    dialog = desktop.window.findChild(PageDialog)
    assert isinstance(dialog, PageDialog)
    assert not dialog.add_button.isEnabled()
    dialog.address.setText(server.url("/pond"))
    dialog.add_button.click()
    until_ready(qtbot, desktop)
    assert threading.get_ident() not in web_rig.threads
    [entry] = desktop.documents.entries
    assert entry.id is not None
    desktop.sources.show_document(entry.id, entry.path)
    source = desktop.window.right.source
    qtbot.waitUntil(lambda: source.source is not None, timeout=WAIT)
    assert source.source is not None
    assert source.source.url == server.url("/pond")


def test_a_dropped_link_is_fetched(qtbot: QtBot, web_rig: WebRig, server: TrapServer) -> None:
    desktop = web_rig.open()
    data = QMimeData()
    data.setUrls([QUrl(server.url("/pond"))])
    middle = QPointF(desktop.window.rect().center())
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(middle.toPoint(), copy, data, left, none)
    QApplication.sendEvent(desktop.window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(desktop.window, QDropEvent(middle, copy, data, left, none))
    until_ready(qtbot, desktop)


def test_a_pasted_address_is_fetched_and_read_again_asks_the_server(
    qtbot: QtBot, web_rig: WebRig, server: TrapServer
) -> None:
    desktop = web_rig.open()
    QGuiApplication.clipboard().setText(f" {server.url('/pond')}\n")
    qtbot.keySequence(desktop.window.right.library.list, QKeySequence(QKeySequence.StandardKey.Paste))
    until_ready(qtbot, desktop)
    desktop.window.right.library.retry_wished.emit(list(desktop.documents.entries))
    qtbot.waitUntil(lambda: len(server.visits) == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: "has not changed" in desktop.window.toast.text, timeout=WAIT)


def test_an_address_on_this_computer_is_refused_in_words(qtbot: QtBot, rig: DesktopRig, server: TrapServer) -> None:
    desktop = rig.open()
    desktop.add_pages([f"http://127.0.0.1:{server.port}/"])
    qtbot.waitUntil(lambda: "private network" in desktop.window.toast.text, timeout=WAIT)
    assert server.visits == []
    assert desktop.documents.count() == 0


@pytest.mark.parametrize(
    "text", ["", "pond", "file:///etc/passwd", "javascript:a()", "mailto:a@b.example", "http://a@b/"]
)
def test_only_addresses_of_pages_are_taken_from_drops_and_the_clipboard(text: str) -> None:
    assert page_link(text) == ""
