"""The main job in the real window: files in, question asked, answer with footnotes, source at the passage."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.documents import DocumentState
from app.domain.errors import ModelFileError
from app.domain.turns import MessageStatus
from app.gui.desktop import Desktop
from app.gui.widgets.message_widgets import AnswerWidget
from tests.gui.conftest import WAIT, DesktopRig
from tests.gui.stand_ins import QuotingModel
from tests.loaders.pdf_writer import Page, Run, pdf_bytes

HARBOUR = "The harbour was opened in 1887 by the mayor. A storm destroyed the old pier in 1903."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files of several kinds, one in a folder below, one that can't be read."""
    folder = tmp_path / "my papers"
    (folder / "more").mkdir(parents=True)
    (folder / "harbour.txt").write_text(HARBOUR, encoding="utf-8")
    (folder / "more" / "ferry.md").write_text("# Ferry\n\nThe ferry runs every hour until eight.", encoding="utf-8")
    (folder / "fares.csv").write_text("from,to,euros\npier,island,7\n", encoding="utf-8")
    (folder / "empty.txt").write_text("", encoding="utf-8")
    runs = [Run(60, 700, "The lighthouse is forty metres high."), Run(60, 684, "It was built of granite.")]
    (folder / "lighthouse.pdf").write_bytes(pdf_bytes([Page([Run(60, 700, "Cover.")]), Page(runs)]))
    return folder


