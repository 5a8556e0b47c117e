"""Models for the tests of the retrieval room."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.cancellation import CancelToken
from app.retrieval.engine_choice import EngineChoice, Precision
from app.retrieval.model_files import ALL_MINILM, ModelFiles, packaged_folder
from app.retrieval.on_demand_embedder import OnDemandEmbedder
from app.settings.resources import resource
from tests.retrieval.tiny_model import write_tiny_model

REPOSITORY = Path(__file__).resolve().parents[2]
_RECIPE = ("bert_graph", "conversion_process", "engine_files", "model_compiler", "quantization", "safetensors_file")


@pytest.fixture(scope="session")
def default_model() -> ModelFiles:
    """The model that comes with the program."""
    return ModelFiles(packaged_folder(ALL_MINILM), ALL_MINILM.name, ALL_MINILM.sha256)


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """A folder of converted models that outlives the test run, until what converts them changes."""
    recipe = [REPOSITORY / "app" / "retrieval" / f"{name}.py" for name in _RECIPE]
    recipe.append(resource("embedding", "calibration.txt"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in recipe)).hexdigest()[:16]
    folder = REPOSITORY / "build" / "test-models" / digest
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def int8_embedder(default_model: ModelFiles, models_dir: Path) -> Iterator[OnDemandEmbedder]:
    """The default model as users get it."""
    embedder = OnDemandEmbedder(default_model, models_dir, EngineChoice(), print)
    yield embedder
    embedder.close()


@pytest.fixture(scope="session")
def fp32_embedder(default_model: ModelFiles, models_dir: Path) -> Iterator[OnDemandEmbedder]:
    """The default model in the fast engine without quantisation."""
    embedder = OnDemandEmbedder(default_model, models_dir, EngineChoice(precision=Precision.FP32), print)
    yield embedder
    embedder.close()


@pytest.fixture
def tiny_folder(tmp_path: Path) -> Path:
    """A small random BERT."""
    return write_tiny_model(tmp_path / "tiny")


@pytest.fixture
def cancel() -> CancelToken:
    """A token that nobody has cancelled."""
    return CancelToken()
