"""Which model embeds, and by which engine."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol, TypeVar

from app.retrieval.engine_choice import Engine, EngineChoice, Precision
from app.retrieval.model_catalogue import EMBEDDING, installed_model
from app.retrieval.model_conversion import Progress
from app.retrieval.model_files import ALL_MINILM, ModelFiles, packaged_folder
from app.retrieval.model_verification import DigestCache
from app.retrieval.on_demand_embedder import OnDemandEmbedder
from app.retrieval.onnx_embedder import OnnxEmbedder
from app.settings.paths import AppPaths
from app.settings.setting import Setting

log = logging.getLogger(__name__)

T = TypeVar("T")


EMBEDDING_MODEL = Setting(
    "retrieval.embedding_model",
    "",
    "Search model",
    "The folder of a sentence-transformers model. Empty is the one that comes with Footnote, all-MiniLM-L6-v2. Another"
    " one reads everything again in the background; until that is done the one before answers. How long it takes,"
    " `footnote reindex --dry-run` tells.",
    restart=True,
)
EMBEDDING_ENGINE = Setting(
    "retrieval.embedding_engine",
    Engine.AUTOMATIC,
    "Search engine",
    "The fast engine (OpenVINO) starts in a fraction of a second; the reference engine (PyTorch) runs every model on"
    " every device. Automatic is the fast one wherever it can serve.",
    restart=True,
)
EMBEDDING_PRECISION = Setting(
    "retrieval.embedding_precision",
    Precision.INT8,
    "Search precision",
    "8-bit numbers are more than twice as fast and find the same passages; 32-bit numbers are exact.",
    restart=True,
)
EMBEDDING_DEVICE = Setting(
    "retrieval.embedding_device",
    "cpu",
    "Search device",
    "Where the reference engine computes: cpu, cuda or mps. Anything but cpu chooses the reference engine.",
    restart=True,
)
EMBEDDING_THREADS = Setting(
    "retrieval.embedding_threads",
    0,
    "Processor cores for search",
    "How many cores reading files may keep busy; 0 is all.",
    minimum=0,
    maximum=256,
    restart=True,
)


class Settings(Protocol):
    """Where the values of settings come from."""

    def __getitem__(self, setting: Setting[T], /) -> T:
        """The value of ``setting``."""
        ...


def open_embedder(
    settings: Settings,
    paths: AppPaths,
    progress: Progress = lambda part: log.info("preparing the search model: %d%%", 100 * part),
) -> OnDemandEmbedder | OnnxEmbedder:
    """The embedder that the settings choose. Nothing is loaded yet; ``progress`` is told about a conversion."""
    installed = installed_model(Path(chosen).expanduser()) if (chosen := settings[EMBEDDING_MODEL]) else None
    if installed is not None and installed.model.kind == EMBEDDING:
        return OnnxEmbedder(installed, threads=settings[EMBEDDING_THREADS])
    choice = EngineChoice(
        engine=settings[EMBEDDING_ENGINE],
        precision=settings[EMBEDDING_PRECISION],
        device=settings[EMBEDDING_DEVICE],
        threads=settings[EMBEDDING_THREADS],
    )
    return OnDemandEmbedder(
        model_files(settings[EMBEDDING_MODEL], paths.models_dir), paths.models_dir, choice, progress
    )


def model_files(chosen: str, models_dir: Path) -> ModelFiles:
    """The model in the folder ``chosen``; the one that comes with Footnote if that is empty."""
    if not chosen:
        return ModelFiles(packaged_folder(ALL_MINILM), ALL_MINILM.name, ALL_MINILM.sha256)
    folder = Path(chosen).expanduser()
    return ModelFiles(folder, folder.name, digest=DigestCache(models_dir / "digests.json").sha256)
