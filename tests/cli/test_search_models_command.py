"""``footnote models embedding``: a multilingual model is listed, fetched from a hub, and used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.retrieval.model_catalogue import Catalogue
from app.settings.resources import resource
from tests.chat_models.stub_server import StubServer
from tests.cli.conftest import Footnote
from tests.retrieval.tiny_onnx import write_tiny_onnx
from tests.services.hub_server import HubServer

NAME = "multilingual-e5-small"
SPANISH = "El perro de la casa no ladra por la noche y el gato duerme en la cocina.\n\n"


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


def test_a_model_is_proposed_downloaded_and_used(
    footnote: Footnote, stub: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Catalogue(resource("models", "catalogue.json")).model(NAME, "embedding")
    write_tiny_onnx(tmp_path / "original", model)
    HubServer(stub, model.repository, tmp_path / "original", model.files)
    monkeypatch.setenv("HF_ENDPOINT", stub.url)
    monkeypatch.setenv("HF_HUB_OFFLINE", "")
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "")
    text = tmp_path / "perro.txt"
    text.write_text(SPANISH, encoding="utf-8")
    assert footnote("ingest", text).status == 0

    listed = footnote("models", "embedding", "--json").rows
    assert [row["in_use"] for row in listed if row.get("name") == NAME] == [False]
    assert listed[-1]["proposal"] == NAME
    assert footnote("models", "embedding", "use", NAME).status == 2
    assert "proposed" in footnote("doctor").out

    fetched = footnote("models", "embedding", "download", NAME)
    assert fetched.status == 0, fetched.err
    assert "checked (2 files" in fetched.out
    used = footnote("models", "embedding", "use", NAME)
    assert used.status == 0, used.err
    assert f"{NAME}@" in used.out
    listed = footnote("models", "embedding", "--json").rows
    assert [row["in_use"] for row in listed if row.get("name") == NAME] == [True]
    assert "proposal" not in listed[-1]
    assert footnote("search", "perro", "--json").rows[0]["path"] == str(text)


@pytest.mark.parametrize("arguments", [("use",), ("fly", "x"), ("download", "nothing")])
def test_what_can_not_be_done_is_bad_input(footnote: Footnote, arguments: tuple[str, ...]) -> None:
    assert footnote("models", "embedding", *arguments).status == 2
