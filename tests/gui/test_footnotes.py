"""Footnotes, the viewer and the account of an answer in the real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from pypdf import PdfReader, PdfWriter
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.chat_models.providers.openai import LM_STUDIO_URL
from app.domain.citations import Support
from app.gui.desktop import Desktop
from app.gui.widgets.basics import ElidedLabel
from app.services.chat_service import CHAT_MODEL, CONTEXT_TOKENS
from tests.chat_models.stub_replies import Delay, chat_chunk, chat_stream, sse
from tests.chat_models.stub_server import StubServer
from tests.gui.conftest import WAIT, DesktopRig
from tests.gui.test_links import UrlCatcher
from tests.gui.test_window import answer_widget
from tests.loaders.pdf_writer import Page, Run, pdf_bytes


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture
def remote(rig: DesktopRig, stub: StubServer, tmp_path: Path) -> Desktop:
    """A window whose chosen model lives on the scripted server, over a PDF of two pages."""
    desktop = rig.open()
    rig.built[-1].settings.set(LM_STUDIO_URL, f"{stub.url}/v1")
    rig.built[-1].settings.set(CHAT_MODEL, "lmstudio:tiny")
    pages = [Page([Run(60, 700, "Cover.")]), Page([Run(60, 700, "The lighthouse is forty metres high.")])]
    (tmp_path / "light.pdf").write_bytes(pdf_bytes(pages))
    rig.add(tmp_path / "light.pdf")
    return desktop


def words_on(widget: object) -> str:
    return "\n".join(each.text() for each in widget.findChildren(QLabel))  # type: ignore[attr-defined]  # any widget


def test_the_pointer_on_a_marker_brings_quote_file_page_and_score(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer
) -> None:
    stub.reply(chat_stream("It is forty metres high. [p1]"))
    rig.ask("How high is the lighthouse?")
    remote.window.chat.messages.arrange()
    browser = answer_widget(remote).browser
    marker = browser.chip_rectangle(browser.chips[0]).center().toPoint()
    QTest.mouseMove(browser.viewport(), marker)
    chat = remote.window.chat
    qtbot.waitUntil(lambda: chat.card is not None and chat.card.isVisible(), timeout=WAIT)
    assert chat.card is not None
    shown = words_on(chat.card)
    for words in ("light.pdf", "page 2", "“The lighthouse is forty metres high.”", "Score 0.", "Click to open"):
        assert words in shown
    assert remote.window.rect().contains(chat.card.geometry())
    QTest.mouseMove(browser.viewport(), browser.viewport().rect().bottomRight())
    qtbot.waitUntil(lambda: chat.card is not None and not chat.card.isVisible(), timeout=WAIT)


def test_the_file_on_show_opens_elsewhere_and_in_its_folder(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer, tmp_path: Path
) -> None:
    catcher = UrlCatcher()
    qtbot.addWidget(catcher, before_close_func=lambda each: each.release())
    stub.reply(chat_stream("It is forty metres high. [p1]"))
    entry = rig.ask("How high is the lighthouse?")
    remote.open_footnote(entry.id, 1)
    source = remote.window.right.source
    qtbot.waitUntil(lambda: source.source is not None and source.pdf.page == 2, timeout=WAIT)
    QTest.mouseClick(source.external_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: catcher.opened == [(tmp_path / "light.pdf").as_uri()], timeout=WAIT)
    QTest.mouseClick(source.reveal_button, Qt.MouseButton.LeftButton)
    assert catcher.opened[1:] == [tmp_path.as_uri()]


def test_model_times_tokens_and_cost_stand_below_an_answer(
    qtbot: QtBot, rig: DesktopRig, stub: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{stub.url}/v1")
    desktop = rig.open()
    rig.built[-1].settings.set(CHAT_MODEL, "openai:gpt-4o")
    (tmp_path / "light.txt").write_text("The lighthouse is forty metres high.", encoding="utf-8")
    rig.add(tmp_path / "light.txt")
    usage = {"prompt_tokens": 2_000, "completion_tokens": 500, "total_tokens": 2_500}
    stub.reply(
        sse(chat_chunk("It is ")), Delay(0.1), sse(chat_chunk("forty metres high. [p1]")),
        sse({**chat_chunk(finish_reason="stop"), "usage": usage}, done=True),
    )  # fmt: skip
    entry = rig.ask("How high is the lighthouse?")
    qtbot.waitUntil(lambda: entry.facts is not None and entry.facts.cost is not None, timeout=WAIT)
    buttons = answer_widget(desktop).footer.buttons
    line = next(each.full_text for each in buttons.findChildren(ElidedLabel) if "gpt-4o" in each.full_text)
    for words in ("first word", "tokens/s", "500 tokens", "$0.010"):
        assert words in line


def test_what_had_no_room_is_listed_with_the_reason(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer, tmp_path: Path
) -> None:
    for number in range(12):
        words = f"Lighthouse {number} is {number + 20} metres high and was built of granite by the sea. "
        (tmp_path / f"tower {number}.txt").write_text(words * 3, encoding="utf-8")
    (tmp_path / "locked.pdf").write_bytes(b"%PDF-1.7 and then nothing of use")
    rig.add(*tmp_path.glob("tower*.txt"), tmp_path / "locked.pdf")
    rig.built[-1].settings.set(CONTEXT_TOKENS, 400)
    stub.reply(chat_stream("It is forty metres high. [p1]"))
    entry = rig.ask("How high is the lighthouse, and of what was it built?")
    remote.window.chat.why_wished.emit(entry.id)
    panel = remote.window.right.answer
    qtbot.waitUntil(lambda: panel.account is not None, timeout=WAIT)
    shown = words_on(panel)
    assert "Found but left out" in shown
    assert "no more room" in shown
    assert "locked.pdf" in shown
    assert panel.account is not None
    assert panel.account.details is not None
    sent, missed = panel.account.details.passages, panel.account.details.near_misses
    assert len(panel.cards) == len(sent) + len(missed)
    assert all("score 0." in card.score.text() for card in panel.cards)
    assert panel.prompt is not None
    contents = [message["content"] for message in stub.bodies[-1]["messages"]]
    sent_texts = [each if isinstance(each, str) else "".join(part["text"] for part in each) for each in contents]
    assert [each.text for each in panel.account.details.prompt] == sent_texts
    assert all(text in panel.prompt.toPlainText() for text in sent_texts), "the prompt is not the exact one"


def test_bookmarks_of_a_pdf_are_its_outline(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path) -> None:
    plain, path = tmp_path / "plain.pdf", tmp_path / "chapters.pdf"
    plain.write_bytes(pdf_bytes([Page([Run(60, 700, f"Chapter {number} begins.")]) for number in range(1, 7)]))
    writer = PdfWriter()
    writer.append(PdfReader(plain), import_outline=False)
    for number in (1, 4):
        writer.add_outline_item(title=f"Chapter {number}", page_number=number - 1)
    writer.write(path)
    rig.add(path)
    desktop.sources.show_document(desktop.documents.entries[0].id or 0, path)
    panel = desktop.window.right.source
    qtbot.waitUntil(lambda: panel.source is not None and panel.pdf.page_count == 6, timeout=WAIT)
    panel.tools.outline_button.click()
    assert [each.title for each in panel.outline.outline.entries] == ["Chapter 1", "Chapter 4"]
    place = panel.outline.visualRect(panel.outline.outline.index(1)).center()
    QTest.mouseClick(panel.outline.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: panel.pdf.page == 4, timeout=WAIT)


def test_words_of_a_scanned_page_are_found_and_marked(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path
) -> None:
    sheet = Image.new("RGB", (1240, 700), "white")
    pen = ImageDraw.Draw(sheet)
    for row, line in enumerate(("The lighthouse is forty metres high.", "Its light is seen from the harbour.")):
        pen.text((120, 160 + 120 * row), line, fill="black", font=ImageFont.load_default(size=48))
    path = tmp_path / "scan.pdf"
    sheet.save(path, "PDF", resolution=150)
    rig.add(path)
    desktop.sources.show_document(desktop.documents.entries[0].id or 0, path)
    panel = desktop.window.right.source
    qtbot.waitUntil(lambda: panel.source is not None and panel.source.scanned, timeout=WAIT)
    desktop.find_in_source()
    panel.find_bar.edit.setText("LIGHT")
    qtbot.waitUntil(lambda: panel.find_bar.count_text == "1 of 2", timeout=WAIT)
    panel.find_bar.next_wished.emit()
    assert panel.find_bar.count_text == "2 of 2"
    panel.find_bar.edit.setText("seen from")
    qtbot.waitUntil(lambda: panel.find_bar.count_text == "1 of 1", timeout=WAIT)
    panel.find_bar.edit.setText("submarine")
    qtbot.waitUntil(lambda: panel.find_bar.count_text == "Not found", timeout=WAIT)


def test_text_of_the_viewer_is_selected_and_copied_by_keys(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path
) -> None:
    path = tmp_path / "guide.md"
    path.write_text("# Guide\n\nThe **pier** is open.\n", encoding="utf-8")
    rig.add(path)
    desktop.sources.show_document(desktop.documents.entries[0].id or 0, path)
    panel = desktop.window.right.source
    qtbot.waitUntil(lambda: panel.source is not None, timeout=WAIT)
    panel.text.setFocus()
    QTest.keyClick(panel.text, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(panel.text, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().split() == ["Guide", "The", "pier", "is", "open."]


def test_code_is_no_claim(rig: DesktopRig, remote: Desktop, stub: StubServer) -> None:
    code = "```python\nLIGHT = 77  # metres above the sea in 1999\n\n\nprint('Atlantis has 12 towers')\n```"
    stub.reply(chat_stream(f"It is forty metres high. [p1]\n\n{code}\n\nAtlantis has twelve towers of gold."))
    entry = rig.ask("How high is the lighthouse?")
    kinds = {each.text: each.support for each in entry.sentences}
    assert kinds["Atlantis has twelve towers of gold."] in {Support.UNSUPPORTED, Support.PARTLY}
    assert {kind for text, kind in kinds.items() if "LIGHT" in text or "print" in text} == {Support.UNCHECKED}
