"""An embedder that needs no model."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from app.grounding.terms import terms
from app.retrieval.embedder import WordVectors
from app.retrieval.word_vectors import words_alone
from tests.retrieval.conftest import default_model, int8_embedder, models_dir

__all__ = ["default_model", "int8_embedder", "models_dir"]


class WordEmbedder:
    """Vectors of hashed words: texts are as similar as the words they share."""

    model_key = "words-256"
    dimension = 256
    max_tokens = 256

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.called = threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.called.set()
        assert self.gate.wait(30)
        self.batches.append(len(texts))
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        vector = np.full(self.dimension, 1e-6, dtype=np.float32)
        for term in terms(text):
            vector[int.from_bytes(hashlib.sha256(term.encode()).digest()[:2], "little") % self.dimension] += 1.0
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)

    def embed_words(self, texts: Sequence[str], *, query: bool = False) -> list[WordVectors]:
        self.batches.append(len(texts))
        alone = WordEmbedder()
        return words_alone(alone, texts, query=query)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def close(self) -> None:
        pass


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()
