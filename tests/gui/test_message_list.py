"""The conversation: long ones cost no more than what is in view, and what is read stays where it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.domain.citations import AnswerSentence, Citation, Support
from app.domain.turns import MessageStatus, StoredMessage
from app.gui.colors import ThemeMode
from app.gui.models.message_list_model import MessageEntry, MessageListModel
from app.gui.streamed_answer import SENTENCES_AT_ONCE
from app.gui.theme import Appearance
from app.gui.widgets.message_list_view import MessageListView
from app.gui.widgets.message_widgets import AnswerWidget, make_message_widget


def conversation(pairs: int) -> list[StoredMessage]:
    messages = []
    for number in range(pairs):
        answer = f"Answer {number}. " + "Some words about gardens. " * (number % 40)
        messages.append(StoredMessage(2 * number + 1, "s", "user", f"Question {number}?"))
        messages.append(StoredMessage(2 * number + 2, "s", "assistant", answer))
    return messages


@pytest.fixture
def model() -> MessageListModel:
    return MessageListModel()


@pytest.fixture
def view(qtbot: QtBot, appearance: Appearance, model: MessageListModel) -> MessageListView:
    view = MessageListView(model, lambda entry, parent: make_message_widget(appearance, entry, parent))
    qtbot.addWidget(view)
    view.resize(700, 600)
    view.show()
    return view


def top_row(view: MessageListView) -> tuple[int, int]:
    """The first row that is at least partly in view, and where its top is."""
    rows = [row for row in range(10_000) if (widget := view.widget_at(row)) and widget.geometry().bottom() > 0]
    return rows[0], view.position_of(rows[0]).y()


def formats_of(document: QTextDocument) -> Iterator[QTextCharFormat]:
    """The formats of a document's characters."""
    cursor = QTextCursor(document)
    while cursor.movePosition(QTextCursor.MoveOperation.NextCharacter):
        yield cursor.charFormat()


def settle(qtbot: QtBot) -> None:
    qtbot.wait(5)


