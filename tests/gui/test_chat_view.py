"""The chat in the real window with a chat model behind HTTP: branches, going on, code, formulas, thoughts, figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.domain.turns import MessageStatus
from app.gui.desktop import Desktop
from app.gui.widgets.question_widget import QuestionWidget
from tests.chat_models.stub_replies import Close, chat_chunk, chat_stream, sse
from tests.chat_models.stub_server import StubServer
from tests.gui.conftest import WAIT, DesktopRig
from tests.gui.test_window import answer_widget

RICH = (
    "Half a plot costs half as much, so $r = \\frac{n}{2}$ it is. [p1]\n\n"
    "```python\ndef rent(plots):\n    return 20.0  # euros\n```\n\n"
    "| plot | rent |\n|---|---:|\n| half | 20 |\n"
)


@pytest.fixture
def remote(rig: DesktopRig, stub: StubServer, tmp_path: Path) -> Desktop:
    """A window whose chosen model lives on the scripted server, over a library of one file."""
    desktop = rig.open_remote(stub)
    (tmp_path / "plots.txt").write_text("Half a plot costs half the rent of a whole plot.", encoding="utf-8")
    rig.add(tmp_path / "plots.txt")
    return desktop


def texts(desktop: Desktop) -> list[str]:
    return [entry.text for entry in desktop.messages.entries]


def wait_for_answer(qtbot: QtBot, desktop: Desktop) -> None:
    qtbot.waitUntil(lambda: not desktop.chat.answering, timeout=WAIT)


def question_widget(desktop: Desktop, row: int) -> QuestionWidget:
    widget = desktop.window.chat.messages.widget_at(row)
    assert isinstance(widget, QuestionWidget)
    return widget


def test_asking_again_keeps_the_first_answer_as_a_branch(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer
) -> None:
    stub.reply(chat_stream("First it is half."))
    stub.reply(chat_stream("Second it is half."))
    rig.ask("What does half a plot cost?")
    QTest.mouseClick(answer_widget(remote).footer.buttons.regenerate_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Second it is half." in texts(remote)[-1], timeout=WAIT)
    wait_for_answer(qtbot, remote)
    assert len(texts(remote)) == 2, "the question is not asked twice"
    switcher = answer_widget(remote).footer.buttons.switcher
    assert switcher.text == "2 / 2"
    switcher.branch_wished.emit(remote.messages.entries[-1].siblings[0])
    qtbot.waitUntil(lambda: "First it is half." in texts(remote)[-1], timeout=WAIT)
    qtbot.waitUntil(lambda: answer_widget(remote).footer.buttons.switcher.text == "1 / 2", timeout=WAIT)
    again = rig.restart()
    qtbot.waitUntil(lambda: again.messages.rowCount() == 2, timeout=WAIT)
    assert "First it is half." in texts(again)[-1]


def test_a_past_question_in_other_words_begins_a_branch(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer
) -> None:
    stub.reply(chat_stream("Half."))
    stub.reply(chat_stream("The whole rent."))
    stub.reply(chat_stream("There are no thirds."))
    rig.ask("What does half a plot cost?")
    rig.ask("And a whole plot?")
    first = remote.messages.entries[0]
    remote.window.chat.messages.show_message(0)
    question = question_widget(remote, 0)
    QTest.mouseClick(question.edit_button, Qt.MouseButton.LeftButton)
    assert question.editor is not None
    question.editor.edit.setPlainText("What does a third of a plot cost?")
    QTest.mouseClick(question.editor.ask_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: texts(remote)[-1].startswith("There are no thirds."), timeout=WAIT)
    wait_for_answer(qtbot, remote)
    assert texts(remote)[0] == "What does a third of a plot cost?"
    assert remote.messages.rowCount() == 2
    assert "And a whole plot" not in str(stub.bodies[-1]["messages"]), "the model is told of another branch"
    remote.chat.show_branch(first.id)
    qtbot.waitUntil(lambda: remote.messages.rowCount() == 4, timeout=WAIT)
    assert texts(remote)[2] == "And a whole plot?"


def test_a_broken_answer_keeps_its_part_and_goes_on(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer
) -> None:
    stub.reply(sse(chat_chunk("Half the rent, and ")), Close())
    stub.reply(chat_stream("no more than that."))
    entry = rig.ask("What does half a plot cost?")
    assert entry.status is MessageStatus.FAILED
    assert "Half the rent" in entry.text
    notice = answer_widget(remote).notice
    buttons = {button.accessibleName(): button for button in notice.findChildren(QPushButton)}
    assert buttons["Try again"].isVisibleTo(notice)
    QTest.mouseClick(buttons["Continue"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: remote.messages.entries[-1].status is MessageStatus.COMPLETE, timeout=WAIT)
    wait_for_answer(qtbot, remote)
    assert remote.messages.rowCount() == 2
    assert "Half the rent, and" in texts(remote)[-1]
    assert "no more than that." in texts(remote)[-1]
    assert answer_widget(remote).notice_text == ""


def test_trying_again_after_an_error_keeps_the_part_as_a_branch(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer
) -> None:
    stub.reply(sse(chat_chunk("A part of it ")), Close())
    stub.reply(chat_stream("All of it."))
    rig.ask("What does half a plot cost?")
    answer_widget(remote).notice.retry_wished.emit()
    qtbot.waitUntil(lambda: remote.messages.entries[-1].status is MessageStatus.COMPLETE, timeout=WAIT)
    wait_for_answer(qtbot, remote)
    remote.chat.show_branch(remote.messages.entries[-1].siblings[0])
    qtbot.waitUntil(lambda: "A part of it" in texts(remote)[-1], timeout=WAIT)
    assert remote.messages.entries[-1].status is MessageStatus.FAILED


def test_code_is_coloured_and_copied_and_formulas_are_set(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer
) -> None:
    stub.reply(chat_stream(*(f"{word} " for word in RICH.split(" "))))
    rig.ask("What does half a plot cost?")
    browser = answer_widget(remote).browser
    document = browser.document()

    def coloured() -> bool:
        block = document.begin()
        while block.isValid():
            if "def rent" in block.text():
                return bool(block.layout().formats())
            block = block.next()
        return False

    qtbot.waitUntil(coloured, timeout=WAIT)
    qtbot.waitUntil(lambda: bool(browser.code_panels.buttons), timeout=WAIT)
    QTest.mouseClick(browser.code_panels.buttons[0], Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text().split("\n")
    assert [line.rstrip() for line in copied] == ["def rent(plots):", "    return 20.0  # euros"]
    typesetting = remote.window.chat.typesetting
    qtbot.waitUntil(lambda: typesetting.formula("r = \\frac{n}{2}", display=False) is not None, timeout=WAIT)
    browser.selectAll()
    browser.copy()
    assert "$r = \\frac{n}{2}$" in QGuiApplication.clipboard().text(), "a formula is copied as it was typed"


def test_thoughts_fold_away_and_figures_stand_below(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer
) -> None:
    stub.reply(sse(chat_chunk(reasoning_content="They ask for a price.")), chat_stream("Half the rent. [p1]"))
    entry = rig.ask("What does half a plot cost?")
    widget = answer_widget(remote)
    assert not widget.reasoning.isHidden()
    assert not widget.reasoning.unfolded
    widget.reasoning.unfold()
    assert widget.reasoning.shown_text == "They ask for a price."
    qtbot.waitUntil(lambda: entry.facts is not None and bool(entry.facts.parts()), timeout=WAIT)
    assert entry.facts is not None
    assert entry.facts.first_token_seconds is not None
    assert any("token" in part for part in entry.facts.parts())
    again = rig.restart()
    qtbot.waitUntil(lambda: bool(again.messages.entries) and bool(again.messages.entries[-1].reasoning), timeout=WAIT)
    assert again.messages.entries[-1].reasoning == "They ask for a price."


def test_an_answer_is_copied_with_its_sources(qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer) -> None:
    stub.reply(chat_stream("Half the rent. [p1]"))
    rig.ask("What does half a plot cost?")
    QTest.mouseClick(answer_widget(remote).footer.buttons.sources_button, Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("Half the rent. [1]")
    assert "[1] plots.txt: “half the rent”" in copied


def test_a_chat_longer_than_a_batch_is_shown_whole(qtbot: QtBot, rig: DesktopRig, remote: Desktop) -> None:
    sessions = rig.built[-1].sessions
    store = sessions._store
    record = sessions.create("Long")
    with store._database.write() as connection:
        parent = None
        for number in range(250):
            role = "user" if number % 2 == 0 else "assistant"
            parent = connection.execute(
                "INSERT INTO messages (session_id, role, text, search_text, status, created_at, model, answered, error,"
                " sentences, timings, parent_id) VALUES (?, ?, ?, '', 'complete', 1.0, '', 1, '', '', '', ?)",
                (record.id, role, f"Message {number}.", parent),
            ).lastrowid
        connection.execute("UPDATE sessions SET leaf_id = ? WHERE id = ?", (parent, record.id))
    remote.sessions.open(record.id)
    qtbot.waitUntil(lambda: remote.messages.rowCount() == 250, timeout=WAIT)
    assert texts(remote) == [f"Message {number}." for number in range(250)]
    view = remote.window.chat.messages
    qtbot.waitUntil(lambda: view.widget_at(249) is not None, timeout=WAIT)
    view.show_message(3)
    assert view.widget_at(3) is not None


@pytest.mark.parametrize(
    "text",
    [
        "```python\nnever closed",
        "| a | b |\n|---\n| 1 |",
        "$$ \\frac{ $x$ **bold `code* [link](",
        "> > > 1. - * # `\n\t$\n" * 50,
        "![x](data:image/png;base64,AAAA) ![y](data:image/svg+xml;base64,PHN2Zy8+)",
        "\u202e\u0000\ufffc\ue000 $n$ \ue001",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
    ],
)
def test_broken_markdown_is_shown_as_text_and_nothing_is_lost(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer, text: str
) -> None:
    stub.reply(chat_stream(*text, "\n\n", "The end of it."))
    entry = rig.ask("What does half a plot cost?")
    assert entry.status is MessageStatus.COMPLETE
    assert "The end of it." in answer_widget(remote).browser.toPlainText()


def test_a_question_of_100_000_lines_is_shown_and_copied_whole(
    qtbot: QtBot, rig: DesktopRig, remote: Desktop, stub: StubServer
) -> None:
    question = "\n".join(f"line {number}" for number in range(100_000))
    stub.reply(chat_stream("That is long."))
    rig.ask(question)
    assert remote.messages.entries[0].text == question
    widget = remote.window.chat.messages.widget_at(0)
    if widget is not None:
        assert widget.height() < 1_000_000
    remote.window.chat.copy_wished.emit(remote.messages.entries[0].id)
    assert QGuiApplication.clipboard().text() == question