def drop(desktop: Desktop, *paths: Path) -> None:
    """Drag files over the window and let go, as the desktop does it."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    middle = QPointF(desktop.window.rect().center())
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(middle.toPoint(), copy, data, left, none)
    QApplication.sendEvent(desktop.window, enter)
    assert enter.isAccepted()
    assert desktop.window.overlay.isVisible()
    event = QDropEvent(middle, copy, data, left, none)
    QApplication.sendEvent(desktop.window, event)
    assert event.isAccepted()
    assert not desktop.window.overlay.isVisible()


def wait_until_read(qtbot: QtBot, desktop: Desktop, ready: int) -> None:
    qtbot.waitUntil(
        lambda: desktop.documents.count(DocumentState.READY) == ready and desktop.window.right.library.card.isHidden(),
        timeout=WAIT,
    )


def answer_widget(desktop: Desktop) -> AnswerWidget:
    widget = desktop.window.chat.messages.widget_at(desktop.messages.rowCount() - 1)
    assert isinstance(widget, AnswerWidget)
    return widget


def click_footnote(desktop: Desktop, position: int = 0) -> None:
    """Click the marker itself, in the text."""
    QApplication.sendPostedEvents()
    desktop.window.chat.messages.arrange()
    browser = answer_widget(desktop).browser
    place = browser.chip_rectangle(browser.chips[position]).center().toPoint()
    QTest.mouseClick(browser.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_dropped_files_and_folders_are_read_and_listed(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path, tmp_path: Path
) -> None:
    single = tmp_path / "single file.txt"
    single.write_text("A single file about whales.", encoding="utf-8")
    rig.embedder.gate.clear()
    drop(desktop, folder, single)
    card = desktop.window.right.library.card
    qtbot.waitUntil(lambda: card.isVisible() and " of 6 files" in card.headline.text(), timeout=WAIT)
    qtbot.waitUntil(lambda: bool(card.detail.full_text), timeout=WAIT)
    rig.embedder.gate.set()
    wait_until_read(qtbot, desktop, 5)
    listed = {entry.name: entry for entry in desktop.documents.entries}
    assert set(listed) == {"harbour.txt", "ferry.md", "fares.csv", "empty.txt", "lighthouse.pdf", "single file.txt"}
    assert listed["empty.txt"].failed
    assert "empty" in listed["empty.txt"].status_line.lower()
    assert listed["lighthouse.pdf"].pages == 2
    assert desktop.window.right.library.problems.isVisible()
    assert "5 documents ready" in desktop.window.toast.text


def test_an_answer_streams_and_its_footnote_opens_the_page_at_the_passage(
    qtbot: QtBot, rig: DesktopRig, folder: Path
) -> None:
    model = QuotingModel(model="quoting", script="The tower is **tall**. \x00 It is made of granite. {p1}")
    rig.model = model
    desktop = rig.open()
    rig.add(folder / "lighthouse.pdf")
    composer = desktop.window.chat.composer
    QTest.keyClicks(composer.edit, "How high is the lighthouse?")
    QTest.keyClick(composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "tall" in answer_widget(desktop).browser.toPlainText(), timeout=WAIT)
    assert "granite" not in answer_widget(desktop).browser.toPlainText()
    assert composer.send_button.accessibleName() == "Stop"
    assert composer.edit.toPlainText() == ""
    model.gate.set()
    qtbot.waitUntil(lambda: not desktop.chat.answering, timeout=WAIT)
    entry = desktop.messages.entries[-1]
    assert entry.status is MessageStatus.COMPLETE
    citation = entry.citations[0]
    click_footnote(desktop)
    source = desktop.window.right.source
    qtbot.waitUntil(lambda: source.source is not None and source.source.pdf is not None, timeout=WAIT)
    assert desktop.window.right.shows_source
    assert source.pdf.page == citation.page
    assert len(source.pdf.highlight_rectangles(citation.page or 0)) == len(citation.boxes) > 0
    assert "lighthouse.pdf" in source.name.full_text
    assert desktop.sessions.title(desktop.sessions.current) == "How high is the lighthouse?"


def test_text_sources_open_with_the_passage_marked(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path
) -> None:
    path = tmp_path / "harbour.txt"
    path.write_text(f"🦊 A fox before it all. 🦊\n\n{HARBOUR}\n", encoding="utf-8")
    rig.add(path)
    entry = rig.ask("When was the harbour opened?")
    click_footnote(desktop)
    source = desktop.window.right.source
    qtbot.waitUntil(lambda: source.source is not None and source.source.reading is not None, timeout=WAIT)
    assert source.text.marked_text.split() == entry.citations[0].quote.split()
    assert source.text.viewport().rect().contains(source.text.cursorRect(source.text.passage_cursor()).center())


def test_the_next_footnote_is_one_key_away(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path) -> None:
    rig.add(folder)
    entry = rig.ask("harbour ferry lighthouse fares")
    numbers = [citation.number for citation in entry.citations]
    assert len(numbers) > 1
    desktop.open_footnote(entry.id, numbers[0])
    label = desktop.window.right.source.footnote
    qtbot.waitUntil(lambda: label.text() == f"Footnote 1 of {len(numbers)}", timeout=WAIT)
    desktop.sources.step(1)
    qtbot.waitUntil(lambda: label.text() == f"Footnote 2 of {len(numbers)}", timeout=WAIT)
    desktop.sources.step(-2)
    qtbot.waitUntil(lambda: label.text() == f"Footnote {len(numbers)} of {len(numbers)}", timeout=WAIT)


def test_stop_keeps_what_has_arrived(qtbot: QtBot, rig: DesktopRig, folder: Path) -> None:
    rig.model = QuotingModel(model="quoting", script="These words have arrived. \x00 These never do.")
    desktop = rig.open()
    rig.add(folder)
    desktop.ask("How often does the ferry run?")
    qtbot.waitUntil(lambda: "arrived" in answer_widget(desktop).browser.toPlainText(), timeout=WAIT)
    QTest.mouseClick(desktop.window.chat.composer.send_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not desktop.chat.answering, timeout=5000)
    entry = desktop.messages.entries[-1]
    assert entry.status is MessageStatus.STOPPED
    assert entry.text.strip() == "These words have arrived."
    assert desktop.window.chat.composer.send_button.accessibleName() == "Send"


def test_everything_is_there_again_after_a_restart(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path
) -> None:
    rig.add(folder)
    first = rig.ask("When was the harbour opened?")
    desktop.begin_chat()
    rig.ask("How high is the lighthouse?")
    desktop.sessions.open(desktop.session_list.records[1].id)
    qtbot.waitUntil(lambda: desktop.messages.entries[0].text == "When was the harbour opened?", timeout=WAIT)
    desktop = rig.restart()
    qtbot.waitUntil(lambda: desktop.messages.rowCount() == 2, timeout=WAIT)
    titles = [record.title for record in desktop.session_list.records]
    assert titles == ["How high is the lighthouse?", "When was the harbour opened?"]
    again = desktop.messages.entries[-1]
    assert (again.text, again.citations) == (first.text, first.citations)
    assert desktop.documents.count(DocumentState.READY) == 4
    assert desktop.documents.count(DocumentState.FAILED) == 1
    click_footnote(desktop)
    qtbot.waitUntil(lambda: desktop.window.right.source.source is not None, timeout=WAIT)


def test_reading_goes_on_after_a_restart(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path) -> None:
    rig.embedder.gate.clear()
    desktop.add_paths([folder])
    qtbot.waitUntil(lambda: desktop.documents.count() >= 4, timeout=WAIT)
    rig.close()  # opens the gate: what is left is whatever had not been stored by then
    desktop = rig.open()
    wait_until_read(qtbot, desktop, 4)


def test_pause_go_on_and_cancel(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path) -> None:
    rig.embedder.gate.clear()
    drop(desktop, folder)
    card = desktop.window.right.library.card
    qtbot.waitUntil(lambda: card.isVisible() and "of 5" in card.headline.text(), timeout=WAIT)
    card.pause_button.click()
    qtbot.waitUntil(lambda: "Paused" in card.time_left.text(), timeout=WAIT)
    card.pause_button.click()
    qtbot.waitUntil(lambda: "Paused" not in card.time_left.text(), timeout=WAIT)
    card.cancel_button.click()
    rig.embedder.gate.set()
    qtbot.waitUntil(lambda: card.isHidden(), timeout=WAIT)
    qtbot.waitUntil(lambda: "Stopped" in desktop.window.toast.text, timeout=WAIT)


def test_a_gone_or_changed_file_still_shows_its_quote(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path
) -> None:
    rig.add(folder / "harbour.txt")
    entry = rig.ask("When was the harbour opened?")
    source = desktop.window.right.source
    path = folder / "harbour.txt"
    path.write_text("Something else now.", encoding="utf-8")
    os.utime(path, (1, 1))
    desktop.open_footnote(entry.id, 1)
    qtbot.waitUntil(lambda: "changed" in source.notice_text, timeout=WAIT)
    assert source.text.marked_text.split() == entry.citations[0].quote.split()
    path.unlink()
    desktop.open_footnote(entry.id, 1)
    qtbot.waitUntil(lambda: "not where it was" in source.notice_text, timeout=WAIT)
    assert source.text.marked_text.split() == entry.citations[0].quote.split()
    assert not source.external_button.isEnabled()


def test_a_changed_file_that_was_read_again_shows_the_passage_where_it_is_now(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path
) -> None:
    path = folder / "harbour.txt"
    rig.add(path)
    entry = rig.ask("When was the harbour opened?")
    path.write_text(f"A new introduction stands here.\n\n{HARBOUR}", encoding="utf-8")
    rig.add(path)
    desktop.open_footnote(entry.id, 1)
    source = desktop.window.right.source
    qtbot.waitUntil(lambda: "still in it" in source.notice_text, timeout=WAIT)
    assert source.text.marked_text.split() == entry.citations[0].quote.split()


def test_a_removed_document_keeps_its_footnotes_and_can_come_back(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path
) -> None:
    rig.add(folder / "lighthouse.pdf")
    entry = rig.ask("How high is the lighthouse?")
    desktop.library.remove(desktop.documents.entries)
    qtbot.waitUntil(lambda: desktop.documents.count() == 0 and not desktop.runner.busy, timeout=WAIT)
    desktop.open_footnote(entry.id, 1)
    source = desktop.window.right.source
    qtbot.waitUntil(lambda: "no longer in your library" in source.notice_text, timeout=WAIT)
    assert source.source is not None
    assert source.source.pdf is not None
    desktop.window.toast.action.click()
    wait_until_read(qtbot, desktop, 1)


def test_a_failed_file_can_be_read_again(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path) -> None:
    rig.add(folder / "empty.txt")
    failed = [entry for entry in desktop.documents.entries if entry.failed]
    assert len(failed) == 1
    (folder / "empty.txt").write_text("No longer empty.", encoding="utf-8")
    desktop.window.right.library.retry_wished.emit(failed)
    wait_until_read(qtbot, desktop, 1)


def test_a_chat_is_deleted_unless_that_is_undone(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path) -> None:
    rig.add(folder / "harbour.txt")
    rig.ask("When was the harbour opened?")
    session = desktop.sessions.current
    desktop.session_actions.delete(session)
    assert desktop.session_list.rowCount() == 0
    assert desktop.messages.rowCount() == 0
    desktop.window.toast.action.click()
    assert desktop.session_list.row_of(session) == 1  # below its heading
    desktop.session_actions.delete(session)
    desktop = rig.restart()
    assert desktop.session_list.rowCount() == 0


def test_a_chat_can_be_renamed(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path) -> None:
    rig.add(folder / "harbour.txt")
    rig.ask("When was the harbour opened?")
    model = desktop.session_list
    assert model.setData(model.index(1), "  The harbour\n ")
    desktop = rig.restart()
    assert [record.title for record in desktop.session_list.records] == ["The harbour"]


def test_asking_again_and_copying(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path) -> None:
    rig.add(folder / "harbour.txt")
    entry = rig.ask("When was the harbour opened?")
    answer_widget(desktop).footer.buttons.copy_button.click()
    assert QApplication.clipboard().text() == entry.text
    answer_widget(desktop).footer.buttons.regenerate_button.click()
    qtbot.waitUntil(lambda: desktop.messages.entries[-1].id != entry.id and not desktop.chat.answering, timeout=WAIT)
    assert [each.text for each in desktop.messages.entries if each.is_question] == ["When was the harbour opened?"]
    assert answer_widget(desktop).footer.buttons.isVisible()


def test_an_answer_goes_on_while_another_chat_is_open(qtbot: QtBot, rig: DesktopRig, folder: Path) -> None:
    model = QuotingModel(model="quoting", script="First half. \x00 Second half. {p1}")
    rig.model = model
    desktop = rig.open()
    rig.add(folder / "harbour.txt")
    desktop.ask("When was the harbour opened?")
    qtbot.waitUntil(lambda: "First half" in desktop.messages.entries[-1].text, timeout=WAIT)
    session = desktop.sessions.current
    desktop.begin_chat()
    assert not desktop.chat.answering
    desktop.sessions.open(session)
    qtbot.waitUntil(lambda: desktop.messages.rowCount() == 2, timeout=WAIT)
    assert desktop.chat.answering
    assert "First half" in answer_widget(desktop).browser.toPlainText()
    model.gate.set()
    qtbot.waitUntil(lambda: not desktop.chat.answering, timeout=WAIT)
    assert "Second half" in answer_widget(desktop).browser.toPlainText()
    assert desktop.messages.entries[-1].citations


def test_without_an_answer_in_the_documents_it_says_so(qtbot: QtBot, rig: DesktopRig, folder: Path) -> None:
    rig.model = None  # the built-in answerer
    desktop = rig.open()
    rig.add(folder)
    entry = rig.ask("Who won the chess championship in Reykjavik?")
    assert not entry.answered
    assert entry.status is MessageStatus.COMPLETE
    assert "Try other words" in answer_widget(desktop).notice_text


def test_an_answer_before_the_files_are_read_says_so(qtbot: QtBot, rig: DesktopRig, folder: Path) -> None:
    rig.model = None  # the built-in answerer
    desktop = rig.open()
    rig.embedder.gate.clear()
    desktop.add_paths([folder])
    qtbot.waitUntil(lambda: desktop.documents.count() >= 4, timeout=WAIT)
    entry = rig.ask("When was the harbour opened?")
    assert not entry.answered
    assert "still being read" in answer_widget(desktop).notice_text


def test_the_first_start_reads_the_sample_and_suggests_questions(qtbot: QtBot, rig: DesktopRig, tmp_path: Path) -> None:
    from app.settings.resources import resource

    rig.sample = resource("sample")
    desktop = rig.open()
    wait_until_read(qtbot, desktop, len(list(resource("sample").iterdir())))
    suggestions = desktop.window.chat.invitation.suggestions
    assert suggestions
    suggestions[0].click()
    qtbot.waitUntil(lambda: desktop.messages.rowCount() == 2 and not desktop.chat.answering, timeout=WAIT)
    desktop.library.remove(list(desktop.documents.entries))
    qtbot.waitUntil(lambda: desktop.documents.count() == 0, timeout=WAIT)
    desktop = rig.restart()
    qtbot.wait(50)
    assert desktop.documents.count() == 0, "the sample must not come back by itself"


def test_no_service_is_ever_called_on_the_gui_thread(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path
) -> None:
    drop(desktop, folder)
    wait_until_read(qtbot, desktop, 4)
    entry = rig.ask("harbour ferry lighthouse fares")
    desktop.open_footnote(entry.id, 1)
    qtbot.waitUntil(lambda: desktop.window.right.source.source is not None, timeout=WAIT)
    desktop.sessions.rename(desktop.sessions.current, "Another title")
    desktop.library.retry(desktop.documents.entries)
    desktop.settings.switch_theme()
    desktop.library.remove(desktop.documents.entries[:1])
    desktop.session_actions.delete(desktop.sessions.current)
    qtbot.waitUntil(lambda: not desktop.runner.busy, timeout=WAIT)
    rig.close()
    gui = threading.get_ident()
    made_here = [name for name, thread in rig.calls if thread == gui and name != "services.close"]
    assert made_here == [], sorted(set(made_here))
    assert len(rig.calls) > 20


def test_files_dropped_before_the_library_is_open_are_not_lost(qtbot: QtBot, rig: DesktopRig, folder: Path) -> None:
    desktop = rig.open_without_waiting()
    drop(desktop, folder / "harbour.txt")
    wait_until_read(qtbot, desktop, 1)


def test_a_second_window_on_the_same_library_says_who_has_it(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, qapp: QApplication
) -> None:
    other = DesktopRig(qapp, qtbot, rig.paths.data.parent)
    second = other.open_without_waiting()
    invitation = second.window.chat.invitation
    qtbot.waitUntil(lambda: "open" in invitation.words.lower() or "use" in invitation.words.lower(), timeout=WAIT)
    assert not second.window.chat.composer.send_button.isEnabled()
    rig.close()
    invitation.retry_wished.emit()
    qtbot.waitUntil(lambda: second.library.loaded, timeout=WAIT)
    other.close()


def test_a_folder_is_gone_while_its_files_are_read(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path
) -> None:
    missing = folder / "never there.txt"
    drop(desktop, missing)
    qtbot.waitUntil(lambda: desktop.documents.count(DocumentState.FAILED) == 1, timeout=WAIT)
    shutil.rmtree(folder)
    assert desktop.documents.entries[0].id is None
    desktop.library.remove(desktop.documents.entries)
    assert desktop.documents.count() == 0


def test_finding_in_a_document_on_show(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path) -> None:
    rig.add(folder)
    source = desktop.window.right.source
    by_name = {entry.name: entry for entry in desktop.documents.entries}
    desktop.window.right.library.open_wished.emit([by_name["lighthouse.pdf"]])
    qtbot.waitUntil(lambda: source.source is not None and source.source.pdf is not None, timeout=WAIT)
    desktop.find_in_source()
    assert source.find_bar.isVisible()
    source.find_bar.edit.setText("granite")
    qtbot.waitUntil(lambda: source.find_bar.count_text == "1 of 1", timeout=WAIT)
    assert source.pdf.page == 2
    source.find_bar.edit.setText("marble")
    qtbot.waitUntil(lambda: source.find_bar.count_text == "Not found", timeout=WAIT)
    desktop.escape()
    assert not source.find_bar.isVisible()
    desktop.window.right.library.open_wished.emit([by_name["harbour.txt"]])
    qtbot.waitUntil(lambda: source.source is not None and source.source.reading is not None, timeout=WAIT)
    desktop.find_in_source()
    source.find_bar.edit.setText("the")
    assert source.find_bar.count_text == "1 of 3"
    source.find_bar.previous_wished.emit()
    assert source.find_bar.count_text == "3 of 3"


def test_pages_are_gone_to_by_number(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path) -> None:
    rig.add(folder / "lighthouse.pdf")
    desktop.window.right.library.open_wished.emit(list(desktop.documents.entries))
    source = desktop.window.right.source
    qtbot.waitUntil(lambda: source.pdf.page_count == 2, timeout=WAIT)
    for typed, page in (("2", 2), ("7", 2), ("two", 2), ("1", 1)):
        source.page_edit.setText(typed)
        QTest.keyClick(source.page_edit, Qt.Key.Key_Return)
        assert source.pdf.page == page
        assert source.page_edit.text() == str(page)


def test_opening_a_file_that_could_not_be_read_says_why(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path
) -> None:
    rig.add(folder / "empty.txt")
    desktop.window.right.library.open_wished.emit(list(desktop.documents.entries))
    assert desktop.window.toast.text == desktop.documents.entries[0].details
    assert "empty.txt" in desktop.window.toast.text


def test_the_card_stays_from_the_drop_until_reading_has_begun(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, folder: Path
) -> None:
    """Another ingestion that ends meanwhile asks how far reading is, when nothing is being read yet."""
    with contextlib.closing(sqlite3.connect(rig.paths.library_db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # what was dropped can't be written down
        desktop.add_paths([folder])
        with qtbot.waitSignal(desktop.library.documents_changed, timeout=WAIT):
            desktop.library.resume()
        assert not desktop.window.right.library.card.isHidden()
        other.execute("ROLLBACK")
    qtbot.waitUntil(lambda: desktop.window.right.library.card.isHidden(), timeout=WAIT)
    assert desktop.documents.count(DocumentState.READY)


def test_search_is_made_ready_while_the_first_question_is_typed(qtbot: QtBot, rig: DesktopRig, folder: Path) -> None:
    rig.open()
    rig.add(folder)
    desktop = rig.restart()
    rig.embedder.queries.clear()
    QTest.keyClicks(desktop.window.chat.composer.edit, "How")
    qtbot.waitUntil(lambda: bool(rig.embedder.queries), timeout=WAIT)
    rig.ask("How deep is the pond?")
    assert len(rig.embedder.queries) == 2, "it is made ready once"


def test_a_library_that_can_not_be_searched_is_told_of_by_the_question_alone(
    qtbot: QtBot, rig: DesktopRig, folder: Path
) -> None:
    rig.open()
    rig.add(folder)
    desktop = rig.restart()
    rig.embedder.failure = ModelFileError("The search model is damaged.")
    rig.embedder.queries.clear()
    QTest.keyClicks(desktop.window.chat.composer.edit, "How")
    qtbot.waitUntil(lambda: bool(rig.embedder.queries), timeout=WAIT)
    message = rig.ask("How deep is the pond?")
    assert "The search model is damaged." in message.error
    assert desktop.window.toast.isHidden()
