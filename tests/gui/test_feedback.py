"""Thumbs and opened footnotes in the real window: kept, shown again, taken back, forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.feedback import FeedbackExample, Judgement
from app.gui.desktop import Desktop
from app.gui.widgets.answer_footer import AnswerButtons
from app.gui.widgets.message_widgets import AnswerWidget
from app.services.feedback import KEEP_OPENED
from tests.gui.conftest import WAIT, DesktopRig

QUESTION = "When was the harbour opened?"


@pytest.fixture
def asked(rig: DesktopRig, desktop: Desktop, tmp_path: Path) -> Desktop:
    """A window with a question and its answer."""
    path = tmp_path / "harbour.txt"
    path.write_text("The harbour was opened in 1887 by the mayor.", encoding="utf-8")
    rig.add(path)
    rig.ask(QUESTION)
    return desktop


def buttons(desktop: Desktop) -> AnswerButtons:
    QApplication.sendPostedEvents()
    desktop.window.chat.messages.arrange()
    widget = desktop.window.chat.messages.widget_at(desktop.messages.rowCount() - 1)
    assert isinstance(widget, AnswerWidget)
    return widget.footer.buttons


def click(desktop: Desktop, thumb: Judgement) -> None:
    QTest.mouseClick(buttons(desktop).thumbs[thumb], Qt.MouseButton.LeftButton)


def kept(rig: DesktopRig) -> list[FeedbackExample]:
    return rig.built[-1].measuring.feedback.examples()


def test_a_thumb_is_kept_with_the_places_of_the_answer(qtbot: QtBot, rig: DesktopRig, asked: Desktop) -> None:
    click(asked, Judgement.UP)
    qtbot.waitUntil(lambda: len(kept(rig)) == 1, timeout=WAIT)
    [example] = kept(rig)
    citation = asked.messages.entries[-1].citations[0]
    assert (example.question, example.judgement) == (QUESTION, Judgement.UP)
    assert (example.path, example.file_hash, example.quote) == (citation.path, citation.file_hash, citation.quote)
    assert buttons(asked).thumbs[Judgement.UP].isChecked()
    assert not buttons(asked).thumbs[Judgement.DOWN].isChecked()


def test_the_other_thumb_replaces_it_and_the_same_takes_it_back(qtbot: QtBot, rig: DesktopRig, asked: Desktop) -> None:
    click(asked, Judgement.UP)
    qtbot.waitUntil(lambda: [each.judgement for each in kept(rig)] == [Judgement.UP], timeout=WAIT)
    click(asked, Judgement.DOWN)
    qtbot.waitUntil(lambda: [each.judgement for each in kept(rig)] == [Judgement.DOWN], timeout=WAIT)
    click(asked, Judgement.DOWN)
    qtbot.waitUntil(lambda: kept(rig) == [], timeout=WAIT)
    assert not any(button.isChecked() for button in buttons(asked).thumbs.values())


def test_thumbs_are_shown_again_after_a_restart(qtbot: QtBot, rig: DesktopRig, asked: Desktop) -> None:
    click(asked, Judgement.DOWN)
    qtbot.waitUntil(lambda: len(kept(rig)) == 1, timeout=WAIT)
    again = rig.restart()
    qtbot.waitUntil(lambda: again.messages.rowCount() == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: buttons(again).thumbs[Judgement.DOWN].isChecked(), timeout=WAIT)


def test_opening_a_footnote_is_kept_once(qtbot: QtBot, rig: DesktopRig, asked: Desktop) -> None:
    chat, answer = asked.window.chat, asked.messages.entries[-1]
    for _ in range(2):
        chat.footnote_activated.emit(answer.id, 1)
    qtbot.waitUntil(lambda: [each.judgement for each in kept(rig)] == [Judgement.OPENED], timeout=WAIT)
    assert asked.runner.wait(20)
    assert len(kept(rig)) == 1


def test_nothing_opened_is_kept_when_the_user_does_not_want_it(rig: DesktopRig, asked: Desktop) -> None:
    rig.built[-1].settings.set(KEEP_OPENED, False)
    asked.window.chat.footnote_activated.emit(asked.messages.entries[-1].id, 1)
    assert asked.runner.wait(20)
    assert kept(rig) == []


def test_all_is_forgotten_only_when_the_user_says_so(qtbot: QtBot, rig: DesktopRig, asked: Desktop) -> None:
    click(asked, Judgement.UP)
    qtbot.waitUntil(lambda: len(kept(rig)) == 1, timeout=WAIT)
    box = asked.feedback.ask_to_forget(asked.window)
    box.button(box.StandardButton.Cancel).click()
    assert asked.runner.wait(20)
    assert len(kept(rig)) == 1
    box = asked.feedback.ask_to_forget(asked.window)
    next(each for each in box.buttons() if isinstance(each, QPushButton) and each.text() == "Forget them").click()
    qtbot.waitUntil(lambda: kept(rig) == [], timeout=WAIT)
    qtbot.waitUntil(lambda: not buttons(asked).thumbs[Judgement.UP].isChecked(), timeout=WAIT)
    assert asked.messages.rowCount() == 2


def test_deleting_the_chat_forgets_its_examples(qtbot: QtBot, rig: DesktopRig, asked: Desktop) -> None:
    click(asked, Judgement.UP)
    qtbot.waitUntil(lambda: len(kept(rig)) == 1, timeout=WAIT)
    asked.session_actions.delete(asked.sessions.current)
    asked.window.toast.dismiss()
    qtbot.waitUntil(lambda: kept(rig) == [], timeout=WAIT)
