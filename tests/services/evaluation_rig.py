"""A small searchable library with pages, and everything that measures it; only the embedding model is a stand-in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.domain.documents import Chunk, FileStamp, Section, assemble
from app.domain.errors import FailureReason
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.reranker import SecondRanking
from app.retrieval.retriever import Retriever
from app.retrieval.search_text import search_text
from app.retrieval.vector_index import VectorIndex
from app.services.measuring import Measuring, make_measuring
from app.settings.setting import Setting
from app.storage.library_store import LibraryStore, open_library
from app.storage.session_store import SessionStore, open_chats
from tests.retrieval.small_library import DIMENSION, MODEL, HashEmbedder


class Values:
    """Settings with some values changed."""

    def __init__(self) -> None:
        self.changed: dict[str, Any] = {}

    def __getitem__(self, setting: Setting[Any]) -> Any:
        return self.changed.get(setting.key, setting.default)


class Backwards:
    """A second ranking that turns the first one around, once it has a folder."""

    def __init__(self) -> None:
        self.folder = ""
        self._given = 0

    def scores(self, _query: str, passages: Sequence[str]) -> list[float]:
        self._given += len(passages)
        return [float(self._given - len(passages) + place) for place in range(len(passages))]


class EvaluationRig:
    """Documents go in with ``put``; ``measuring`` is what the program makes of the same parts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.embedder = HashEmbedder()
        self.library_database = open_library(folder / "library.db")
        self.chats_database = open_chats(folder / "chats.db")
        self.store = LibraryStore(self.library_database)
        self.sessions = SessionStore(self.chats_database)
        self.values = Values()
        self.vectors = VectorIndex(self.store, folder / "index", MODEL, DIMENSION)
        self.keywords = KeywordIndex(self.store, folder / "index")
        self.vectors.open()
        self.keywords.open()
        self.reranker = Backwards()
        self.retriever = retriever = Retriever(
            self.store,
            lambda: self.embedder,
            self.vectors,
            self.keywords,
            self.values,
            follow=True,
            second=SecondRanking(lambda: self.reranker.folder, lambda _: self.reranker),
        )
        self.measuring: Measuring = make_measuring(
            self.store, self.chats_database, lambda: retriever, lambda *_: (), self.values
        )

    def put(self, name: str, paragraphs: Sequence[str], *, paged: bool = False) -> int:
        """Add a file, or give one that is there another content: a chunk, and if ``paged`` a page, a paragraph."""
        content_hash = hashlib.sha256(repr(paragraphs).encode()).hexdigest()
        record = self.store.enqueue(self.folder / name, FileStamp(len(repr(paragraphs)), len(repr(paragraphs))))
        sections = [Section(text, page=page if paged else None) for page, text in enumerate(paragraphs, 1)]
        count = len(sections) if paged else None
        parsed = assemble(sections, title=Path(name).stem, media_type="text/plain", page_count=count)
        chunks = [Chunk(each.section.text, each.start, each.end, each.section.page) for each in parsed.sections]
        texts = [search_text(parsed.title, (), chunk.text) for chunk in chunks]
        result = self.store.replace_content(record.id, parsed, content_hash, chunks, texts)
        vectors = self.embedder.embed_passages([each.embed_text for each in result.new]).astype(np.float16)
        pairs = zip(result.new, vectors, strict=True)
        self.store.store_vectors(MODEL, [(each.chunk_id, vector.tobytes()) for each, vector in pairs])
        self.store.finish(record.id, MODEL)
        self.refresh()
        return record.id

    def fail(self, name: str) -> None:
        """A file that could not be read."""
        record = self.store.enqueue(self.folder / name, FileStamp(1, 1))
        self.store.fail(record.id, FailureReason.EMPTY, "It is empty.")

    def refresh(self) -> None:
        """The indexes take over what changed."""
        self.vectors.refresh()
        self.keywords.refresh()

    def close(self) -> None:
        self.retriever.close()
        self.vectors.close()
        self.keywords.close()
        self.chats_database.close()
        self.library_database.close()
