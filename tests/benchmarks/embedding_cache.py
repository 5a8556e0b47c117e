"""An embedder that remembers on the disk what it was given, so that a benchmark's second run is quick."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.retrieval.word_vectors import word_vectors

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder, WordVectors

BATCH = 256


class CachedEmbedder:
    """Passages come from the cache where they were embedded before by the same model; queries never do."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder = embedder
        self.model_key = embedder.model_key
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(embedder.model_key.encode()).hexdigest()[:16]
        self._database = sqlite3.connect(folder / f"embeddings-{name}.db", isolation_level=None)
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE IF NOT EXISTS vectors (text_hash BLOB PRIMARY KEY, vector BLOB)")

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of the texts, shape (len(texts), dimension)."""
        keys = [hashlib.sha256(text.encode()).digest() for text in texts]
        for start in range(0, len(texts), BATCH):
            self._embed_missing(texts[start : start + BATCH], keys[start : start + BATCH])
        rows = [self._known(key) for key in keys]
        return np.stack([np.frombuffer(row, dtype="<f4") for row in rows if row is not None])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Vector of a query, computed anew."""
        return self._embedder.embed_query(text)

    def embed_words(self, texts: Sequence[str], *, query: bool = False) -> list[WordVectors]:
        """Vectors of texts and their words, computed anew."""
        return word_vectors(self._embedder, texts, query=query)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        return self._embedder.count_tokens(texts)

    def close(self) -> None:
        """Close the cache and the embedder."""
        self._database.close()
        self._embedder.close()

    def _embed_missing(self, texts: Sequence[str], keys: Sequence[bytes]) -> None:
        missing = [place for place, key in enumerate(keys) if self._known(key) is None]
        if not missing:
            return
        vectors = self._embedder.embed_passages([texts[place] for place in missing])
        rows = [(keys[place], vector.astype("<f4").tobytes()) for place, vector in zip(missing, vectors, strict=True)]
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
        self._database.execute("COMMIT")

    def _known(self, key: bytes) -> bytes | None:
        row = self._database.execute("SELECT vector FROM vectors WHERE text_hash = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])
