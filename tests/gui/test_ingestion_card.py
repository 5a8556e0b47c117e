"""The card that shows how far reading is."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.domain.documents import DocumentState
from app.domain.errors import FailureReason
from app.domain.ingestion import FileOutcome, IngestProgress
from app.gui.models.document_list_model import DocumentEntry
from app.gui.theme import Appearance
from app.gui.widgets.ingestion_card import IngestionCard


@pytest.fixture
def card(qtbot: QtBot, appearance: Appearance) -> IngestionCard:
    card = IngestionCard(appearance)
    qtbot.addWidget(card)
    return card


def _failure(name: str) -> FileOutcome:
    return FileOutcome(
        Path(name), DocumentState.FAILED, reason=FailureReason.ENCRYPTED, error=f"{name} has a password."
    )


def test_one_large_file_moves_the_bar_and_has_a_time(card: IngestionCard) -> None:
    card.show_progress(IngestProgress(1, 0, 0, 0, 0, (Path("big.pdf"),), eta_seconds=130.0, share=0.25))
    assert card.bar.value() / card.bar.maximum() == pytest.approx(0.25)
    assert card.time_left.text() == "About 2 minutes left"


def test_failed_files_are_named_with_their_reasons(card: IngestionCard) -> None:
    failures = tuple(_failure(f"{name}.pdf") for name in "abcde")
    card.show_progress(IngestProgress(20, 9, 7, 0, 5, failures=failures))
    text = card.failures.text()
    assert "e.pdf: protected with a password" in text
    assert "and 4 more" in text
    assert "e.pdf has a password." in card.failures.toolTip()
    card.show_progress(IngestProgress(20, 9, 0, 0, 5))
    assert card.failures.isHidden()


def test_what_reading_waits_for_is_said_and_can_be_overridden(qtbot: QtBot, card: IngestionCard) -> None:
    card.show_progress(IngestProgress(2, 0, 0, 0, 0, waiting_for="the computer is plugged in"))
    assert card.time_left.text() == "Waiting until the computer is plugged in"
    with qtbot.waitSignal(card.resume_wished):
        card.pause_button.click()


def test_the_wait_for_a_new_search_model_is_explained(card: IngestionCard) -> None:
    card.show_progress(IngestProgress(2, 0, 0, 0, 0, preparing=True))
    assert card.time_left.text() == "Preparing the search model, only this once"
    card.show_progress(IngestProgress(2, 1, 0, 0, 4, eta_seconds=130.0))
    assert card.time_left.text() == "About 2 minutes left"


def test_a_partly_read_document_says_what_is_missing() -> None:
    entry = DocumentEntry(
        Path("a.pdf"), DocumentState.READY, 1, pages=9, chunks=20, warning="3 of 9 pages are damaged."
    )
    assert entry.status_line == "9 pages · 20 passages · incomplete"
    assert "3 of 9 pages are damaged." in entry.details
