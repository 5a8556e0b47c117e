"""A real library with little in it, and an embedder whose vectors can be told in advance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.domain.documents import Chunk, FileStamp, Section, assemble
from app.retrieval.search_text import search_text, words
from app.storage.library_store import LibraryStore, open_library

DIMENSION = 8
MODEL = "hash-8"


def unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """The vector at length one."""
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class HashEmbedder:
    """Adds up a vector per word, drawn from the word's hash: texts that share words are near each other."""

    model_key = MODEL
    dimension = DIMENSION
    max_tokens = 256

    def __init__(self, dimension: int = DIMENSION) -> None:
        self.dimension = dimension
        self.queries: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._embed(text) for text in texts]) if texts else np.empty((0, self.dimension), np.float32)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        self.queries.append(text)
        return self._embed(text)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def close(self) -> None:
        pass

    def _embed(self, text: str) -> NDArray[np.float32]:
        total = np.full(self.dimension, 1e-3)
        for word in words(text):
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little")
            total += np.random.default_rng(seed).standard_normal(self.dimension)
        return unit(total)


class SmallLibrary:
    """Adds, replaces and removes documents the way ingestion does, with one chunk a paragraph."""

    def __init__(self, folder: Path, embedder: HashEmbedder | None = None) -> None:
        self.folder = folder
        self.embedder = embedder or HashEmbedder()
        self.database = open_library(folder / "library.db")
        self.store = LibraryStore(self.database)
        self._clock = 0

    def put(self, name: str, paragraphs: Iterable[str], *, title: str = "", media_type: str = "text/plain") -> int:
        """Add a file, or give one that is there another content. Returns the document's id."""
        self._clock += 1
        path = self.folder / name
        record = self.store.enqueue(path, FileStamp(self._clock, self._clock))
        sections = [Section(paragraph) for paragraph in paragraphs]
        parsed = assemble(sections, title=title or path.stem, media_type=media_type)
        chunks = [
            Chunk(each.section.text, each.start, each.end, token_count=len(each.section.text.split()))
            for each in parsed.sections
        ]
        texts = [search_text(parsed.title, (), chunk.text) for chunk in chunks]
        content_hash = hashlib.sha256(f"{self._clock}".encode()).hexdigest()
        result = self.store.replace_content(record.id, parsed, content_hash, chunks, texts)
        if result.new:
            vectors = self.embedder.embed_passages([each.embed_text for each in result.new]).astype(np.float16)
            self.store.store_vectors(
                self.embedder.model_key,
                [(each.chunk_id, vector.tobytes()) for each, vector in zip(result.new, vectors, strict=True)],
            )
        self.store.finish(record.id)
        return record.id

    def put_vectors(self, name: str, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """Add a file of as many chunks as there are rows. Returns the ids of the chunks, ascending."""
        self._clock += 1
        record = self.store.enqueue(self.folder / name, FileStamp(self._clock, self._clock))
        texts = [f"{name} {self._clock} {row}" for row in range(len(vectors))]
        parsed = assemble([Section(" ".join(texts))], title=name, media_type="text/plain")
        chunks = [Chunk(text, 0, len(text)) for text in texts]
        result = self.store.replace_content(record.id, parsed, name, chunks, texts)
        ids = [each.chunk_id for each in result.new]
        rows = vectors.astype(np.float16)
        self.store.store_vectors(
            self.embedder.model_key, [(chunk_id, row.tobytes()) for chunk_id, row in zip(ids, rows, strict=True)]
        )
        self.store.finish(record.id)
        return np.array(ids, dtype=np.int64)

    def texts(self) -> dict[int, str]:
        """Search texts of all chunks that searches may show, by id."""
        return {row[0]: row[1] for row in self.store.search_rows()}

    def nearest(self, query: NDArray[np.float32], k: int, allowed: Iterable[int] | None = None) -> list[int]:
        """The ids a search must find, computed from all stored vectors one by one."""
        scope = None if allowed is None else set(allowed)
        scored = [
            (-float(np.frombuffer(vector, dtype="<f2").astype(np.float32) @ query), chunk_id)
            for chunk_id, vector in self.store.vectors(self.embedder.model_key)
            if scope is None or chunk_id in scope
        ]
        return [chunk_id for _, chunk_id in sorted(scored)[:k]]

    def close(self) -> None:
        self.database.close()


def random_units(seed: int, count: int, dimension: int = DIMENSION) -> NDArray[np.float32]:
    """Random vectors of length one, shape (count, dimension)."""
    vectors = np.random.default_rng(seed).standard_normal((count, dimension))
    return np.stack([unit(vector) for vector in vectors]) if count else np.empty((0, dimension), np.float32)
