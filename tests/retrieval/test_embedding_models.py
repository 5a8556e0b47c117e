"""Which model files are taken, and how they are converted."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.domain.cancellation import CancelToken
from app.domain.errors import ModelFileError, WorkCancelledError
from app.retrieval.embedding_models import (
    EMBEDDING_DEVICE,
    EMBEDDING_ENGINE,
    EMBEDDING_MODEL,
    EMBEDDING_PRECISION,
    open_embedder,
)
from app.retrieval.engine_choice import Engine, EngineChoice, Precision
from app.retrieval.engine_files import COMPILED, GRAPH, MANIFEST, TOKENIZER, WEIGHTS, EngineFiles
from app.retrieval.model_conversion import ConversionOrder, ensure_converted
from app.retrieval.model_files import ALL_MINILM, ModelFiles, packaged_folder
from app.retrieval.model_verification import DigestCache, sha256_of
from app.retrieval.on_demand_embedder import OnDemandEmbedder
from app.retrieval.openvino_engine import OpenVinoEmbedder
from app.retrieval.sentence_transformers_engine import SentenceTransformersEmbedder
from app.settings.paths import AppPaths
from app.settings.setting import Setting
from app.storage.session_store import open_chats
from app.storage.settings_store import SettingsStore
from tests.retrieval.tiny_model import write_tiny_model

FP32 = EngineChoice(precision=Precision.FP32)


def flip_byte(path: Path, position: int = -100) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def order(folder: Path, target: Path) -> ConversionOrder:
    files = ModelFiles(folder, "tiny")
    return ConversionOrder(folder, "tiny", dict(files.digests), Precision.FP32, target)


class Canary:
    """Writes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_the_default_model_is_the_published_one() -> None:
    assert sha256_of(packaged_folder(ALL_MINILM) / "model.safetensors") == (
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    )
    files = ModelFiles(packaged_folder(ALL_MINILM), ALL_MINILM.name, ALL_MINILM.sha256)
    files.verify()
    assert (files.dimension, files.max_tokens, files.pooling) == (384, 256, "mean")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
@pytest.mark.parametrize("engine", [Engine.FAST, Engine.REFERENCE])
def test_an_altered_byte_is_refused(name: str, engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(packaged_folder(ALL_MINILM), folder)
    flip_byte(folder / name)
    files = ModelFiles(folder, ALL_MINILM.name, ALL_MINILM.sha256)
    embedder = OnDemandEmbedder(files, tmp_path / "models", EngineChoice(engine=engine), print)
    with pytest.raises(ModelFileError, match=f"{name} .*altered"):
        embedder.embed_query("boat")
    assert not list(tmp_path.glob("models/*/manifest.json"))


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "model.pt", "1_Pooling/x.PKL", "modeling_tiny.py", "checkpoint.ckpt", "old.pickle"]
)
def test_files_that_can_run_code_are_refused_unread(name: str, tiny_folder: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    (tiny_folder / name).write_bytes(pickle.dumps(Canary(canary)))
    for choice in (FP32, EngineChoice(engine=Engine.REFERENCE)):
        embedder = OnDemandEmbedder(ModelFiles(tiny_folder, "tiny"), tmp_path / "models", choice, print)
        with pytest.raises(ModelFileError, match=Path(name).name):
            embedder.embed_query("boat")
    assert not canary.exists()


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_model_that_brings_its_own_code_is_refused(name: str, tiny_folder: Path, tmp_path: Path) -> None:
    config = json.loads((tiny_folder / name).read_text(encoding="utf-8"))
    config["auto_map"] = {"AutoModel": "modeling_tiny.Tiny"}
    (tiny_folder / name).write_text(json.dumps(config), encoding="utf-8")
    embedder = OnDemandEmbedder(ModelFiles(tiny_folder, "tiny"), tmp_path / "models", FP32, print)
    with pytest.raises(ModelFileError, match="auto_map"):
        embedder.embed_query("boat")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors"),
        (lambda folder: (folder / "config.json").write_text("{", encoding="utf-8"), "config.json is damaged"),
        (lambda folder: (folder / "config.json").write_text("[1]", encoding="utf-8"), "config.json is damaged"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}", encoding="utf-8"), "tokenizer"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 40), "model.safetensors is damaged"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b""), "model.safetensors is damaged"),
        (lambda folder: os.truncate(folder / "model.safetensors", 5000), "model.safetensors is damaged"),
        (shutil.rmtree, "There is no folder"),
    ],
)
def test_an_unusable_model_is_named_with_its_fault(
    damage: Callable[[Path], object], message: str, tiny_folder: Path, tmp_path: Path
) -> None:
    damage(tiny_folder)
    embedder = OnDemandEmbedder(ModelFiles(tiny_folder, "tiny"), tmp_path / "models", FP32, print)
    with pytest.raises(ModelFileError, match=message):
        embedder.embed_query("boat")