def test_a_long_conversation_makes_few_widgets_and_opens_at_its_end(
    qtbot: QtBot, view: MessageListView, model: MessageListModel
) -> None:
    model.set_messages(conversation(2500))
    settle(qtbot)
    assert model.rowCount() == 5000
    assert view.live_count < 30
    assert view.widget_at(4999) is not None
    bar = view.verticalScrollBar()
    assert bar.value() == bar.maximum() > 10_000
    for place in range(0, bar.maximum(), bar.maximum() // 20):
        bar.setValue(place)
        assert view.live_count < 40
    last = view.widget_at(top_row(view)[0])
    assert last is not None


def test_what_is_in_view_is_made_first_and_what_is_near_it_a_moment_later(
    qtbot: QtBot, view: MessageListView, model: MessageListModel
) -> None:
    model.set_messages(conversation(500))
    at_once = [row for row in range(1000) if view.widget_at(row)]
    settle(qtbot)
    later = [row for row in range(1000) if view.widget_at(row)]
    assert at_once[-1] == later[-1] == 999
    assert len(later) > len(at_once)
    assert later[-len(at_once) :] == at_once


def test_messages_stand_one_below_the_other_without_gaps(
    qtbot: QtBot, view: MessageListView, model: MessageListModel
) -> None:
    model.set_messages(conversation(30))
    settle(qtbot)
    for width in (700, 460, 900):
        view.resize(width, 600)
        settle(qtbot)
        rows = sorted(row for row in range(60) if view.widget_at(row) is not None)
        for row, following in pairwise(rows):
            above, below = view.widget_at(row), view.widget_at(following)
            assert above is not None
            assert below is not None
            assert above.geometry().bottom() + 1 == below.geometry().top()
        for row in rows:
            widget = view.widget_at(row)
            assert widget is not None
            assert widget.height() == widget.measure(widget.width())
            if isinstance(widget, AnswerWidget):
                assert widget.browser.height() >= widget.browser.document().size().height()
                assert widget.browser.verticalScrollBar().maximum() == 0


def test_what_is_in_view_stays_when_messages_above_turn_out_higher(
    qtbot: QtBot, view: MessageListView, model: MessageListModel
) -> None:
    model.set_messages(conversation(400))
    settle(qtbot)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    settle(qtbot)
    for _ in range(30):
        before = top_row(view)
        view.verticalScrollBar().setValue(view.verticalScrollBar().value() - 40)
        moved = view.position_of(before[0]).y() - before[1]
        assert abs(moved - 40) <= 1


def test_it_follows_the_answer_until_the_reader_scrolls_up(
    qtbot: QtBot, view: MessageListView, model: MessageListModel
) -> None:
    model.set_messages(conversation(10))
    answer = MessageEntry(99, "assistant", "", MessageStatus.STREAMING)
    model.append(MessageEntry(98, "user", "More?"), answer)
    bar = view.verticalScrollBar()
    for _ in range(40):
        model.append_text(answer, "A paragraph of words.\n\n")
        settle(qtbot)
        assert bar.value() == bar.maximum()
    states: list[bool] = []
    view.at_bottom_changed.connect(states.append)
    bar.setValue(bar.value() - 300)
    place = bar.value()
    model.append_text(answer, "More words.\n\n" * 10)
    settle(qtbot)
    assert bar.value() == place
    assert states == [False]
    view.scroll_to_bottom()
    assert bar.value() == bar.maximum()


def test_a_streamed_answer_ends_as_if_it_had_come_at_once(
    qtbot: QtBot, view: MessageListView, model: MessageListModel
) -> None:
    text = "# Head\n\nWords [1] and **more** [2].\n\n- a\n- b\n"
    citations = tuple(Citation(n, 1, Path("a.txt"), "a", "h", 0, 1, "quote") for n in (1, 2))
    answer = MessageEntry(2, "assistant", "", MessageStatus.STREAMING)
    model.append(MessageEntry(1, "user", "Q"), answer)
    settle(qtbot)
    for position in range(0, len(text), 3):
        known = tuple(each for each in citations if f"[{each.number}]" in text[: position + 3])
        model.update(answer, citations=known)
        model.append_text(answer, text[position : position + 3])
    stored = StoredMessage(2, "s", "assistant", text, citations=citations)
    model.store(answer, stored)
    settle(qtbot)
    streamed = view.widget_at(1)
    assert isinstance(streamed, AnswerWidget)
    html, chips = streamed.browser.document().toHtml(), list(streamed.browser.chips)
    model.set_messages([StoredMessage(1, "s", "user", "Q"), stored])
    settle(qtbot)
    whole = view.widget_at(1)
    assert isinstance(whole, AnswerWidget)
    assert whole is not streamed
    assert whole.browser.document().toHtml() == html
    assert list(whole.browser.chips) == chips
    assert [chip.number for chip in chips] == [1, 2]


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (MessageStatus.STOPPED, "", "You stopped this answer."),
        (MessageStatus.INTERRUPTED, "", "Footnote was closed while this answer was being written."),
        (MessageStatus.FAILED, "The model <b>hung</b> up.", "The model <b>hung</b> up."),
    ],
)
def test_an_answer_says_how_it_ended(
    qtbot: QtBot, view: MessageListView, model: MessageListModel, status: MessageStatus, error: str, words: str
) -> None:
    model.set_messages([StoredMessage(2, "s", "assistant", "Half an answer", status, error=error)])
    settle(qtbot)
    widget = view.widget_at(0)
    assert isinstance(widget, AnswerWidget)
    assert widget.notice_text == words
    assert "Half an answer" in widget.browser.toPlainText()


def test_sentences_without_a_source_are_marked(qtbot: QtBot, view: MessageListView, model: MessageListModel) -> None:
    text = "This one is known [1]. This one is **made** up. Known again [1]."
    sentences = (
        AnswerSentence("This one is known [1].", 0, 22, (1,)),
        AnswerSentence("This one is **made** up.", 23, 47, (), Support.UNSUPPORTED),
        AnswerSentence("Known again [1].", 48, 64, (1,)),
    )
    citation = Citation(1, 1, Path("a.txt"), "a", "h", 0, 1, "quote")
    model.set_messages([StoredMessage(2, "s", "assistant", text, citations=(citation,), sentences=sentences)])
    settle(qtbot)
    widget = view.widget_at(0)
    assert isinstance(widget, AnswerWidget)
    assert widget.browser.unsupported_texts() == ["This one is made up."]


