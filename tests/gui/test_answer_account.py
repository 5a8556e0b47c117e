"""Why this answer? What bears its sentences, what was sent and left out, in the real window."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import field
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.chat_models.call import Call
from app.chat_models.catalog import bundled_catalog
from app.chat_models.model import ChatModel
from app.chat_models.providers.openai import LM_STUDIO_URL
from app.domain.answer_facts import Usage
from app.domain.citations import AnswerSentence, Citation, Support
from app.domain.messages import AIMessageChunk, Message, ToolCallPart
from app.domain.turn_details import NearMiss, PromptMessage, SentPassage, TurnDetails, UnreadFile
from app.domain.turn_options import MemoryKind, Strictness
from app.domain.turns import MessageStatus, StoredMessage
from app.gui.answer_account import Account
from app.gui.desktop import Desktop
from app.gui.models.message_list_model import MessageEntry
from app.gui.theme import Appearance
from app.gui.turn_notes import ToolNote, notes_of
from app.gui.widgets.answer_panel import AnswerPanel
from app.gui.widgets.message_widgets import AnswerWidget
from app.gui.widgets.turn_notes_view import ApprovalCard, NoteRow
from app.services.library_tools import TOOL_SEARCH, ToolRule
from tests.chat_models.stub_replies import chat_stream
from tests.chat_models.stub_server import StubServer
from tests.gui.conftest import WAIT, DesktopRig
from tests.gui.stand_ins import QuotingModel
from tests.gui.test_window import answer_widget

HARBOUR = "The harbour was opened in 1887 by the mayor. A storm destroyed the old pier in 1903."


class ToolModel(ChatModel):
    """Searches first, then answers from what it was given."""

    asked: list[int] = field(default_factory=list)

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        self.asked.append(len(messages))
        if len(self.asked) == 1:
            arguments = '{"query": "storm pier"}'
            yield AIMessageChunk(
                parts=(ToolCallPart("call-1", "search_documents", arguments, index=0),), finish="tool_calls"
            )
            return
        yield AIMessageChunk("A storm destroyed the old pier in 1903. [p1]")
        yield AIMessageChunk(finish="stop", model="tools")


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "harbour.txt").write_text(HARBOUR, encoding="utf-8")
    (folder / "ferry.md").write_text("# Ferry\n\nThe ferry runs every hour until eight.", encoding="utf-8")
    (folder / "empty.txt").write_text("", encoding="utf-8")
    return folder


def texts(panel: AnswerPanel) -> str:
    """All that the panel says."""
    return "\n".join(label.text() for label in panel.findChildren(QLabel))


def why(qtbot: QtBot, desktop: Desktop, entry: MessageEntry) -> AnswerPanel:
    """Click the button below the answer and wait for the account."""
    answer_widget(desktop).footer.buttons.why_button.click()
    panel = desktop.window.right.answer
    qtbot.waitUntil(lambda: panel.account is not None and panel.isVisible(), timeout=WAIT)
    assert panel.account is not None
    assert panel.account.sentences == entry.sentences
    return panel


def test_why_tells_the_prompt_the_passages_and_what_was_not_read(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, papers: Path
) -> None:
    rig.add(papers)
    entry = rig.ask("When was the harbour opened?")
    panel = why(qtbot, desktop, entry)
    shown = texts(panel)
    assert {card.passage.path.name for card in panel.cards} == {"harbour.txt", "ferry.md"}
    assert all(card.score.text().startswith("score ") for card in panel.cards)
    assert "empty.txt" in shown
    assert panel.prompt is not None
    prompt = panel.prompt.toPlainText()
    assert HARBOUR in prompt
    assert "When was the harbour opened?" in prompt
    button = next(each for each in panel.findChildren(QPushButton) if "prompt" in each.text())
    button.click()
    assert QApplication.clipboard().text() == prompt


def test_a_passage_of_the_account_opens_in_the_viewer(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, papers: Path
) -> None:
    rig.add(papers)
    panel = why(qtbot, desktop, rig.ask("When was the harbour opened?"))
    card = next(each for each in panel.cards if each.passage.path.name == "harbour.txt")
    QTest.mouseClick(card.open_button, Qt.MouseButton.LeftButton)
    source = desktop.window.right.source
    qtbot.waitUntil(lambda: source.source is not None and desktop.window.right.shows_source, timeout=WAIT)
    assert source.text.marked_text == HARBOUR


def test_sentences_show_what_bears_them(qtbot: QtBot, rig: DesktopRig, papers: Path) -> None:
    script = "The harbour was opened in 1887 by the mayor. {p1} The harbour was opened in 1923 by the mayor. {p1}"
    rig.model = QuotingModel(model="quoting", script=script)
    desktop = rig.open()
    rig.add(papers / "harbour.txt")
    entry = rig.ask("When was the harbour opened?")
    sure, doubted = entry.sentences
    assert sure.support is Support.SUPPORTED
    assert doubted.support in {Support.PARTLY, Support.UNSUPPORTED}
    browser = answer_widget(desktop).browser
    mark = browser.support_mark_at(browser.chip_rectangle(browser.chips[1]).center().toPoint())
    assert mark is not None
    assert "1923" in mark.words
    assert browser.support_mark_at(browser.chip_rectangle(browser.chips[0]).center().toPoint()) is None
    shown = texts(why(qtbot, desktop, entry))
    assert "1 supported by the passages" in shown
    assert "1923" in shown


def test_every_kind_of_support_has_a_line_of_its_own(qtbot: QtBot, rig: DesktopRig, desktop: Desktop) -> None:
    supports = (Support.SUPPORTED, Support.PARTLY, Support.UNSUPPORTED, Support.GENERAL, Support.UNCHECKED)
    words = [f"Sentence number {number} stands here." for number in range(len(supports))]
    sentences = tuple(
        AnswerSentence(text, 0, len(text), (), support, f"Reason {support}.")
        for text, support in zip(words, supports, strict=True)
    )
    citation = Citation(1, 1, Path("a.txt"), "a", "h", 0, 1, "quote")
    desktop.messages.set_messages(
        [StoredMessage(2, "s", "assistant", " ".join(words), citations=(citation,), sentences=sentences)]
    )
    QApplication.processEvents()
    desktop.window.chat.messages.arrange()
    widget = desktop.window.chat.messages.widget_at(0)
    assert isinstance(widget, AnswerWidget)
    block = widget.browser.document().firstBlock()
    lines = {}
    for part in block.textFormats():
        lines[block.text()[part.start : part.start + part.length].strip()] = part.format.underlineStyle()
    styles = [next(style for text, style in lines.items() if each in text) for each in words[1:4]]
    assert len(set(styles)) == 3


def test_an_account_of_everything(qtbot: QtBot, appearance: Appearance) -> None:
    near = SentPassage("", 2, Path("b.txt"), "b", 4, 0, 5, "near <b>miss</b>", 0.31)
    details = TurnDetails(
        query="What does the harbour cost?",
        strictness=Strictness.OPEN,
        memory=MemoryKind.WINDOW,
        used=4,
        dropped=2,
        summary="They spoke of boats.",
        prompt=(PromptMessage("system", "Be brief."), PromptMessage("user", "And the harbour?")),
        near_misses=(NearMiss(near, "There was no more room for it."),),
        unread=(UnreadFile(Path("scan.pdf"), "It is protected with a password."),),
        unread_count=3,
        model="openai:tiny",
        usage=Usage(120, 30, estimated=True),
        cost=0.0012,
        first_token_seconds=0.4,
        tokens_per_second=12.0,
    )
    panel = AnswerPanel(appearance)
    qtbot.addWidget(panel)
    panel.show_account(Account("And the harbour?", (), (), "", details))
    shown = texts(panel)
    for words in (
        "What does the harbour cost?",
        "4 messages sent, 2 messages left out",
        "They spoke of boats.",
        "There was no more room for it.",
        "near <b>miss</b>",
        "scan.pdf – It is protected with a password.",
        "and 2 more files",
        "about 120 in, 30 out",
        "$0.0012",
    ):
        assert words in shown
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in panel.findChildren(QLabel))
    panel.show_account(Account("Old?", (), (), "", None))
    assert "No more was noted" in texts(panel)


def test_a_follow_up_shows_what_was_searched(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, papers: Path) -> None:
    rig.add(papers)
    rig.ask("How often does the ferry run?")
    entry = rig.ask("And until when?")
    rows = answer_widget(desktop).notes.rows
    assert isinstance(rows[0], NoteRow)
    assert "ferry" in rows[0].label.text()
    desktop.sessions.open(desktop.sessions.current)
    again = notes_of(rig.built[-1].sessions.details(entry.id) or TurnDetails(), "And until when?")
    assert again.query == entry.notes.query


@pytest.mark.parametrize("allowed", [True, False])
def test_a_tool_waits_for_the_users_word(qtbot: QtBot, rig: DesktopRig, papers: Path, allowed: bool) -> None:
    model = ToolModel(model="tools", profile=bundled_catalog().profile("gpt-4o-mini", "openai"))
    rig.model = model
    desktop = rig.open()
    rig.built[-1].settings.set(TOOL_SEARCH, ToolRule.ASK)
    rig.add(papers)
    desktop.window.chat.composer.tools_toggled.emit(True)
    desktop.ask("What happened to the old pier?")

    def cards() -> list[ApprovalCard]:
        return [row for row in answer_widget(desktop).notes.rows if isinstance(row, ApprovalCard)]

    qtbot.waitUntil(lambda: bool(cards()), timeout=WAIT)
    assert "storm pier" in cards()[0].label.text()
    assert desktop.chat.answering
    (cards()[0].allow if allowed else cards()[0].refuse).click()
    qtbot.waitUntil(lambda: not desktop.chat.answering, timeout=WAIT)
    entry = desktop.messages.entries[-1]
    assert entry.status is MessageStatus.COMPLETE, entry.error
    assert len(model.asked) == 2
    assert not cards()
    tools = (rig.built[-1].sessions.details(entry.id) or TurnDetails()).tools
    assert [tool.failed for tool in tools] == [not allowed]


def test_strictness_and_memory_are_chosen_for_the_chat(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, papers: Path
) -> None:
    rig.add(papers)
    button = desktop._answering.button
    next(each for each in button.strictness.actions() if each.data() == Strictness.OPEN).trigger()
    next(each for each in button.memory.actions() if each.data() == MemoryKind.WINDOW).trigger()
    entry = rig.ask("When was the harbour opened?")
    details = rig.built[-1].sessions.details(entry.id)
    assert details is not None
    assert (details.strictness, details.memory) == (Strictness.OPEN, MemoryKind.WINDOW)
    chat = desktop.sessions.current
    desktop.begin_chat()
    assert button.accessibleName() == "How this chat answers"
    desktop.sessions.open(chat)
    qtbot.waitUntil(lambda: "general knowledge" in button.accessibleName(), timeout=WAIT)


def test_every_document_is_checked_with_progress(qtbot: QtBot, rig: DesktopRig, papers: Path) -> None:
    rig.model = None  # the built-in answerer
    desktop = rig.open()
    rig.add(papers)
    desktop.check_every_document()
    assert "Write the question first" in desktop.window.toast.text
    seen: list[int] = []
    desktop.messages.dataChanged.connect(
        lambda *_: seen.extend([1] if desktop.messages.entries[-1].notes.progress is not None else [])
    )
    desktop.window.chat.composer.edit.setPlainText("Which documents name the harbour?")
    desktop.check_every_document()
    qtbot.waitUntil(lambda: desktop.messages.rowCount() == 2 and not desktop.chat.answering, timeout=WAIT)
    entry = desktop.messages.entries[-1]
    assert entry.status is MessageStatus.COMPLETE, entry.error
    assert "hecked 2 of" in entry.text
    assert seen
    assert answer_widget(desktop).notes.task is None
    assert desktop.window.chat.composer.edit.toPlainText() == ""


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("read_pages", '{"document": "a.pdf", "first": 2, "last": 4}', "Read “a.pdf”, pages 2 to 4"),
        ("read_pages", '{"document": "a.pdf", "first": 2, "last": 2}', "Read “a.pdf”, page 2"),
        ("read_pages", '{"document": "a.pdf"}', "Read “a.pdf”, from page 1 on"),
        ("read_pages", '{"document"', 'Read pages of {"document"'),
        ("search_documents", '{"query": "pier"}', "Search your documents for “pier”"),
        ("list_documents", "", "List your documents"),
    ],
)
def test_what_a_model_wants_to_do_is_told_in_words(name: str, arguments: str, words: str) -> None:
    assert ToolNote("1", name, arguments).words == words


def test_every_document_includes_the_files_that_go_along(
    qtbot: QtBot, rig: DesktopRig, papers: Path, tmp_path: Path
) -> None:
    rig.model = None  # the built-in answerer
    desktop = rig.open()
    rig.add(papers)
    letter = tmp_path / "letter.txt"
    letter.write_text("The lighthouse was painted in 1950.", encoding="utf-8")
    desktop.composer.attach_paths([letter])
    qtbot.waitUntil(lambda: bool(desktop.composer.ask_with().options.attachments), timeout=WAIT)
    desktop.window.chat.composer.edit.setPlainText("Which documents name the lighthouse?")
    desktop.check_every_document()
    assert not desktop.composer.ask_with().options.attachments
    qtbot.waitUntil(lambda: desktop.messages.rowCount() == 2 and not desktop.chat.answering, timeout=WAIT)
    entry = desktop.messages.entries[-1]
    assert [each.path for each in entry.citations] == [letter], entry.text


def test_a_search_through_every_document_is_done_again_and_edited_as_such(
    qtbot: QtBot, rig: DesktopRig, papers: Path
) -> None:
    rig.model = None  # the built-in answerer
    desktop = rig.open()
    rig.add(papers)

    def answered() -> MessageEntry:
        qtbot.waitUntil(lambda: desktop.messages.rowCount() == 2 and not desktop.chat.answering, timeout=WAIT)
        return desktop.messages.entries[-1]

    desktop.window.chat.composer.edit.setPlainText("Which documents name the harbour?")
    desktop.check_every_document()
    first = answered()
    desktop.chat.ask_again(first.id)
    second = answered()
    assert second.siblings == (first.id, second.id)
    assert "hecked 2 of" in second.text
    chat = desktop.sessions.current
    desktop = rig.restart()
    desktop.sessions.open(chat)
    qtbot.waitUntil(lambda: desktop.messages.rowCount() == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: desktop.messages.entries[-1].notes.task is not None, timeout=WAIT)
    desktop.chat.edit(desktop.messages.entries[0].id, "Which documents name the unicorn?")
    qtbot.waitUntil(lambda: "unicorn" in desktop.messages.entries[0].text, timeout=WAIT)
    assert "No file holds an answer to this. Checked 2 of" in answered().text


def test_a_document_is_summarised_from_the_viewer(qtbot: QtBot, rig: DesktopRig, papers: Path) -> None:
    rig.model = None  # the built-in answerer
    desktop = rig.open()
    open_in_viewer(qtbot, rig, papers)
    desktop.window.right.source.summary_button.click()
    qtbot.waitUntil(lambda: desktop.messages.rowCount() == 2 and not desktop.chat.answering, timeout=WAIT)
    question, answer = desktop.messages.entries
    assert question.text == "Summarise harbour.txt"
    assert answer.status is MessageStatus.COMPLETE, answer.error
    assert "1887" in answer.text
    assert answer.citations


def test_a_task_is_stopped_with_its_button(qtbot: QtBot, rig: DesktopRig, papers: Path) -> None:
    desktop = rig.open()
    with StubServer() as server:
        rig.built[-1].settings.set(LM_STUDIO_URL, f"{server.url}/v1")
        desktop.composer.choose_model("lmstudio:tiny")
        (papers / "harbour.txt").write_text(f"{HARBOUR}\n\n" * 400, encoding="utf-8")
        open_in_viewer(qtbot, rig, papers)
        server.reply(server.gate())
        server.reply(chat_stream("It was opened by the mayor [p1]."))
        desktop.window.right.source.summary_button.click()
        qtbot.waitUntil(
            lambda: desktop.messages.rowCount() == 2 and answer_widget(desktop).notes.task is not None, timeout=WAIT
        )
        task = answer_widget(desktop).notes.task
        assert task is not None
        assert " of " in task.words.text()
        qtbot.waitUntil(lambda: bool(server.requests), timeout=WAIT)  # the first of them waits at the gate
        task.stop_button.click()
        qtbot.waitUntil(lambda: not desktop.chat.answering, timeout=WAIT)
        stopped = desktop.messages.entries[-1]
        assert stopped.status is MessageStatus.STOPPED
        notice = answer_widget(desktop).notice
        shown = [each.text() for each in notice.findChildren(QPushButton) if each.isVisibleTo(notice)]
        assert shown == ["Try again"], "nobody can go on where a task stopped"
        notice.retry_wished.emit()
        qtbot.waitUntil(
            lambda: desktop.messages.entries[-1] is not stopped and not desktop.chat.answering, timeout=WAIT
        )
    again = desktop.messages.entries[-1]
    assert again.status is MessageStatus.COMPLETE, again.error
    assert "It was opened by the mayor" in again.text


def open_in_viewer(qtbot: QtBot, rig: DesktopRig, papers: Path) -> None:
    desktop = rig.desktop
    assert desktop is not None
    rig.add(papers)
    entry = next(each for each in desktop.documents.entries if each.name == "harbour.txt")
    desktop.sources.show_document(entry.id or 0, entry.path)
    source = desktop.window.right.source
    qtbot.waitUntil(lambda: source.source is not None, timeout=WAIT)
