"""The composer of the real window: chips, suggestions, models, personas, files, earlier questions, the meter."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.domain.document_types import DocumentType
from app.domain.passages import Period
from app.domain.turn_options import AttachmentUse
from app.gui.chips import (
    Chip,
    ChipKind,
    attachment_chip,
    date_chips,
    other_use,
    scope_of,
    trigger_at,
    type_chip,
    year_chip,
)
from app.gui.desktop import Desktop
from app.gui.models.suggestion_model import MOST_SHOWN, Suggestion, SuggestionModel
from app.gui.widgets.question_edit import LONGEST_PASTE
from app.gui.widgets.template_dialogs import TemplatesDialog, VariablesDialog
from tests.gui.conftest import IGNORED_QT_LOG, WAIT, DesktopRig

pytestmark = pytest.mark.qt_log_ignore(IGNORED_QT_LOG)

NOTES = "The harbour office opens at seven. The ferry leaves at eight from pier four."
RECIPES = "Stir the soup slowly. The soup needs an hour."


@pytest.fixture
def filled(rig: DesktopRig, tmp_path: Path) -> Desktop:
    """A window over two files in two folders."""
    desktop = rig.open()
    for name, text in (("north/notes.txt", NOTES), ("south/recipes.md", RECIPES)):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        rig.add(path)
    return desktop


def press(desktop: Desktop, key: Qt.Key) -> None:
    QTest.keyClick(desktop.window.chat.composer.edit, key)


def type_in(desktop: Desktop, text: str) -> None:
    QTest.keyClicks(desktop.window.chat.composer.edit, text)


def offered(desktop: Desktop) -> list[str]:
    suggestions = desktop.window.chat.composer.suggestions
    assert suggestions is not None
    if not suggestions.isVisible():
        return []
    model = suggestions.model
    return [str(model.data(model.index(row))) for row in range(model.rowCount())]


def labels(desktop: Desktop) -> list[str]:
    return [widget.chip.label for widget in desktop.window.chat.composer.chips.widgets]


# -- words and chips, without a window ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mark", "typed", "start"),
    [
        ("#", "#", "", 0),
        ("what of #tax", "#", "tax", 8),
        ("what of @annual report", "@", "annual report", 8),
        ("/mod", "/", "mod", 0),
        ("first line\nand @no", "@", "no", 15),
    ],
)
def test_a_mark_at_the_beginning_of_a_word_asks_for_suggestions(text: str, mark: str, typed: str, start: int) -> None:
    trigger = trigger_at(text, len(text))
    assert trigger is not None
    assert (trigger.mark, trigger.typed, trigger.start) == (mark, typed, start)


@pytest.mark.parametrize(
    "text", ["", "C#", "me@example.org", "a /model", "1/2", "# \n", "what of #tax or of the other ones"]
)
def test_other_marks_ask_for_nothing(text: str) -> None:
    assert trigger_at(text, len(text)) is None


@given(st.text(max_size=300), st.integers(0, 300))
def test_any_text_can_be_typed(text: str, position: int) -> None:
    position = min(position, len(text))
    trigger = trigger_at(text, position)
    if trigger is not None:
        assert text[trigger.start : position] == trigger.mark + trigger.typed


def test_chips_become_a_scope() -> None:
    chips = [
        Chip(ChipKind.COLLECTION, "Tax", 3),
        Chip(ChipKind.FILE, "a.pdf", 7),
        Chip(ChipKind.FOLDER, "north", Path("/north")),
        type_chip(DocumentType.PDF),
        year_chip(2024),
        attachment_chip(Path("/b.pdf")),
    ]
    scope = scope_of(chips)
    assert scope.collections == {3}
    assert scope.document_ids == {7}
    assert scope.folders == (Path("/north"),)
    assert scope.types == {DocumentType.PDF}
    assert scope.modified == year_chip(2024).value
    assert scope_of(chips[5:]).everything


def test_times_of_change_begin_at_midnight() -> None:
    now = datetime(2026, 3, 5, 14, 30).astimezone()
    found = {chip.label: chip.value for chip in date_chips(now)}
    assert found["Today"] == Period(since=datetime(2026, 3, 5).astimezone().timestamp())
    assert found["This year"] == Period(since=datetime(2026, 1, 1).astimezone().timestamp())
    assert "2025" in found
    assert "2026" not in found


def test_an_attached_file_can_join_the_library() -> None:
    chip = attachment_chip(Path("/b.pdf"))
    assert chip.value.use is AttachmentUse.CHAT
    assert other_use(chip).value.use is AttachmentUse.LIBRARY
    assert other_use(other_use(chip)) == chip


def test_what_begins_with_the_typed_word_stands_first_and_the_list_stays_short() -> None:
    model = SuggestionModel()
    model.set_suggestions([Suggestion(f"{number} soup", "", "file", number) for number in range(500)])
    assert model.rowCount() == MOST_SHOWN
    model.set_suggestions([Suggestion(name, "in the kitchen", "file", name) for name in ("pea soup", "soup", "bread")])
    model.narrow("soup kit")
    assert [model.suggestion(row).value for row in range(model.rowCount())] == ["soup", "pea soup"]  # type: ignore[union-attr]  # rows exist


# -- the window --------------------------------------------------------------------------------------------------------


def test_a_file_picked_with_an_at_sign_limits_the_answer(qtbot: QtBot, filled: Desktop, rig: DesktopRig) -> None:
    type_in(filled, "When? @recip")
    assert offered(filled) == ["recipes.md"]
    press(filled, Qt.Key.Key_Return)
    assert labels(filled) == ["recipes.md"]
    assert filled.window.chat.composer.edit.toPlainText() == "When? "
    answer = rig.ask("When does the ferry leave?")
    assert {citation.path.name for citation in answer.citations} <= {"recipes.md"}
    assert labels(filled) == ["recipes.md"]


def test_folders_kinds_and_times_can_be_picked_and_taken_away(qtbot: QtBot, filled: Desktop) -> None:
    composer = filled.window.chat.composer
    for typed, label in (("@north", "north"), ("#pdf", "PDF"), ("#last 7", "Last 7 days"), ("#today", "Today")):
        type_in(filled, typed)
        assert label in offered(filled)
        row = offered(filled).index(label)
        assert composer.suggestions is not None
        composer.suggestions.list.clicked.emit(composer.suggestions.model.index(row))
        assert composer.edit.toPlainText() == ""
    assert labels(filled) == ["north", "PDF", "Today"]
    for widget in composer.chips.widgets:
        widget.removed.emit(widget.chip)
    assert labels(filled) == []
    assert filled.choices.choices.scope.everything


def test_escape_closes_the_suggestions_and_keeps_the_words(qtbot: QtBot, filled: Desktop) -> None:
    type_in(filled, "about @rec")
    assert offered(filled)
    press(filled, Qt.Key.Key_Escape)
    assert not offered(filled)
    assert filled.window.chat.composer.edit.toPlainText() == "about @rec"


def test_what_was_chosen_stays_with_its_chat(qtbot: QtBot, filled: Desktop, rig: DesktopRig) -> None:
    type_in(filled, "@recipes")
    press(filled, Qt.Key.Key_Return)
    filled.composer.choose_model("openai:gpt-4o-mini")
    filled.composer.choose_model("extractive")
    rig.ask("How long does the soup need?")
    first = filled.sessions.current
    filled.begin_chat()
    assert labels(filled) == []
    rig.ask("When does the ferry leave?")
    filled.sessions.open(first)
    qtbot.waitUntil(lambda: labels(filled) == ["recipes.md"], timeout=WAIT)
    desktop = rig.restart()
    desktop.sessions.open(first)
    qtbot.waitUntil(lambda: labels(desktop) == ["recipes.md"], timeout=WAIT)


def test_a_model_is_picked_and_its_powers_are_told(qtbot: QtBot, filled: Desktop) -> None:
    qtbot.waitUntil(lambda: len(filled.composer.model_suggestions()) > 20, timeout=WAIT)
    details = {each.value: each.detail for each in filled.composer.model_suggestions()}
    assert any("images" in each and "tools" in each for each in details.values())
    filled.composer.type_model("ollama:my-own-model")
    composer = filled.window.chat.composer
    assert "my-own-model" in composer.model_button.accessibleName()
    assert filled.composer.ask_with().model == "ollama:my-own-model"
    filled.composer.type_model("nonsense")
    assert "provider:model" in filled.window.toast.text
    assert filled.composer.ask_with().model == "ollama:my-own-model"


def test_a_persona_goes_with_every_question(qtbot: QtBot, filled: Desktop) -> None:
    qtbot.waitUntil(lambda: len(filled.composer.templates) >= 8, timeout=WAIT)
    tutor = next(each for each in filled.composer.templates if each.name == "Tutor")
    filled.composer.use_template(tutor)
    dialog = filled.window.findChild(VariablesDialog)
    assert dialog is not None
    assert not dialog.use_button.isEnabled()
    dialog.fields["subject"].setText("sailing")
    dialog.fields["language"].setText("English")
    dialog.use_button.click()
    assert "sailing" in filled.composer.ask_with().options.instructions
    assert filled.window.chat.composer.persona_button.text() == "Tutor"
    filled.composer.pick_persona(filled.composer.persona_suggestions()[0])
    assert filled.composer.ask_with().options.instructions == ""
    assert filled.window.chat.composer.persona_button.isHidden()


def test_a_prompt_template_becomes_the_question(qtbot: QtBot, filled: Desktop) -> None:
    qtbot.waitUntil(lambda: len(filled.composer.templates) >= 8, timeout=WAIT)
    type_in(filled, "/time")
    assert offered(filled) == ["Timeline"]
    press(filled, Qt.Key.Key_Return)
    dialog = filled.window.findChild(VariablesDialog)
    assert dialog is not None
    dialog.fields["topic"].setText("the ferry")
    dialog.use_button.click()
    assert "the ferry" in filled.window.chat.composer.edit.toPlainText()


def test_an_own_template_is_written_used_and_deleted(qtbot: QtBot, filled: Desktop) -> None:
    qtbot.waitUntil(lambda: len(filled.composer.templates) >= 8, timeout=WAIT)
    filled.window.chat.composer.templates_wished.emit()
    dialog = filled.window.findChild(TemplatesDialog)
    assert dialog is not None
    dialog.new_button.click()
    dialog.save_button.click()
    qtbot.waitUntil(lambda: "begins with a letter" in dialog.status.text(), timeout=WAIT)
    dialog.name.setText("In verse")
    dialog.text.setPlainText("Answer in verse.")
    dialog.save_button.click()
    qtbot.waitUntil(lambda: "is saved" in dialog.status.text(), timeout=WAIT)
    assert "In verse" in [each.name for each in filled.composer.templates]
    dialog.use_button.click()
    assert filled.composer.ask_with().options.instructions == "Answer in verse."
    assert dialog.isHidden()


def test_slash_commands_do_what_they_say(qtbot: QtBot, filled: Desktop, rig: DesktopRig) -> None:
    rig.ask("When does the ferry leave?")
    assert filled.messages.rowCount() == 2
    type_in(filled, "/new")
    press(filled, Qt.Key.Key_Return)
    assert filled.messages.rowCount() == 0
    type_in(filled, "@recipes")
    press(filled, Qt.Key.Key_Return)
    type_in(filled, "/pin")
    press(filled, Qt.Key.Key_Return)
    assert len(filled.composer.ask_with().options.pinned) == 1
    type_in(filled, "/every")
    press(filled, Qt.Key.Key_Return)
    assert filled.composer.ask_with().scope.everything


def test_files_are_pasted_and_go_with_the_next_question_only(qtbot: QtBot, filled: Desktop, tmp_path: Path) -> None:
    paper, folder, odd = tmp_path / "paper.txt", tmp_path / "folder", tmp_path / "odd.xyz"
    paper.write_text("text", encoding="utf-8")
    odd.write_text("text", encoding="utf-8")
    folder.mkdir()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(each)) for each in (paper, folder, odd)])
    filled.window.chat.composer.edit.insertFromMimeData(data)
    qtbot.waitUntil(lambda: labels(filled) == ["paper.txt"], timeout=WAIT)
    assert "can't go with a question" in filled.window.toast.text
    assert [each.path for each in filled.composer.ask_with().options.attachments] == [paper]
    filled.window.chat.composer.question_sent.disconnect(filled._chat.ask)
    filled.window.chat.composer.question_sent.emit("What is this?")
    assert labels(filled) == []


def test_a_pasted_picture_is_kept_as_a_file(qtbot: QtBot, filled: Desktop, rig: DesktopRig) -> None:
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    data = QMimeData()
    data.setImageData(image)
    filled.window.chat.composer.edit.insertFromMimeData(data)
    qtbot.waitUntil(lambda: len(labels(filled)) == 1, timeout=WAIT)
    (attachment,) = filled.composer.ask_with().options.attachments
    assert attachment.path.parent == rig.paths.data / "pasted"
    assert QImage(str(attachment.path)).size() == image.size()


def test_two_megabytes_of_text_become_a_file_with_every_character(qtbot: QtBot, filled: Desktop) -> None:
    text = "A line of a log that nobody reads.\n" * 60_000
    data = QMimeData()
    data.setText(text)
    filled.window.chat.composer.edit.insertFromMimeData(data)
    qtbot.waitUntil(lambda: len(labels(filled)) == 1, timeout=WAIT)
    (attachment,) = filled.composer.ask_with().options.attachments
    assert attachment.path.read_text(encoding="utf-8") == text
    assert filled.window.chat.composer.edit.toPlainText() == ""


def test_a_paste_of_some_pages_stays_text(filled: Desktop) -> None:
    data = QMimeData()
    data.setText("x" * LONGEST_PASTE)
    filled.window.chat.composer.edit.insertFromMimeData(data)
    assert len(filled.window.chat.composer.edit.toPlainText()) == LONGEST_PASTE


def test_the_arrow_keys_bring_earlier_questions_back(qtbot: QtBot, filled: Desktop, rig: DesktopRig) -> None:
    edit = filled.window.chat.composer.edit
    for question in ("When does the ferry leave?", "How long does the soup need?"):
        rig.ask(question)
    press(filled, Qt.Key.Key_Up)
    assert edit.toPlainText() == "How long does the soup need?"
    edit.moveCursor(edit.textCursor().MoveOperation.Start)
    press(filled, Qt.Key.Key_Up)
    assert edit.toPlainText() == "When does the ferry leave?"
    edit.moveCursor(edit.textCursor().MoveOperation.End)
    press(filled, Qt.Key.Key_Down)
    edit.moveCursor(edit.textCursor().MoveOperation.End)
    press(filled, Qt.Key.Key_Down)
    assert edit.toPlainText() == ""
    edit.setPlainText("half a question")
    edit.moveCursor(edit.textCursor().MoveOperation.Start)
    press(filled, Qt.Key.Key_Up)
    assert edit.toPlainText() == "half a question"


def test_the_meter_tells_what_the_model_was_given(qtbot: QtBot, filled: Desktop, rig: DesktopRig) -> None:
    meter = filled.window.chat.composer.meter
    assert meter.isHidden()
    rig.ask("When does the ferry leave?")
    qtbot.waitUntil(lambda: meter.reading.passages > 0, timeout=WAIT)
    assert not meter.isHidden()
    assert meter.reading.history == 0
    rig.ask("And from which pier?")
    qtbot.waitUntil(lambda: meter.reading.history > 0, timeout=WAIT)
    assert "earlier turns" in meter.accessibleDescription()
    filled.begin_chat()
    assert meter.isHidden()
