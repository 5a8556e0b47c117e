"""A library with everything real but the embedding model."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.ingestion import FileOutcome, IngestSummary
from app.loaders.parser_pool import ParserPool
from app.loaders.registry import loaders
from app.retrieval.text_splitter import TextSplitter
from app.services.discovery import FileDiscovery
from app.services.ingest_job import IngestEvent, IngestJob
from app.services.ingest_reading import Parser
from app.services.ingest_service import IngestService
from app.storage.library_store import LibraryStore, open_library


class HashEmbedder:
    """Vectors from hashes of the words: equal texts are equal, and nothing needs a model."""

    model_key = "hash-8"
    dimension = 8
    max_tokens = 256

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.called = threading.Event()

    def hold(self) -> None:
        """Wait with the next passages until the gate is open; ``called`` tells when there are some."""
        self.called.clear()
        self.gate.clear()

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.called.set()
        assert self.gate.wait(30)
        if self.failure:
            raise self.failure
        self.embedded.extend(texts)
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
        vector = np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def close(self) -> None:
        pass


@dataclass
class Rig:
    """An ingest service and what it works on."""

    store: LibraryStore
    embedder: HashEmbedder
    service: IngestService
    events: list[IngestEvent] = field(default_factory=list)

    def ingest(self, *paths: Path) -> IngestSummary:
        """Ingest and wait for the end."""
        job = self.service.add(list(paths))
        self.wait(job)
        return job.summary

    def wait(self, job: IngestJob) -> None:
        assert job.wait(60), "the ingestion did not end"

    @property
    def outcomes(self) -> dict[str, FileOutcome]:
        return {event.path.name: event for event in self.events if isinstance(event, FileOutcome)}


@pytest.fixture(scope="session")
def parser_pool() -> Iterator[ParserPool]:
    pool = ParserPool(workers=1)
    yield pool
    pool.close()


@pytest.fixture
def make_rig(tmp_path: Path, parser_pool: ParserPool) -> Iterator[Callable[..., Rig]]:
    """Makes rigs over one library file, as one start of the program after another does.

    Another ``parser`` and further arguments of ``IngestService`` can be given.
    """
    rigs: list[Rig] = []

    def make(parser: Parser | None = None, **arguments: Any) -> Rig:
        store = LibraryStore(open_library(tmp_path / "library.db"))
        embedder = HashEmbedder()
        registry = loaders()
        splitter = TextSplitter(embedder.count_tokens, max_tokens=embedder.max_tokens, target_tokens=60)
        service = IngestService(
            store,
            parser or parser_pool,
            FileDiscovery(lambda path: registry.loader_for(path) is not None),
            lambda: splitter,
            lambda: embedder,
            lambda: None,
            **arguments,
        )
        rig = Rig(store, embedder, service)
        service.subscribe(rig.events.append)
        rigs.append(rig)
        return rig

    yield make
    for rig in rigs:
        rig.embedder.gate.set()
        rig.service.close()


@pytest.fixture
def rig(make_rig: Callable[[], Rig]) -> Rig:
    return make_rig()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for documents."""
    path = tmp_path / "documents"
    path.mkdir()
    return path
