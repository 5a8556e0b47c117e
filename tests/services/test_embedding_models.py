"""Search models are downloaded once, checked, remembered, and proposed where English is not enough."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import BadInputError, ModelFileError
from app.network.file_download import DownloadError
from app.retrieval.embedding_models import EMBEDDING_MODEL, open_embedder
from app.retrieval.model_catalogue import Catalogue
from app.services.embedding_model_service import EmbeddingModelService, hub_runner
from app.settings.paths import AppPaths
from app.settings.setting import Setting
from tests.chat_models.stub_server import StubServer
from tests.retrieval.small_library import SmallLibrary
from tests.retrieval.tiny_onnx import catalogue_model, write_tiny_onnx
from tests.services.hub_server import HubServer

SPANISH = "El perro de la casa no ladra por la noche y el gato duerme en la cocina."


class Chosen:
    """Settings with one model chosen."""

    def __init__(self) -> None:
        self.model = ""

    def __getitem__(self, setting: Setting[Any]) -> Any:
        return self.model if setting.key == EMBEDDING_MODEL.key else setting.default


class Bench:
    """A service with a catalogue of one model, and the hub it is on."""

    def __init__(self, folder: Path, server: StubServer) -> None:
        model = catalogue_model()
        write_tiny_onnx(folder / "original", model)
        self.hub = HubServer(server, model.repository, folder / "original", model.files)
        (folder / "catalogue.json").write_text(json.dumps({"models": [asdict(model)]}))
        self.models_dir = folder / "home" / "data" / "models"
        self.models_dir.mkdir(parents=True)
        self.library = SmallLibrary(folder)
        self.settings = Chosen()
        self.environ = {"HF_ENDPOINT": server.url}
        self.folder = folder
        self.name = model.name

    @property
    def service(self) -> EmbeddingModelService:
        run = hub_runner(lambda work, cancel: asyncio.run(work), self.environ)
        catalogue = Catalogue(self.folder / "catalogue.json")
        return EmbeddingModelService(catalogue, self.models_dir, self.settings, self.library.store, run)


@pytest.fixture
def bench(tmp_path: Path, stub: StubServer) -> Iterator[Bench]:
    bench = Bench(tmp_path, stub)
    yield bench
    bench.library.close()


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


def test_a_downloaded_model_embeds(bench: Bench) -> None:
    with pytest.raises(BadInputError, match="download"):
        bench.service.installed(bench.name)
    told: dict[str, int] = {}
    installed = bench.service.download(bench.name, progress=told.__setitem__)
    assert told == {path: len(content) for path, content in bench.hub.content.items()}
    assert installed.commit == bench.hub.commit
    [view] = bench.service.models()
    assert (view.folder, view.in_use) == (installed.folder, False)
    bench.settings.model = str(installed.folder)
    assert bench.service.models()[0].in_use
    paths = AppPaths.from_environment({"FOOTNOTE_HOME": str(bench.folder / "home")})
    embedder = open_embedder(bench.settings, paths)
    assert embedder.model_key.startswith(f"{bench.name}@")
    assert embedder.embed_query("boat").shape == (8,)
    embedder.close()


def test_a_second_download_only_checks(bench: Bench) -> None:
    first = bench.service.download(bench.name)
    count = len(bench.hub.requests)
    assert bench.service.download(bench.name) == first
    assert len(bench.hub.requests) == count
    (first.folder / first.model.onnx).write_bytes(b"other")
    with pytest.raises(ModelFileError, match="checksum"):
        bench.service.download(bench.name)


def test_an_interrupted_download_goes_on(bench: Bench) -> None:
    path = bench.service.download(bench.name).model.onnx
    whole = bench.hub.content[path]
    shutil.rmtree(bench.models_dir)
    bench.models_dir.mkdir()
    bench.hub.cut_after = [len(whole) // 2]
    installed = bench.service.download(bench.name)
    assert (installed.folder / path).read_bytes() == whole


def test_what_differs_from_the_stated_checksums_is_refused(bench: Bench) -> None:
    for path, content in bench.hub.stated.items():
        bench.hub.content = bench.hub.stated | {path: content[:-1] + bytes([content[-1] ^ 1])}
        with pytest.raises(DownloadError):
            bench.service.download(bench.name)
        assert bench.service.models()[0].folder is None


def test_later_downloads_must_bring_the_same_files(bench: Bench) -> None:
    first = bench.service.download(bench.name)
    shutil.rmtree(first.folder)
    changed = {path: content + b" " for path, content in bench.hub.content.items()}
    bench.hub.content = bench.hub.stated = changed  # a hub that gives out other files for the same commit
    with pytest.raises(DownloadError, match="checksum"):
        bench.service.download(bench.name)


def test_a_run_that_ended_before_its_note_is_completed(bench: Bench) -> None:
    first = bench.service.download(bench.name)
    (first.folder / "footnote-model.json").unlink()
    assert bench.service.models()[0].folder is None
    assert bench.service.download(bench.name) == first


def test_nothing_is_fetched_where_downloads_are_off(bench: Bench) -> None:
    bench.environ["HF_HUB_OFFLINE"] = "1"
    with pytest.raises(DownloadError, match="turned off"):
        bench.service.download(bench.name)
    assert not bench.hub.requests


def test_an_unknown_model_is_bad_input(bench: Bench) -> None:
    with pytest.raises(BadInputError, match=bench.name):
        bench.service.download("nothing")


def test_a_file_the_hub_lacks_is_told(bench: Bench) -> None:
    del bench.hub.stated["tokenizer.json"]
    with pytest.raises(DownloadError, match=r"tokenizer\.json"):
        bench.service.download(bench.name)


def test_a_multilingual_model_is_proposed_for_foreign_documents(bench: Bench) -> None:
    assert bench.service.proposal() is None
    bench.library.put("english.txt", ["The cat sat on the mat and it was in the house."] * 10)
    assert bench.service.proposal() is None
    bench.library.put("spanish.txt", [f"{SPANISH} {number}" for number in range(10)])
    proposal = bench.service.proposal()
    assert proposal is not None
    assert proposal.model.name == bench.name
    assert proposal.languages["es"] == pytest.approx(0.5, abs=0.2)
    assert "models embedding download" in proposal.reason
    bench.settings.model = str(bench.service.download(bench.name).folder)
    assert bench.service.proposal() is None


def test_a_multilingual_model_is_proposed_for_a_foreign_window(bench: Bench) -> None:
    assert bench.service.proposal("es-MX") is not None
    assert bench.service.proposal("en-GB") is None
    assert bench.service.proposal("zh") is None  # no model of this catalogue knows Chinese


def test_languages_are_told_by_script_and_words(bench: Bench) -> None:
    texts = [SPANISH, "人民法院依法独立行使审判权。", "Столица", "The cat sat on the mat.", "x7"]
    bench.library.put("all.txt", texts)
    assert bench.service.languages() == pytest.approx({"en": 0.4, "es": 0.2, "zh": 0.2, "other": 0.2})
