"""What is read in one step is what was stored: any text, any path, any number of chunks."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.documents import Section, assemble
from app.domain.errors import StorageError
from app.domain.passages import Scope
from app.storage.database import Database
from app.storage.library_store import LibraryStore, open_library
from app.storage.one_step import IDS_AT_ONCE
from app.storage.rows import clean
from tests.storage.samples import MODEL, STAMP, chunks_of, embed, ingest, put, vector

AWKWARD = ("\0", 'a "quoted" \\ back\\slash', "\x01\x1f\x7f\u2028", "😀 größe \ufffd", "[1, null]", "x\0y", "\t x")


def stored_texts(library: LibraryStore) -> list[str]:
    """The texts of all chunks as passages, search texts and rows of the keyword index give them, which must agree."""
    ids = library.vector_ids(MODEL).tolist()
    passages, searched = library.passages(ids), library.search_texts(reversed(ids))
    rows = library.search_rows_of(ids)
    assert [row[0] for row in rows] == ids
    assert [passages[each].text for each in ids] == [searched[each] for each in ids] == [row[1] for row in rows]
    return [searched[each] for each in ids]


def test_awkward_texts_come_back(library: LibraryStore) -> None:
    ingest(library, Path("/a.txt"), AWKWARD)
    assert stored_texts(library) == list(AWKWARD)


@given(st.lists(st.text(max_size=40).filter(str.strip), min_size=1, max_size=5))
@settings(max_examples=40)
def test_any_text_comes_back(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = open_library(Path(folder) / "library.db")
        library = LibraryStore(database)
        ingest(library, Path("/a.txt"), texts)
        assert stored_texts(library) == [clean(text) for text in texts]
        database.close()


@pytest.mark.parametrize("name", [b"/caf\xe9.txt", b"/\xff\xfe", b'/it\'s a "file".txt', "/größe 😀.txt".encode()])
def test_any_path_comes_back(library: LibraryStore, name: bytes) -> None:
    path = Path(os.fsdecode(name))
    document = ingest(library, path, ["text"])
    [passage] = library.passages(library.vector_ids(MODEL).tolist()).values()
    assert (passage.path, passage.document_id) == (path, document)
    assert library.search_rows_of([passage.chunk_id])[0][3] == clean(str(path))


def test_how_sure_ocr_was_comes_back_as_it_was(library: LibraryStore) -> None:
    document = assemble([Section("read", confidence=0.1234567890123)], title="T", media_type="image/png")
    record = library.enqueue(Path("/scan.png"), STAMP)
    result = library.replace_content(record.id, document, "1", chunks_of(document), ["read"])
    embed(library, result)
    library.finish(record.id)
    [passage] = library.passages([each.chunk_id for each in result.new]).values()
    assert passage.ocr_confidence == pytest.approx(0.1234567890123, rel=1e-12)


def test_more_chunks_than_one_step_takes(library: LibraryStore) -> None:
    count = IDS_AT_ONCE + 10
    ingest(library, Path("/long.txt"), [f"text {number}" for number in range(count)])
    ids = library.vector_ids(MODEL).tolist()
    assert len(stored_texts(library)) == count
    found, vectors = library.vectors_of(MODEL, [*reversed(ids), ids[0], 10**9])
    assert found.tolist() == ids
    assert vectors.tobytes() == b"".join(map(vector, ids))


def test_nothing_asked_for_is_nothing_found(library: LibraryStore) -> None:
    put(library, Path("/hidden.txt"), ["not finished"])
    for ids in ([], [1], [7]):
        assert library.passages(ids) == {}
        assert library.search_texts(ids) == {}
        assert library.search_rows_of(ids) == []
        found, vectors = library.vectors_of(MODEL, ids)
        assert (found.tolist(), vectors.shape, vectors.dtype) == ([], (0, 0), np.dtype(np.float16))
    scope = library.chunk_scope(Scope(document_ids=frozenset({5})))
    assert scope is not None
    assert scope.empty


def test_a_text_that_is_no_text_any_more_is_told(library: LibraryStore, library_database: Database) -> None:
    ingest(library, Path("/a.txt"), ["good", "bad"])
    with library_database.write() as connection:
        connection.execute("UPDATE chunks SET search_text = CAST(x'ff' AS TEXT) WHERE text = 'bad'")
    assert library.search_texts([1]) == {1: "good"}
    with pytest.raises(StorageError):
        library.search_texts([1, 2])
