"""Seals: checksums by which altered rows are found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.findings import FindingCode
from app.storage.library_integrity import inspect_library
from app.storage.library_store import LibraryStore, open_library
from app.storage.seals import compare_seal, is_sealed
from app.storage.vector_integrity import VectorRule
from tests.storage.samples import MODEL, embed, ingest, put, vector

PARAGRAPHS = ["The first of three.", "The second of three.", "The third of three."]
PATH = Path("/a.txt")


@pytest.fixture
def sealed(library: LibraryStore) -> int:
    return ingest(library, PATH, PARAGRAPHS)


def test_a_finished_document_is_sealed_and_a_changed_one_is_not(library: LibraryStore, sealed: int) -> None:
    with library._database.read() as connection:
        assert is_sealed(connection, sealed)
        assert compare_seal(connection, sealed) is None
    result = put(library, PATH, [*PARAGRAPHS, "A fourth."])
    with library._database.read() as connection:
        assert not is_sealed(connection, sealed)
    embed(library, result)
    library.finish(sealed, MODEL)
    with library._database.read() as connection:
        assert compare_seal(connection, sealed) is None


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE documents SET title = 'Other'", lambda seal: seal.head),
        ("UPDATE sections SET page = 7 WHERE position = 1", lambda seal: seal.sections),
        ("UPDATE chunks SET token_count = 99 WHERE position = 1", lambda seal: len(seal.chunks) == 1),
        ("UPDATE vectors SET vector = zeroblob(8) WHERE chunk_id = 2", lambda seal: seal.vectors == (2,)),
        ("DELETE FROM chunks WHERE position = 2", lambda seal: seal.count),
    ],
)
def test_what_was_altered_is_told(
    library: LibraryStore, sealed: int, statement: str, broken: Callable[[object], bool]
) -> None:
    with library._database.write() as connection:
        connection.execute(statement)
    with library._database.read() as connection:
        found = compare_seal(connection, sealed)
        assert found is not None
        assert broken(found)


def test_what_may_change_later_breaks_no_seal(library: LibraryStore, sealed: int) -> None:
    library.rename(sealed, Path("/b.txt"))
    library.store_vectors("another model", [(1, vector(1))])
    with library._database.read() as connection:
        assert compare_seal(connection, sealed) is None


def test_vectors_of_a_model_no_longer_in_use_are_no_finding(tmp_path: Path) -> None:
    database = open_library(tmp_path / "library.db")
    store = LibraryStore(database)
    number = ingest(store, PATH, PARAGRAPHS)
    unit = b"\x00\x3c" + bytes(6)  # 1, 0, 0, 0 in float16
    ids = [chunk_id for chunk_id, _ in store.vectors(MODEL)]
    store.store_vectors("new", [(chunk_id, unit) for chunk_id in ids])
    with database.write() as connection:
        connection.execute(
            "DELETE FROM vectors WHERE model_id = (SELECT id FROM embedding_models WHERE model_key = ?)", (MODEL,)
        )
    rule = VectorRule("new", 4)
    assert list(inspect_library(database, rule, lambda done, total: None)) == []
    with database.write() as connection:
        connection.execute("UPDATE vectors SET vector = zeroblob(8) WHERE chunk_id = ?", (ids[0],))
    [finding] = inspect_library(database, rule, lambda done, total: None)
    assert (finding.code, finding.document_ids, finding.chunk_ids) == (FindingCode.VECTOR, (number,), (ids[0],))
    database.close()
