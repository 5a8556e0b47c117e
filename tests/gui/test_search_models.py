"""Search models and the size of passages in the window: downloaded, their cost said, changed in the background."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from app.domain.documents import DocumentState
from app.gui.desktop import Desktop
from app.gui.widgets.search_model_dialog import SearchModelDialog
from app.retrieval.embedding_models import EMBEDDING_MODEL
from app.retrieval.model_catalogue import EMBEDDING, Catalogue
from app.retrieval.text_splitter import CHUNK_TOKENS
from app.settings.resources import resource
from tests.chat_models.stub_server import StubServer
from tests.gui.conftest import WAIT, DesktopRig
from tests.retrieval.tiny_onnx import write_tiny_onnx
from tests.services.hub_server import HubServer

NAME = "multilingual-e5-small"
SPANISH = "El perro de la casa no ladra por la noche y el gato duerme en la cocina."
SENTENCE = "The {} of day {} was carried to the northern barn before noon, and then it was counted.\n\n"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub on loopback with a tiny model under the name of one of the catalogue."""
    with StubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        model = Catalogue(resource("models", "catalogue.json")).model(NAME, EMBEDDING)
        write_tiny_onnx(tmp_path / "original", model)
        yield HubServer(server, model.repository, tmp_path / "original", model.files)


@pytest.fixture
def barn(tmp_path: Path) -> Path:
    file = tmp_path / "barn.txt"
    file.write_text("".join(SENTENCE.format(word, day) for day in range(20) for word in ("apple", "pear", "plum")))
    return file


@pytest.fixture
def full(rig: DesktopRig, barn: Path) -> Desktop:
    desktop = rig.open()
    rig.add(barn)
    return desktop


def opened(desktop: Desktop, qtbot: QtBot) -> SearchModelDialog:
    desktop.window.right.library.search_model_wished.emit()
    dialog = desktop.search_models.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: bool(dialog.rows), timeout=WAIT)
    return dialog


def downloaded(dialog: SearchModelDialog, qtbot: QtBot) -> None:
    dialog.rows[NAME].button.click()
    qtbot.waitUntil(lambda: dialog.rows[NAME].model.folder is not None, timeout=WAIT)


def planned(dialog: SearchModelDialog, qtbot: QtBot) -> str:
    qtbot.waitUntil(lambda: dialog.start_button.isVisible() or dialog.cost.property("tone") == "danger", timeout=WAIT)
    return dialog.cost.text()


def test_a_model_is_downloaded_and_answers_after_its_cost_was_agreed_to(
    rig: DesktopRig, full: Desktop, qtbot: QtBot, hub: HubServer
) -> None:
    dialog = opened(full, qtbot)
    row = dialog.rows[NAME]
    assert row.button.text() == "Download"
    assert "About 100 languages" in row.model.about
    assert "490 MB" in row.model.about
    downloaded(dialog, qtbot)
    dialog.rows[NAME].button.click()
    passages = full.documents.passage_count
    assert f"embed {passages} passages of 1 document" in planned(dialog, qtbot)
    assert "Until then hash-8 answers" in dialog.cost.text()
    services = rig.built[-1]
    assert services.settings[EMBEDDING_MODEL] == "", "nothing has begun"
    dialog.start_button.click()
    qtbot.waitUntil(lambda: dialog.rows[NAME].model.answers, timeout=WAIT)
    assert f"{NAME} answers from now on" in dialog.cost.text()
    assert services.settings[EMBEDDING_MODEL] == str(services.embedding_models.installed(NAME).folder)
    assert services.embedding_models.serving().startswith(f"{NAME}@")
    dialog.reject()
    assert rig.ask("Which apple was carried to the barn?").citations


def test_declining_the_cost_changes_nothing(rig: DesktopRig, full: Desktop, qtbot: QtBot, hub: HubServer) -> None:
    dialog = opened(full, qtbot)
    downloaded(dialog, qtbot)
    dialog.rows[NAME].button.click()
    planned(dialog, qtbot)
    dialog.not_now.click()
    assert not dialog.cost.isVisible()
    assert rig.built[-1].settings[EMBEDDING_MODEL] == ""
    assert not dialog.rows[NAME].model.wanted


def test_a_download_is_stopped_and_goes_on_later(full: Desktop, qtbot: QtBot, hub: HubServer) -> None:
    dialog = opened(full, qtbot)
    hub.stall_after = 2_000
    row = dialog.rows[NAME]
    row.button.click()
    qtbot.waitUntil(lambda: row.bar.isVisible() and bool(hub.requests), timeout=WAIT)
    row.button.click()
    qtbot.waitUntil(lambda: "Stopped" in row.note.text(), timeout=WAIT)
    assert row.button.text() == "Download"
    hub.stall_after = None
    downloaded(dialog, qtbot)


