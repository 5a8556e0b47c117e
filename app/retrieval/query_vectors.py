"""Vectors of questions, remembered for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.retrieval.embedder import TellsLanguages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.retrieval.embedder import Embedder

REMEMBERED = 64
LONGEST_QUESTION = 8_000
"""Characters of a question that are embedded; models cut off far earlier."""


class QueryVectors:
    """Embeds questions with one model, each of the last ``REMEMBERED`` once. Thread-safe."""

    def __init__(self, open_embedder: Callable[[], Embedder]) -> None:
        self._open_embedder = open_embedder
        self._recent: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def languages(self, otherwise: frozenset[str] | None) -> frozenset[str] | None:
        """ISO 639-1 codes of the model's languages, None for any; ``otherwise`` of a model that doesn't tell."""
        embedder = self._open_embedder()
        return embedder.languages if isinstance(embedder, TellsLanguages) else otherwise

    def vector(self, question: str) -> NDArray[np.float32]:
        """The vector, shape (dimension,), length one. Raises what opening the model raises."""
        text = question[:LONGEST_QUESTION].replace("\0", " ")
        with self._lock:
            if text in self._recent:
                self._recent.move_to_end(text)
                return self._recent[text]
        vector = self._open_embedder().embed_query(text)
        with self._lock:
            self._recent[text] = vector
            while len(self._recent) > REMEMBERED:
                self._recent.popitem(last=False)
        return vector
