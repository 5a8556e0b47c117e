"""An embedder that computes each text once, for sets whose questions meet the same sentences again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.retrieval.word_vectors import word_vectors

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder, WordVectors


class RememberingEmbedder:
    """Embeds each text once. One thread at a time."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, NDArray[np.float32]] = {}
        self._words: dict[str, WordVectors] = {}
        self.model_key = embedder.model_key
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of the texts, shape (len(texts), dimension)."""
        missing = [each for each in dict.fromkeys(texts) if each not in self._known]
        if missing:
            self._known.update(zip(missing, self._embedder.embed_passages(missing), strict=True))
        return np.stack([self._known[each] for each in texts])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Vector of a query, computed anew."""
        return self._embedder.embed_query(text)

    def embed_words(self, texts: Sequence[str], *, query: bool = False) -> list[WordVectors]:
        """Vectors of texts and of their words; those of a query computed anew."""
        if query:
            return word_vectors(self._embedder, texts, query=True)
        missing = [each for each in dict.fromkeys(texts) if each not in self._words]
        if missing:
            self._words.update(zip(missing, word_vectors(self._embedder, missing), strict=True))
        return [self._words[each] for each in texts]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        return self._embedder.count_tokens(texts)

    def close(self) -> None:
        """The program closes its embedder itself."""