def test_a_hub_that_can_not_be_reached_is_said(
    full: Desktop, qtbot: QtBot, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    dialog = opened(full, qtbot)
    dialog.rows[NAME].button.click()
    qtbot.waitUntil(lambda: "127.0.0.1" in dialog.rows[NAME].note.text(), timeout=WAIT)
    assert dialog.rows[NAME].button.text() == "Download"
    assert dialog.rows[NAME].button.isEnabled()


def test_a_file_with_another_checksum_is_refused(full: Desktop, qtbot: QtBot, hub: HubServer) -> None:
    path = max(hub.content, key=lambda each: len(hub.content[each]))
    hub.content = hub.content | {path: hub.content[path][:-1] + b"x"}
    dialog = opened(full, qtbot)
    dialog.rows[NAME].button.click()
    qtbot.waitUntil(lambda: "checksum" in dialog.rows[NAME].note.text(), timeout=WAIT)
    assert dialog.rows[NAME].model.folder is None


def test_passages_of_another_size_are_cut_after_their_cost_was_agreed_to(
    rig: DesktopRig, full: Desktop, qtbot: QtBot
) -> None:
    before = full.documents.passage_count
    [refresh_timer] = full.library.findChildren(QTimer)
    qtbot.waitUntil(lambda: not refresh_timer.isActive(), timeout=WAIT)  # nothing else has the documents listed anew
    dialog = opened(full, qtbot)
    assert not dialog.passages_button.isEnabled()
    dialog.tokens.setValue(40)
    dialog.passages_button.click()
    assert f"1 document with {before} passages will be cut" in planned(dialog, qtbot)
    services = rig.built[-1]
    assert services.settings[CHUNK_TOKENS] == CHUNK_TOKENS.default
    dialog.start_button.click()
    qtbot.waitUntil(lambda: "passages of the new size" in dialog.cost.text(), timeout=WAIT)
    assert services.settings[CHUNK_TOKENS] == 40
    assert services.library.documents()[0].chunk_count > before
    qtbot.waitUntil(lambda: full.documents.passage_count > before, timeout=WAIT)


def test_a_rebuild_is_stopped_shown_as_such_and_goes_on_at_the_next_start(
    rig: DesktopRig, full: Desktop, qtbot: QtBot
) -> None:
    dialog = opened(full, qtbot)
    dialog.tokens.setValue(40)
    dialog.passages_button.click()
    planned(dialog, qtbot)
    rig.embedder.gate.clear()
    dialog.start_button.click()
    qtbot.waitUntil(dialog.work.isVisible, timeout=WAIT)
    assert not dialog.folder_button.isEnabled()
    dialog.work.stop_button.click()
    rig.embedder.gate.set()
    qtbot.waitUntil(lambda: not dialog.work.isVisible(), timeout=WAIT)
    before = rig.built[-1].library.documents()[0].chunk_count
    desktop = rig.restart()
    services = rig.built[-1]
    qtbot.waitUntil(lambda: services.library.documents()[0].chunk_count >= before, timeout=WAIT)
    qtbot.waitUntil(lambda: services._store.cut_otherwise(40) == {}, timeout=WAIT)
    assert desktop.documents.count(DocumentState.READY) == 1


def test_the_general_settings_lead_to_the_cost(rig: DesktopRig, full: Desktop, qtbot: QtBot) -> None:
    full.open_settings()
    qtbot.waitUntil(lambda: full.settings.dialog is not None, timeout=WAIT)
    settings = full.settings.dialog
    assert settings is not None
    settings.rows[CHUNK_TOKENS.key].changed.emit(CHUNK_TOKENS, 64)
    dialog = full.search_models.dialog
    assert dialog is not None
    assert full.settings.dialog is None or not full.settings.dialog.isVisible()
    assert "64 tokens" in planned(dialog, qtbot)
    assert rig.built[-1].settings[CHUNK_TOKENS] == CHUNK_TOKENS.default


def test_a_folder_without_a_model_is_refused_in_words(
    rig: DesktopRig, full: Desktop, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = opened(full, qtbot)
    full.search_models.plan_model(str(tmp_path / "nothing"))
    assert "nothing" in planned(dialog, qtbot)
    assert dialog.cost.property("tone") == "danger"
    assert rig.built[-1].settings[EMBEDDING_MODEL] == ""


def test_a_multilingual_model_is_proposed_for_foreign_documents(
    rig: DesktopRig, full: Desktop, qtbot: QtBot, tmp_path: Path, hub: HubServer
) -> None:
    notice = full.window.right.library.notice
    assert notice.isHidden()
    letter = tmp_path / "carta.txt"
    letter.write_text("\n\n".join(f"{SPANISH} {number}" for number in range(80)))
    rig.add(letter)
    qtbot.waitUntil(notice.isVisible, timeout=WAIT)
    assert NAME in notice.words.text()
    notice.action.click()
    dialog = full.search_models.dialog
    assert dialog is not None
    qtbot.waitUntil(dialog.proposal.isVisible, timeout=WAIT)
    dialog.proposal.action.click()
    qtbot.waitUntil(lambda: dialog.rows[NAME].model.folder is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: dialog.proposal.action.text() == f"Use {NAME}", timeout=WAIT)
    assert rig.built[-1].settings[EMBEDDING_MODEL] == "", "a proposal chooses nothing"
