"""Libraries of 10,000, 100,000 and 1,000,000 chunks, made once and kept in ``build/bench/scale``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.domain.documents import Chunk, FileStamp, ParsedDocument, Section, assemble
from app.retrieval.search_text import search_text
from app.storage.library_store import LibraryStore, open_library
from tests.benchmarks.scale_texts import CHUNKS_PER_DOCUMENT, EMBEDDED, Texts, Vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.retrieval.embedder import Embedder

MODEL = "scale"
DOCUMENTS_PER_COMMIT = 50
EMBED_AT_ONCE = 256
TOKENS = 200


def embedded_vectors(
    folder: Path, texts: Texts, embedder: Embedder, note: Callable[[str], None]
) -> NDArray[np.float32]:
    """The first ``EMBEDDED`` chunks as the real model sees them; computed once (minutes)."""
    path = folder / "embedded.npy"
    if not path.exists():
        note(f"embedding {EMBEDDED} chunks once")
        starts = range(0, EMBEDDED, EMBED_AT_ONCE)
        batches = [
            [texts.chunk(each) for each in range(start, min(start + EMBED_AT_ONCE, EMBEDDED))] for start in starts
        ]
        np.save(path, np.concatenate([embedder.embed_passages(batch) for batch in batches]))
    vectors: NDArray[np.float32] = np.load(path, allow_pickle=False)
    return vectors


def filled_library(folder: Path, chunks: int, texts: Texts, vectors: Vectors, note: Callable[[str], None]) -> Path:
    """The folder of a library with so many chunks, filled through the store; what is there already is kept."""
    home = folder / f"library-{chunks}"
    home.mkdir(parents=True, exist_ok=True)
    started, database = time.monotonic(), open_library(home / "library.db")
    store = LibraryStore(database)
    total, done = chunks // CHUNKS_PER_DOCUMENT, len(store.documents())
    for first in range(done, total, DOCUMENTS_PER_COMMIT):
        with database.write():
            for number in range(first, min(first + DOCUMENTS_PER_COMMIT, total)):
                put_document(store, prepared(number, texts, vectors))
    database.close()
    if done < total:
        note(f"filled a library of {chunks} chunks in {time.monotonic() - started:.0f} s, once")
    return home


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """What ingestion has of a file when it is read, split and embedded."""

    path: Path
    parsed: ParsedDocument
    content_hash: str
    chunks: list[Chunk]
    search_texts: list[str]
    vectors: list[bytes]


def prepared(number: int, texts: Texts, vectors: Vectors, *, edition: int = 0) -> PreparedDocument:
    """Document ``number``; other editions have other text and vectors."""
    first = (number + edition * 1_000_003) * CHUNKS_PER_DOCUMENT
    sections = [Section(texts.chunk(first + row)) for row in range(CHUNKS_PER_DOCUMENT)]
    parsed = assemble(sections, title=f"Document {number}", media_type="text/plain")
    chunks = [Chunk(each.section.text, each.start, each.end, token_count=TOKENS) for each in parsed.sections]
    words = [search_text(parsed.title, (), chunk.text) for chunk in chunks]
    rows = [row.tobytes() for row in vectors.rows(first, first + CHUNKS_PER_DOCUMENT)]
    path = Path(f"/shelf/{number % 100:02d}/{number}.txt")
    return PreparedDocument(path, parsed, f"{number}-{edition}", chunks, words, rows)


def put_document(store: LibraryStore, document: PreparedDocument) -> None:
    """Add a document, or give it another content."""
    record = store.enqueue(document.path, FileStamp(len(document.parsed.text), 0))
    new = store.replace_content(
        record.id, document.parsed, document.content_hash, document.chunks, document.search_texts
    ).new
    # Old chunks with the same text keep their vectors; none of these texts come twice.
    store.store_vectors(MODEL, [(each.chunk_id, row) for each, row in zip(new, document.vectors, strict=True)])
    store.finish(record.id)
