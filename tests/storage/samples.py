"""Small documents for tests of the stores."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from app.domain.documents import Chunk, FileStamp, ParsedDocument, Section, assemble
from app.storage.library_store import LibraryStore
from app.storage.library_values import ReplaceResult

MODEL = "tiny"
STAMP = FileStamp(size=10, mtime_ns=1)


def parsed(paragraphs: Sequence[str], *, title: str = "Notes", media_type: str = "text/plain") -> ParsedDocument:
    """A document with one section a paragraph, each on a page of its own."""
    sections = [
        Section(text, page=page, headings=("Part",), char_map=tuple(range(len(text))))
        for page, text in enumerate(paragraphs, start=1)
    ]
    return assemble(sections, title=title, media_type=media_type, page_count=len(sections))


def chunks_of(document: ParsedDocument, *, context: str = "") -> list[Chunk]:
    """One chunk a section."""
    return [
        Chunk(
            document.text[placed.start : placed.end], placed.start, placed.end, placed.section.page, ("Part",), context
        )
        for placed in document.sections
    ]


def vector(chunk_id: int) -> bytes:
    """A vector of four dimensions that tells its chunk: little-endian float16."""
    import numpy as np

    return np.array([chunk_id % 2048, 1, 0, -1], dtype="<f2").tobytes()


def put(
    store: LibraryStore, path: Path, paragraphs: Sequence[str], *, title: str = "Notes", media_type: str = "text/plain"
) -> ReplaceResult:
    """Queue and store a document, without vectors."""
    record = store.enqueue(path, STAMP)
    document = parsed(paragraphs, title=title, media_type=media_type)
    chunks = chunks_of(document)
    content_hash = hashlib.sha256(document.text.encode("utf-8", "replace")).hexdigest()
    return store.replace_content(record.id, document, content_hash, chunks, [chunk.text for chunk in chunks])


def embed(store: LibraryStore, result: ReplaceResult, model: str = MODEL) -> None:
    """Store vectors of the chunks that lack one."""
    store.store_vectors(model, [(chunk_id, vector(chunk_id)) for chunk_id, _ in result.new])


def ingest(store: LibraryStore, path: Path, paragraphs: Sequence[str], *, media_type: str = "text/plain") -> int:
    """Bring a document to READY. Returns its id."""
    embed(store, put(store, path, paragraphs, media_type=media_type))
    record = store.document_by_path(path)
    assert record is not None
    assert store.finish(record.id, MODEL)
    return record.id


def chunk_ids(store: LibraryStore, document_id: int) -> list[int]:
    """The visible chunks of a document in the order of its text."""
    found = [passage for passage in store.passages(range(1, 500)).values() if passage.document_id == document_id]
    return [passage.chunk_id for passage in sorted(found, key=lambda passage: passage.start)]
