"""A library for benchmarks: the same store, indexes and retriever that the program uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.domain.documents import Chunk, FileStamp, ParsedDocument
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.retriever import Retriever
from app.retrieval.search_text import search_text
from app.retrieval.vector_index import VectorIndex
from app.settings.paths import AppPaths
from app.settings.setting import Setting
from app.storage.library_store import LibraryStore, open_library
from tests.benchmarks.embedding_cache import CachedEmbedder

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder

REPOSITORY = Path(__file__).resolve().parent.parent.parent
CACHE = REPOSITORY / "build" / "bench-cache"


class Defaults:
    """Settings as they are without a user."""

    def __getitem__(self, setting: Setting[Any]) -> Any:
        return setting.default


class Shelf:
    """A library with both indexes and a retriever over it."""

    def __init__(self, folder: Path, embedder: Embedder, model_key: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = open_library(folder / "library.db")
        self.store = LibraryStore(self.database)
        self.embedder = embedder
        self.vectors = VectorIndex(self.store, folder / "index", model_key, embedder.dimension)
        self.keywords = KeywordIndex(self.store, folder / "index")
        self.retriever = Retriever(self.store, lambda: embedder, self.vectors, self.keywords, Defaults(), follow=True)

    def open(self) -> None:
        """Build or load the indexes."""
        self.vectors.open()
        self.vectors.maintain(save_all=True)
        self.keywords.open()
        self.keywords.wait()

    def close(self) -> None:
        """Close all but the embedder."""
        self.retriever.close()
        self.vectors.close()
        self.keywords.close()
        self.database.close()

    def put(
        self,
        name: str,
        parsed: ParsedDocument,
        chunks: Sequence[Chunk],
        embed: Callable[[Sequence[str]], NDArray[np.float32]],
        model_key: str,
    ) -> int:
        """Store a document with its chunks and vectors, as ingestion does. Returns its id."""
        record = self.store.enqueue(self.folder / name, FileStamp(len(parsed.text), 0))
        texts = [search_text(parsed.title, chunk.headings, chunk.text) for chunk in chunks]
        result = self.store.replace_content(record.id, parsed, name, chunks, texts)
        vectors = embed([each.embed_text for each in result.new]).astype(np.float16)
        rows = [(each.chunk_id, vector.tobytes()) for each, vector in zip(result.new, vectors, strict=True)]
        self.store.store_vectors(model_key, rows)
        self.store.finish(record.id)
        return record.id


@contextmanager
def default_embedder() -> Iterator[CachedEmbedder]:
    """The model and engine that a new user gets, made once and kept in the benchmarks' cache."""
    from app.retrieval.embedding_models import open_embedder

    paths = AppPaths.from_environment({"FOOTNOTE_HOME": str(CACHE / "home")})
    paths.create()
    embedder = CachedEmbedder(open_embedder(Defaults(), paths), CACHE)
    try:
        yield embedder
    finally:
        embedder.close()
