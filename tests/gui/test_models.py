"""Lists without a window, and the words that stand in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.domain.citations import Citation
from app.domain.documents import DocumentRecord, DocumentState, FileStamp
from app.domain.errors import FailureReason
from app.domain.ingestion import FileOutcome, IngestProgress, IngestSummary
from app.domain.turns import MessageStatus, StoredMessage
from app.gui.controllers.library_controller import combined, summary_words
from app.gui.models.document_list_model import DocumentEntry, DocumentListModel
from app.gui.models.message_list_model import MessageEntry, MessageListModel
from app.gui.sample_library import SAMPLE_QUESTIONS, suggested_questions
from app.gui.wording import (
    citation_place,
    counted,
    day_group,
    duration,
    elapsed,
    shown,
    shown_folder,
    shown_name,
    title_from_question,
)

DAY = 86_400.0


def document(name: str, state: DocumentState = DocumentState.READY, number: int = 1, chunks: int = 3) -> DocumentRecord:
    path = Path("/papers") / name
    return DocumentRecord(number, path, name, "text/plain", FileStamp(1, 1), "h", state, None, "", None, chunks, 0, 0)


def names(model: DocumentListModel) -> list[str]:
    return [model.index(row).data() for row in range(model.rowCount())]


def test_documents_are_listed_by_name_filtered_and_counted(qtbot: QtBot) -> None:
    model = DocumentListModel()
    states = [DocumentState.READY, DocumentState.QUEUED, DocumentState.FAILED]
    model.set_records(
        [document(f"{name}.txt", state, n) for n, (name, state) in enumerate(zip("cab", states, strict=True))]
    )
    assert names(model) == ["a.txt", "b.txt", "c.txt"]
    assert (model.count(), model.count(DocumentState.FAILED), model.passage_count) == (3, 1, 3)
    model.set_filter("B.t")
    assert names(model) == ["b.txt"]
    model.set_filter("papers")
    assert len(names(model)) == 3
    model.set_filter("")
    model.set_problems_only(True)
    assert names(model) == ["b.txt"]


def test_an_outcome_updates_its_row_and_keeps_what_is_known(qtbot: QtBot) -> None:
    model = DocumentListModel()
    model.set_records([document("a.txt", DocumentState.PARSING)])
    changed: list[int] = []
    model.dataChanged.connect(lambda first, _last: changed.append(first.row()))
    path = Path("/papers/a.txt")
    model.put([DocumentEntry.of_outcome(FileOutcome(path, DocumentState.READY, 4, pages=2, document_id=1))])
    entry = model.entry(path)
    assert entry is not None
    assert entry.title == "a.txt"
    assert entry.status_line == "2 pages · 4 passages"
    assert changed == [0]


def test_a_path_that_became_no_document_stays_listed_until_it_is_dropped(qtbot: QtBot) -> None:
    model = DocumentListModel()
    path = Path("/papers/odd.xyz")
    outcome = FileOutcome(path, DocumentState.FAILED, reason=FailureReason.UNSUPPORTED, error="Convert it.")
    model.put([DocumentEntry.of_outcome(outcome)])
    model.set_records([document("a.txt")])
    assert names(model) == ["a.txt", "odd.xyz"]
    entry = model.entry(path)
    assert entry is not None
    assert not entry.can_open
    assert entry.status_line == "Files of this kind can't be read"
    assert entry.details == "Convert it."
    assert model.index(1).data(Qt.ItemDataRole.AccessibleTextRole) == "odd.xyz, Convert it."
    model.drop(path)
    assert names(model) == ["a.txt"]


@pytest.mark.parametrize("reason", [None, *FailureReason])
def test_every_reason_has_words(reason: FailureReason | None) -> None:
    entry = DocumentEntry(Path("a"), DocumentState.FAILED, reason=reason)
    assert entry.status_line
    assert entry.details == entry.status_line


@pytest.mark.parametrize("state", DocumentState)
def test_every_state_has_words(state: DocumentState) -> None:
    assert DocumentEntry(Path("a"), state).status_line


def test_an_answer_off_the_screen_still_grows(qtbot: QtBot) -> None:
    model = MessageListModel()
    answer = MessageEntry(2, "assistant", "", MessageStatus.STREAMING)
    model.append(MessageEntry(1, "user", "Q"), answer)
    model.set_messages([])
    model.append_text(answer, "More.")
    model.store(answer, StoredMessage(2, "s", "assistant", "More. End."))
    assert answer.text == "More. End."
    assert not answer.streaming
    assert model.rowCount() == 0


def test_only_questions_and_answers_are_shown(qtbot: QtBot) -> None:
    model = MessageListModel()
    roles = ("system", "user", "assistant", "tool")
    model.set_messages([StoredMessage(n, "s", role, role) for n, role in enumerate(roles)])
    assert [entry.role for entry in model.entries] == ["user", "assistant"]


def test_several_ingestions_are_shown_as_one() -> None:
    first = IngestProgress(10, 4, 1, 0, 40, (Path("a"), Path("b")), 30.0, share=0.5)
    second = IngestProgress(5, 5, 0, 2, 9, (Path("c"),), 10.0, share=0.2)
    both = combined([first, second])
    assert both is not None
    assert (both.total, both.done, both.failed, both.skipped, both.chunks) == (15, 9, 1, 2, 49)
    assert both.active == (Path("a"), Path("b"))
    assert both.eta_seconds == 40.0
    assert both.share == pytest.approx(0.4)
    assert combined([]) is None
    paused = replace(second, paused=True, eta_seconds=None)
    one_rests = combined([first, paused])
    assert one_rests is not None
    assert not one_rests.paused
    assert one_rests.eta_seconds == 30.0
    all_rest = combined([paused, paused])
    assert all_rest is not None
    assert all_rest.paused
    assert all_rest.eta_seconds is None
    unknown = combined([first, IngestProgress(1, 0, 0, 0, 0)])
    assert unknown is not None
    assert unknown.eta_seconds is None


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        (IngestSummary(3, 9, 0, 0, 1.0), "3 documents ready."),
        (IngestSummary(1, 9, 2, 0, 1.0), "1 document ready, 2 files could not be read."),
        (IngestSummary(5, 9, 0, 5, 1.0), "5 unchanged."),
        (IngestSummary(0, 0, 0, 0, 1.0), ""),
        (IngestSummary(2, 9, 0, 0, 1.0, cancelled=True), "Stopped. What is ready stays in your library."),
    ],
)
def test_the_end_of_an_ingestion_in_words(summary: IngestSummary, words: str) -> None:
    assert summary_words(summary) == words


def test_suggestions_are_for_the_sample_alone() -> None:
    sample = Path("/resources/sample")
    assert suggested_questions([sample / "a.txt", sample / "b.pdf"], sample) == SAMPLE_QUESTIONS
    assert suggested_questions([sample / "a.txt", Path("/mine/b.pdf")], sample) == ()
    assert suggested_questions([], sample) == ()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "a few seconds"),
        (12, "10 seconds"),
        (59, "60 seconds"),
        (61, "1 minute"),
        (600, "10 minutes"),
        (7300, "2 hours"),
    ],
)
def test_times_left_are_rough(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_measured_times_and_counts() -> None:
    assert [elapsed(value) for value in (0.44, 12.3, 125)] == ["0.4 s", "12 s", "2 min 5 s"]
    assert counted(1, "page") == "1 page"
    assert counted(1200, "page") == "1,200 pages"
    assert counted(2, "entry", "entries") == "2 entries"


def test_days_have_names() -> None:
    noon = time.mktime((2026, 3, 18, 12, 0, 0, 0, 0, -1))
    groups = [day_group(noon - days * DAY, noon) for days in (-1, 0, 1, 3, 20, 60)]
    assert groups == ["Today", "Today", "Yesterday", "Previous 7 days", "Previous 30 days", "January 2026"]


@given(st.text(max_size=300))
def test_titles_are_short_single_lines(question: str) -> None:
    title = title_from_question(question)
    assert len(title) <= 61
    assert title == " ".join(title.split())
    assert bool(title) == bool(shown(question)) or title == "…"


class CountedText(str):
    """A text that counts how many of its characters were looked at one by one."""

    looked_at = 0

    def __iter__(self) -> Iterator[str]:
        self.looked_at += len(self)
        return super().__iter__()


def test_of_a_long_question_only_the_beginning_is_read_for_its_title() -> None:
    question = CountedText("line of words " * 100_000)
    assert title_from_question(question) == "line of words line of words line of words line of words line…"
    assert question.looked_at == 0


def test_a_title_is_found_behind_any_number_of_empty_lines() -> None:
    assert title_from_question("\n" * 5000 + "Where is the key?") == "Where is the key?"


@given(st.text(max_size=200))
def test_shown_text_is_one_harmless_line(text: str) -> None:
    line = shown(text)
    assert "\n" not in line
    assert not any(character in line for character in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\x00\x1b")
    assert shown(line) == line


def test_places_and_folders() -> None:
    citation = Citation(1, 1, Path("/papers/a.pdf"), "A", "h", 0, 1, "q", page=3)
    assert citation_place(citation) == "a.pdf, page 3"
    assert shown_folder(Path.home() / "Documents" / "a.pdf") == "~/Documents"
    assert shown_folder(Path.home() / "a.pdf") == "~"
    assert shown_folder(Path("/papers/a.pdf")) == "/papers"
    assert shown_name(Path("/")) == "/"