def test_a_long_answer_is_marked_in_steps_and_in_order(
    qtbot: QtBot, view: MessageListView, model: MessageListModel
) -> None:
    texts = [f"Sentence {number} is made up." for number in range(3 * SENTENCES_AT_ONCE)]
    sentences = tuple(AnswerSentence(text, 0, len(text), (), Support.UNSUPPORTED) for text in texts)
    citation = Citation(1, 1, Path("a.txt"), "a", "h", 0, 1, "quote")
    answer = StoredMessage(2, "s", "assistant", " ".join(texts), citations=(citation,), sentences=sentences)
    model.set_messages([answer])
    widget = view.widget_at(0)
    assert isinstance(widget, AnswerWidget)
    assert widget.browser.unsupported_texts() == texts[:SENTENCES_AT_ONCE]
    steps: list[int] = []
    widget.browser.document().contentsChange.connect(
        lambda *_change: steps.append(len(widget.browser.unsupported_texts()))
    )
    qtbot.waitUntil(lambda: widget.browser.unsupported_texts() == texts)
    assert len(steps) == 2


def test_a_long_answer_that_is_replaced_while_it_is_marked_leaves_no_marks(
    qtbot: QtBot, view: MessageListView, model: MessageListModel
) -> None:
    texts = [f"Sentence {number} is made up." for number in range(3 * SENTENCES_AT_ONCE)]
    sentences = tuple(AnswerSentence(text, 0, len(text), (), Support.UNSUPPORTED) for text in texts)
    citation = Citation(1, 1, Path("a.txt"), "a", "h", 0, 1, "quote")
    answer = StoredMessage(2, "s", "assistant", " ".join(texts), citations=(citation,), sentences=sentences)
    model.set_messages([answer])
    widget = view.widget_at(0)
    assert isinstance(widget, AnswerWidget)
    model.update(model.entry(0), sentences=())
    settle(qtbot)
    assert widget.browser.unsupported_texts() == []
    underlines = {each.fontUnderline() for each in formats_of(widget.browser.document())}
    assert underlines == {False}


def test_the_theme_changes_what_is_on_the_screen(
    qtbot: QtBot, appearance: Appearance, view: MessageListView, model: MessageListModel
) -> None:
    model.set_messages(conversation(2))
    settle(qtbot)
    widget = view.widget_at(1)
    assert isinstance(widget, AnswerWidget)
    before = widget.browser.document().toHtml()
    appearance.set_mode(ThemeMode.DARK)
    settle(qtbot)
    assert widget.browser.document().toHtml() != before
    appearance.set_mode(ThemeMode.LIGHT)
    assert widget.browser.document().toHtml() == before


def test_keys_scroll(qtbot: QtBot, view: MessageListView, model: MessageListModel) -> None:
    model.set_messages(conversation(40))
    settle(qtbot)
    bar = view.verticalScrollBar()
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert bar.value() == 0
    QTest.keyClick(view, Qt.Key.Key_PageDown)
    assert bar.value() > 400
    QTest.keyClick(view, Qt.Key.Key_End)
    assert bar.value() == bar.maximum()


@pytest.mark.parametrize("text", ["word " * 400_000, "line\n" * 100_000, "x" * 300_000, "\n" * 1000, "# " * 5000])
def test_monstrous_messages_are_shown_somehow(
    qtbot: QtBot, view: MessageListView, model: MessageListModel, text: str
) -> None:
    model.set_messages([StoredMessage(1, "s", "user", text), StoredMessage(2, "s", "assistant", text[:60_000])])
    settle(qtbot)
    assert view.widget_at(1) is not None
    view.verticalScrollBar().setValue(0)
    assert view.widget_at(0) is not None
