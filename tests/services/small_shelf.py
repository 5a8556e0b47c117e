"""A real library with little in it, with both indexes and a retriever, for use cases that search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.retriever import Retriever
from app.retrieval.vector_index import VectorIndex
from app.storage.settings_store import SettingsStore
from tests.retrieval.small_library import DIMENSION, MODEL, SmallLibrary


@dataclass
class Shelf:
    """Put documents in, then search: each search takes over what changed."""

    library: SmallLibrary
    retriever: Retriever


@contextmanager
def open_shelf(folder: Path, settings: SettingsStore) -> Iterator[Shelf]:
    """A shelf whose files are in ``folder``."""
    folder.mkdir(exist_ok=True)
    library = SmallLibrary(folder)
    vectors = VectorIndex(library.store, folder / "index", MODEL, DIMENSION)
    keywords = KeywordIndex(library.store, folder / "index")
    vectors.open()
    keywords.open()
    retriever = Retriever(library.store, lambda: library.embedder, vectors, keywords, settings, follow=True)
    yield Shelf(library, retriever)
    retriever.close()
    keywords.close()
    vectors.close()
    library.close()
