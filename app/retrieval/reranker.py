"""Ranking the best passages again, with a model that reads the question and a passage together."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.domain.errors import ModelFileError
from app.retrieval.model_catalogue import RERANKER, InstalledModel, installed_model
from app.settings.setting import Setting

if TYPE_CHECKING:
    from app.retrieval.onnx_model import OnnxModel

log = logging.getLogger(__name__)

T = TypeVar("T")

RERANKER_MODEL = Setting(
    "retrieval.reranker_model",
    "",
    "Second ranking",
    "The folder of a model that compares the question with each of the best passages: better order, slower search."
    " Empty is none. `footnote models reranker` lists those that can be downloaded.",
)
RERANKED = 30
AT_ONCE = 6
BUDGET_SECONDS = 1.5


class Reranker(Protocol):
    """Says how well passages answer a query."""

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """One score a passage, the higher the better. Raises ``ModelFileError``."""
        ...


class OnnxReranker:
    """A downloaded cross-encoder, opened at the first query. Thread-safe."""

    def __init__(self, installed: InstalledModel) -> None:
        self._installed = installed
        self._lock = threading.Lock()
        self._model: OnnxModel | None = None

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """See ``Reranker``. Of several outputs a text, the last is how likely it answers."""
        pairs = [(_encodable(query), _encodable(passage)) for passage in passages]
        found = [0.0] * len(pairs)
        for places, _, values in self._opened().outputs(pairs):
            for place, row in zip(places, values.reshape(len(places), -1), strict=True):
                found[place] = float(row[-1])
        return found

    def close(self) -> None:
        """Free the model."""
        with self._lock:
            model, self._model = self._model, None
        if model is not None:
            model.close()

    def _opened(self) -> OnnxModel:
        from app.retrieval.onnx_model import OnnxModel

        with self._lock:
            if self._model is None:
                self._model = OnnxModel(self._installed)
            return self._model


def open_reranker(folder: str) -> OnnxReranker | None:
    """The reranker in ``folder``; None where that is empty. Raises ``ModelFileError`` where there is none."""
    if not folder:
        return None
    installed = installed_model(Path(folder))
    if installed is None or installed.model.kind != RERANKER:
        raise ModelFileError(f"{folder} holds no reranker. Choose another: footnote models reranker")
    return OnnxReranker(installed)


class SecondRanking:
    """Orders the best passages by a reranker, as many as the budget of time allows; never fails.

    ``folder`` tells the reranker of the settings, which may change at any time.
    """

    def __init__(
        self,
        folder: Callable[[], str],
        open_model: Callable[[str], Reranker | None] = open_reranker,
        *,
        budget: float = BUDGET_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._open_model = open_model
        self._budget = budget
        self._clock = clock
        self._opened: tuple[str, Reranker | None] = ("", None)

    @property
    def active(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._folder())

    def ordered(self, query: str, items: Sequence[T], texts: Sequence[str]) -> list[T]:
        """The items, best first; ``texts`` are those of the first items. What is not ranked again keeps its place."""
        scores: list[float] = []
        until = self._clock() + self._budget
        try:
            model = self._model()
            while model is not None and len(scores) < len(texts) and (not scores or self._clock() < until):
                scores += model.scores(query, texts[len(scores) : len(scores) + AT_ONCE])
        except (ModelFileError, RuntimeError, ValueError) as error:  # what the engine raises
            log.warning("the second ranking failed, the first one stands: %s", error)
            return list(items)
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        return [items[place] for place in order] + list(items[len(scores) :])

    def _model(self) -> Reranker | None:
        folder = self._folder()
        if self._opened[0] != folder:
            self._opened = (folder, self._open_model(folder))
        return self._opened[1]


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
