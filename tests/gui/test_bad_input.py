"""Bad input through the real window: the window stays, says what happened and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.chat_models.providers.openai import LM_STUDIO_URL
from app.domain.turns import MessageStatus
from app.gui.desktop import Desktop
from app.services.chat_service import CHAT_MODEL
from tests.chat_models.stub_replies import Close, Reset, Step, chat_chunk, chat_stream, sse
from tests.chat_models.stub_server import StubServer
from tests.gui.conftest import WAIT, DesktopRig
from tests.gui.hostile import image_payloads
from tests.gui.test_links import UrlCatcher
from tests.gui.test_security import Trap, trap
from tests.gui.test_window import answer_widget, click_footnote

__all__ = ["trap"]  # a fixture of another file

POND = "The pond lies behind the shed. It is two metres deep."
BAD_LINKS = ("javascript:alert(1)", "file:///etc/passwd", "data:text/html,<script>x</script>", "smb://server/share")


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture
def remote(rig: DesktopRig, stub: StubServer, tmp_path: Path) -> Desktop:
    """A window whose chosen model lives on the scripted server, over a library of one file."""
    desktop = rig.open()
    rig.built[-1].settings.set(LM_STUDIO_URL, f"{stub.url}/v1")
    rig.built[-1].settings.set(CHAT_MODEL, "lmstudio:tiny")
    (tmp_path / "pond.txt").write_text(POND, encoding="utf-8")
    rig.add(tmp_path / "pond.txt")
    return desktop


def hostile_page(address: str) -> str:
    """A web page whose every part wants to fetch or run something."""
    return (
        f'<html><head><title>Pond</title><link rel="stylesheet" href="{address}/a.css"><script src="{address}/a.js">'
        f'</script><meta http-equiv="refresh" content="0;url={address}/b"></head><body onload="fetch(\'{address}/c\')">'
        f'<h1>Pond</h1><img src="{address}/d.png"><iframe src="{address}/e"></iframe><p>The pond is deep.</p>'
        f'<a href="javascript:alert(1)">press</a><object data="{address}/f"></object></body></html>'
    )


def test_malicious_answers_and_documents_reach_nothing(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer, tmp_path: Path, trap: Trap
) -> None:
    payloads = image_payloads(trap.address)
    (tmp_path / "page.html").write_text(hostile_page(trap.address), encoding="utf-8")
    (tmp_path / "notes.md").write_text("\n\n".join(["# Notes", *payloads]), encoding="utf-8")
    rig.add(tmp_path / "page.html", tmp_path / "notes.md")
    text = "\n\n".join([*payloads, f"<script>fetch('{trap.address}')</script>", "The end. [p1]"])
    stub.reply(
        sse(chat_chunk(reasoning_content=text)), chat_stream(*(text[at : at + 7] for at in range(0, len(text), 7)))
    )
    entry = rig.ask(f'<img src="{trap.address}/question.png"> {payloads[0]}')
    assert entry.status is MessageStatus.COMPLETE
    assert entry.text.count("leak?secret=42") == text.count("leak?secret=42"), "not a word is lost"
    widget = answer_widget(remote)
    widget.reasoning.unfold()
    remote.window.grab()
    remote.window.chat.why_wished.emit(entry.id)
    qtbot.waitUntil(lambda: remote.window.right.answer.account is not None, timeout=WAIT)
    for name in ("page.html", "notes.md"):
        listed = next(each for each in remote.documents.entries if each.name == name)
        remote.sources.show_document(listed.id or 0, listed.path)
        qtbot.waitUntil(partial(shows, remote, listed.path), timeout=WAIT)
        remote.window.grab()
    again = rig.restart()
    again.sessions.open(again.session_list.records[0].id)
    qtbot.waitUntil(lambda: again.messages.rowCount() == 2, timeout=WAIT)
    again.window.grab()
    qtbot.wait(150)
    assert trap.hits == []


def shows(desktop: Desktop, path: Path) -> bool:
    source = desktop.window.right.source.source
    return source is not None and source.path == path


def test_bad_links_of_an_answer_show_their_target_and_do_not_open(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer
) -> None:
    catcher = UrlCatcher()
    qtbot.addWidget(catcher, before_close_func=lambda each: each.release())
    stub.reply(chat_stream(" ".join(f"[press {n}](<{link}>)" for n, link in enumerate(BAD_LINKS)), " The end."))
    rig.ask("Where is the pond?")
    browser = answer_widget(remote).browser
    targets: list[str] = []
    browser.link_activated.connect(targets.append)
    for number in range(len(BAD_LINKS)):
        browser.anchorClicked.emit(QUrl(f"link:{number}"))
        boxes = [each for each in QApplication.topLevelWidgets() if isinstance(each, QMessageBox) and each.isVisible()]
        for box in boxes:
            assert box.textFormat() is Qt.TextFormat.PlainText
            assert targets[-1][:30] in box.informativeText()
            assert not [each for each in box.findChildren(QPushButton) if each.text().startswith("Open")]
            box.close()
    assert catcher.opened == []
    assert "The end." in browser.toPlainText()


@pytest.mark.parametrize(
    "death",
    [
        (Close(),),
        (Reset(),),
        (b"data: {nothing of use\n\n", Close()),
        (b"data: [1, 2]\n\n",),
        (b"\xff\xfe\x00", Reset()),
    ],
    ids=["closed", "reset", "garbage", "other JSON", "bytes"],
)
def test_a_provider_that_dies_leaves_its_words_and_the_window_goes_on(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer, death: tuple[Step, ...]
) -> None:
    stub.reply(sse(chat_chunk("The pond lies ")), *death)
    stub.reply(chat_stream("Behind the shed. [p1]"))
    entry = rig.ask("Where is the pond?")
    assert entry.status is MessageStatus.FAILED
    assert entry.text.strip() == "The pond lies"
    notice = answer_widget(remote).notice_text
    assert "LM Studio" in notice
    assert "Traceback" not in notice
    buttons = {each.accessibleName(): each for each in answer_widget(remote).notice.findChildren(QPushButton)}
    QTest.mouseClick(buttons["Try again"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: remote.messages.entries[-1].status is MessageStatus.COMPLETE, timeout=WAIT)
    again = rig.restart()
    again.sessions.open(again.session_list.records[0].id)
    qtbot.waitUntil(lambda: again.messages.rowCount() == 2, timeout=WAIT)
    again.chat.show_branch(again.messages.entries[-1].siblings[0])
    qtbot.waitUntil(lambda: again.messages.entries[-1].text.strip() == "The pond lies", timeout=WAIT)


def test_an_answer_of_many_thousand_lines_is_shown_and_copied_whole(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer
) -> None:
    lines = [f"line {number}" for number in range(15_000)]
    text = "```\n" + "\n".join(lines) + "\n```\n"
    stub.reply(chat_stream(*(text[at : at + 20_000] for at in range(0, len(text), 20_000))))
    entry = rig.ask("Count!")
    assert entry.status is MessageStatus.COMPLETE
    assert answer_widget(remote).browser.document().blockCount() >= 15_000
    remote.window.chat.copy_wished.emit(entry.id)
    assert QGuiApplication.clipboard().text().split("\n")[1:-2] == lines


def test_a_moved_file_opens_where_it_is_now(qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer) -> None:
    stub.reply(chat_stream("It is two metres deep. [p1]"))
    rig.ask("How deep is the pond?")
    old = remote.documents.entries[0].path
    new = old.rename(old.with_name("moved pond.txt"))
    click_footnote(remote)
    source = remote.window.right.source
    qtbot.waitUntil(lambda: "not where it was" in source.notice_text, timeout=WAIT)
    assert "two metres" in source.text.marked_text
    assert [button.text().strip() for button in source.notice.buttons] == ["Find the file…"]
    rig.add(new)
    click_footnote(remote)
    qtbot.waitUntil(lambda: source.source is not None and source.source.path == new, timeout=WAIT)
    assert not source.notice_text
    assert "two metres" in source.text.marked_text
    assert source.external_button.isEnabled()