def test_a_model_is_known_by_its_content(tmp_path: Path) -> None:
    one, same, other = (
        ModelFiles(write_tiny_model(tmp_path / name, seed=seed), "tiny")
        for name, seed in (("one", 1), ("same", 1), ("other", 2))
    )
    assert one.model_key("fp32") == same.model_key("fp32") != other.model_key("fp32")
    assert one.model_key("fp32") != one.model_key("int8")


def test_digests_are_remembered_until_the_file_changes(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(9 * 1024 * 1024))
    cache = DigestCache(tmp_path / "digests.json")
    first = cache.sha256(large)
    state = large.stat()
    assert DigestCache(tmp_path / "digests.json").sha256(large) == first == sha256_of(large)
    flip_byte(large)
    os.utime(large, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert cache.sha256(large) == sha256_of(large) != first
    (tmp_path / "digests.json").write_text("nonsense", encoding="utf-8")
    assert cache.sha256(large) == sha256_of(large)


def test_conversion_tells_its_progress_and_happens_once(tiny_folder: Path, tmp_path: Path, cancel: CancelToken) -> None:
    told: list[float] = []
    target = tmp_path / "models" / "tiny"
    files = ensure_converted(order(tiny_folder, target), told.append, cancel)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert sorted(
        path.name for path in target.iterdir() if path.name in {GRAPH, WEIGHTS, TOKENIZER, MANIFEST}
    ) == sorted([GRAPH, WEIGHTS, TOKENIZER, MANIFEST])
    assert ensure_converted(order(tiny_folder, target), told.remove, cancel).folder == files.folder


def test_a_cancelled_conversion_leaves_nothing_and_can_be_repeated(tiny_folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "models" / "tiny"
    token = CancelToken()
    with pytest.raises(WorkCancelledError):
        ensure_converted(order(tiny_folder, target), lambda part: token.cancel(), token)
    assert not target.exists()
    assert ensure_converted(order(tiny_folder, target), print, CancelToken()).manifest() is not None


def test_what_a_killed_conversion_left_is_cleared(tiny_folder: Path, tmp_path: Path, cancel: CancelToken) -> None:
    target = tmp_path / "models" / "tiny"
    partial = target.with_name(".tiny.partial")
    for folder in (partial, target):
        folder.mkdir(parents=True)
        (folder / WEIGHTS).write_bytes(b"half")
    assert ensure_converted(order(tiny_folder, target), print, cancel).manifest() is not None
    assert not partial.exists()


def test_two_at_once_convert_once(tiny_folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "models" / "tiny"
    told: list[list[float]] = [[], []]
    threads = [
        threading.Thread(target=ensure_converted, args=(order(tiny_folder, target), each.append, CancelToken()))
        for each in told
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(bool(each) for each in told) == [False, True]
    assert EngineFiles(target).manifest() is not None


@pytest.mark.parametrize("name", [WEIGHTS, GRAPH, TOKENIZER, MANIFEST])
def test_a_damaged_conversion_is_made_again(name: str, tiny_folder: Path, tmp_path: Path) -> None:
    def embedder() -> OnDemandEmbedder:
        return OnDemandEmbedder(ModelFiles(tiny_folder, "tiny"), tmp_path / "models", FP32, print)

    first = embedder()
    expected = first.embed_query("river boat")
    first.close()
    (converted,) = (tmp_path / "models").glob("*/" + name)
    (converted.parent / COMPILED).unlink()
    flip_byte(converted, 10)
    second = embedder()
    assert np.allclose(second.embed_query("river boat"), expected, atol=1e-5)
    second.close()
    assert EngineFiles(converted.parent).manifest() is not None


@pytest.mark.parametrize("damage", [flip_byte, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_compiled_model_is_compiled_again(
    damage: Callable[[Path], object], tiny_folder: Path, tmp_path: Path, cancel: CancelToken
) -> None:
    files = ensure_converted(order(tiny_folder, tmp_path / "models" / "tiny"), print, cancel)
    before = OpenVinoEmbedder(files)
    expected = before.embed_query("river boat")
    before.close()
    intact = (files.folder / COMPILED).read_bytes()
    damage(files.folder / COMPILED)
    after = OpenVinoEmbedder(files)
    assert np.allclose(after.embed_query("river boat"), expected, atol=1e-6)
    after.close()
    assert len((files.folder / COMPILED).read_bytes()) > len(intact) / 2


def test_tokens_are_counted_before_the_model_is_converted(tiny_folder: Path, tmp_path: Path) -> None:
    embedder = OnDemandEmbedder(ModelFiles(tiny_folder, "tiny"), tmp_path / "models", FP32, print)
    assert embedder.count_tokens(["the river", ""]) == [4, 2]
    assert (embedder.dimension, embedder.max_tokens, embedder.prepared) == (16, 32, False)
    assert embedder.model_key.endswith("/fp32")
    assert not (tmp_path / "models").exists()


def test_closing_ends_a_conversion(tiny_folder: Path, tmp_path: Path) -> None:
    embedder = OnDemandEmbedder(
        ModelFiles(tiny_folder, "tiny"), tmp_path / "models", FP32, lambda part: embedder.close()
    )
    with pytest.raises(WorkCancelledError):
        embedder.embed_query("boat")
    assert not list(tmp_path.glob("models/*/manifest.json"))


def test_an_architecture_that_can_not_be_built_is_traced(tmp_path: Path) -> None:
    """Its pooling is one that the graph builder doesn't know, so torch does the conversion."""
    folder = write_tiny_model(tmp_path / "tiny", pooling="max")
    fast = OnDemandEmbedder(ModelFiles(folder, "tiny"), tmp_path / "models", FP32, print)
    slow = OnDemandEmbedder(ModelFiles(folder, "tiny"), tmp_path, EngineChoice(engine=Engine.REFERENCE), print)
    texts = ["the river is ice", "a boat", "", "paint wood " * 9]
    assert isinstance(fast.engine(), OpenVinoEmbedder)
    assert (fast.embed_passages(texts) * slow.embed_passages(texts)).sum(axis=1).min() >= 0.9999
    fast.close()
    slow.close()


def test_what_was_found_not_to_be_convertible_goes_to_the_reference_engine(tmp_path: Path) -> None:
    files = ModelFiles(write_tiny_model(tmp_path / "tiny", pooling="max"), "tiny")
    models = tmp_path / "models"
    models.mkdir()
    (models / f"tiny_{files.fingerprint[:12]}_int8.refused").write_text("unknown operation", encoding="utf-8")
    embedder = OnDemandEmbedder(files, models, EngineChoice(), print)
    assert embedder.prepared
    assert embedder.model_key == files.model_key("fp32")
    assert embedder.embed_query("boat").shape == (16,)
    assert isinstance(embedder.engine(), SentenceTransformersEmbedder)
    embedder.close()


@pytest.fixture
def unknown_folder(tiny_folder: Path) -> Path:
    """A model of an architecture that nobody knows."""
    config = json.loads((tiny_folder / "config.json").read_text(encoding="utf-8"))
    (tiny_folder / "config.json").write_text(json.dumps(config | {"model_type": "unheard-of"}), encoding="utf-8")
    return tiny_folder


def test_an_unknown_architecture_is_tried_once(unknown_folder: Path, tmp_path: Path) -> None:
    embedder = OnDemandEmbedder(ModelFiles(unknown_folder, "tiny"), tmp_path / "models", FP32, print)
    with pytest.raises(ModelFileError, match="can't be loaded"):
        embedder.embed_query("boat")
    assert len(list((tmp_path / "models").glob("*.refused"))) == 1


def test_the_fast_engine_says_what_it_can_not_run(unknown_folder: Path, tmp_path: Path) -> None:
    choice = EngineChoice(engine=Engine.FAST, precision=Precision.FP32)
    embedder = OnDemandEmbedder(ModelFiles(unknown_folder, "tiny"), tmp_path / "models", choice, print)
    with pytest.raises(ModelFileError, match="reference engine in the settings"):
        embedder.embed_query("boat")


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    """Folders of a new user."""
    paths = AppPaths.from_environment({"FOOTNOTE_HOME": str(tmp_path / "home")})
    paths.create()
    return paths


@pytest.fixture
def stored(paths: AppPaths) -> Iterator[SettingsStore]:
    """That user's settings."""
    database = open_chats(paths.chats_db)
    yield SettingsStore(database)
    database.close()


def test_settings_choose_model_precision_and_engine(paths: AppPaths, stored: SettingsStore, tiny_folder: Path) -> None:
    assert open_embedder(stored, paths).model_key.startswith("all-MiniLM-L6-v2@")
    assert open_embedder(stored, paths).model_key.endswith("/int8")
    stored.set(EMBEDDING_PRECISION, Precision.FP32)
    assert open_embedder(stored, paths).model_key.endswith("/fp32")
    stored.set(EMBEDDING_MODEL, str(tiny_folder))
    chosen = open_embedder(stored, paths)
    assert chosen.model_key.startswith("tiny@")
    assert chosen.embed_query("boat").shape == (16,)
    assert isinstance(chosen, OnDemandEmbedder)
    assert isinstance(chosen.engine(), OpenVinoEmbedder)
    chosen.close()


@pytest.mark.parametrize("setting_and_value", [(EMBEDDING_ENGINE, Engine.REFERENCE), (EMBEDDING_DEVICE, "cuda")])
def test_a_device_or_the_setting_chooses_the_reference_engine(
    setting_and_value: tuple[Setting[object], object], paths: AppPaths, stored: SettingsStore
) -> None:
    stored.set(*setting_and_value)
    embedder = open_embedder(stored, paths)
    assert isinstance(embedder, OnDemandEmbedder)
    assert embedder.prepared
    assert embedder.model_key.endswith("/fp32")


def test_a_device_that_is_not_there_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    choice = EngineChoice(device="cuda:7")
    embedder = OnDemandEmbedder(ModelFiles(tiny_folder, "tiny"), tmp_path / "models", choice, print)
    with pytest.raises(ModelFileError, match="cuda:7"):
        embedder.embed_query("boat")
