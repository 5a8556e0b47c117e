"""Documents and their states."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.domain.documents import DocumentState, FileStamp
from app.domain.errors import FailureReason
from app.domain.passages import Scope
from app.storage.database import Database
from app.storage.library_store import LibraryStore
from app.storage.library_values import UnknownDocumentError
from tests.storage.samples import MODEL, STAMP, chunk_ids, chunks_of, embed, ingest, parsed, put

ODD_NAMES = [
    "it's.txt",
    'a "b".txt',
    "two\nlines.txt",
    "😀 東京.txt",
    "100%_[x].txt",
    " .txt",
    "'; DROP TABLE documents; --",
]


def test_a_new_file_is_queued(library: LibraryStore) -> None:
    record = library.enqueue(Path("/a/notes.txt"), FileStamp(12, 34))
    assert record.state is DocumentState.QUEUED
    assert record.stamp == FileStamp(12, 34)
    assert record.title == "notes.txt"
    assert library.document(record.id) == record
    assert library.document_by_path(Path("/a/notes.txt")) == record
    assert library.documents() == [record]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_is_kept_exactly(library: LibraryStore, name: str) -> None:
    path = Path("/folder") / name
    document_id = ingest(library, path, ["text"])
    assert library.document(document_id).path == path
    assert library.document_by_path(path) == library.document(document_id)
    assert [passage.path for passage in library.passages(chunk_ids(library, document_id)).values()] == [path]
    assert library.chunk_ids_in_scope(Scope(folders=(Path("/folder"),))) is not None
    assert library.remove(document_id) != []
    assert library.documents() == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_not_unicode_is_kept_exactly(library: LibraryStore) -> None:
    path = Path(os.fsdecode(b"/folder/caf\xe9.txt"))
    document_id = ingest(library, path, ["text"])
    record = library.document_by_path(path)
    assert record is not None
    assert record.path == path
    scoped = library.chunk_ids_in_scope(Scope(folders=(Path("/folder"),)))
    assert scoped is not None
    assert scoped.tolist() == chunk_ids(library, document_id)
    assert [row[0] for row in library.search_rows()] == chunk_ids(library, document_id)


def test_queueing_again_keeps_the_document_and_what_it_held(library: LibraryStore) -> None:
    path = Path("/a.txt")
    document_id = ingest(library, path, ["one", "two"])
    before = chunk_ids(library, document_id)
    library.set_state(document_id, DocumentState.FAILED, reason=FailureReason.TIMEOUT, message="Too slow.")
    record = library.enqueue(path, FileStamp(99, 2))
    assert (record.id, record.state, record.reason, record.message) == (document_id, DocumentState.QUEUED, None, "")
    assert record.stamp == FileStamp(99, 2)
    assert chunk_ids(library, document_id) == before


def test_many_files_are_queued_at_once(library: LibraryStore) -> None:
    library.enqueue(Path("/3.txt"), STAMP)
    library.enqueue_many((Path(f"/{number}.txt"), STAMP) for number in range(5))
    assert len(library.documents()) == 5


def test_a_failure_is_remembered_with_its_reason(library: LibraryStore, library_database: Database) -> None:
    record = library.enqueue(Path("/a.pdf"), STAMP)
    library.set_state(record.id, DocumentState.FAILED, reason=FailureReason.ENCRYPTED, message="It's locked.\n😀")
    again = LibraryStore(library_database).document(record.id)
    assert (again.state, again.reason, again.message) == (
        DocumentState.FAILED,
        FailureReason.ENCRYPTED,
        "It's locked.\n😀",
    )


def test_pending_work_comes_by_priority_then_by_age(library: LibraryStore) -> None:
    names = ["first", "second", "third", "ready", "failed"]
    ids = {name: library.enqueue(Path(f"/{name}"), STAMP).id for name in names}
    library.set_state(ids["second"], DocumentState.PARSING)
    library.set_state(ids["third"], DocumentState.EMBEDDING)
    library.set_state(ids["ready"], DocumentState.READY)
    library.set_state(ids["failed"], DocumentState.FAILED)
    library.enqueue(Path("/dropped by the user"), STAMP, priority=1)
    library.enqueue(Path("/first"), STAMP)  # asked for again: now the youngest
    assert [record.path.name for record in library.pending()] == ["dropped by the user", "second", "third", "first"]


def test_counts_and_choices_by_state(library: LibraryStore) -> None:
    ingest(library, Path("/a"), ["text"])
    queued = library.enqueue(Path("/b"), STAMP)
    counts = library.counts()
    assert set(counts) == set(DocumentState)
    assert (counts[DocumentState.READY], counts[DocumentState.QUEUED], counts[DocumentState.FAILED]) == (1, 1, 0)
    assert library.documents([DocumentState.QUEUED, DocumentState.FAILED]) == [queued]
    assert library.documents([]) == []


def test_documents_can_be_read_in_pages(library: LibraryStore) -> None:
    library.enqueue_many((Path(f"/{number}"), STAMP) for number in range(5))
    records = library.documents()
    assert library.documents(limit=2) == records[:2]
    assert library.documents(after_id=records[1].id, limit=2) == records[2:4]
    assert library.documents([DocumentState.QUEUED], after_id=records[3].id) == records[4:]


def test_attempts_are_counted_until_the_file_is_queued_again(library: LibraryStore) -> None:
    record = library.enqueue(Path("/crashes.pdf"), STAMP)
    for expected in (1, 2):
        library.set_state(record.id, DocumentState.PARSING)
        assert library.attempts(record.id) == expected
    library.set_state(record.id, DocumentState.QUEUED)
    assert library.attempts(record.id) == 2
    library.enqueue(record.path, STAMP)
    assert library.attempts(record.id) == 0


def test_a_touched_document_is_ready_again_without_work(library: LibraryStore) -> None:
    document_id = ingest(library, Path("/a"), ["text"])
    library.enqueue(Path("/a"), FileStamp(1, 2))
    record = library.touch(document_id, FileStamp(5, 6))
    assert (record.state, record.stamp) == (DocumentState.READY, FileStamp(5, 6))


def test_a_touched_document_that_was_not_fully_embedded_goes_on_there(library: LibraryStore) -> None:
    result = put(library, Path("/a"), ["one", "two"])
    library.store_vectors(MODEL, [(result.new[0].chunk_id, b"\0\0")])
    document_id = library.enqueue(Path("/a"), STAMP).id
    assert library.touch(document_id, STAMP).state is DocumentState.EMBEDDING
    assert library.passages(range(10)) == {}


def test_a_touched_document_that_was_never_read_stays_where_it_was(library: LibraryStore) -> None:
    record = library.enqueue(Path("/a"), STAMP)
    assert library.touch(record.id, FileStamp(5, 6)).state is DocumentState.QUEUED


def test_a_moved_file_keeps_everything(library: LibraryStore) -> None:
    document_id = ingest(library, Path("/old.txt"), ["one", "two"])
    before = chunk_ids(library, document_id)
    library.rename(document_id, Path("/new/place.txt"))
    assert library.document_by_path(Path("/old.txt")) is None
    assert library.document(document_id).path == Path("/new/place.txt")
    assert library.document(document_id).state is DocumentState.READY
    assert chunk_ids(library, document_id) == before
    assert library.vector_count(MODEL) == 2


def test_a_file_moved_over_another_replaces_it(library: LibraryStore) -> None:
    moved, overwritten = ingest(library, Path("/a"), ["mine"]), ingest(library, Path("/b"), ["gone"])
    library.rename(moved, Path("/b"))
    assert [record.id for record in library.documents()] == [moved]
    with pytest.raises(UnknownDocumentError):
        library.document(overwritten)
    assert library.integrity() == []


def test_copies_are_found_by_their_content(library: LibraryStore) -> None:
    first, second = ingest(library, Path("/a"), ["same"]), ingest(library, Path("/b"), ["same"])
    ingest(library, Path("/c"), ["other"])
    library.enqueue(Path("/not read yet"), STAMP)
    content_hash = library.document(first).content_hash
    assert [record.id for record in library.documents_with_hash(content_hash)] == [first, second]
    assert library.documents_with_hash("") == []


def test_removing_takes_text_chunks_and_vectors_along(library: LibraryStore, library_database: Database) -> None:
    document_id, other = ingest(library, Path("/a"), ["one", "two"]), ingest(library, Path("/b"), ["three"])
    gone = chunk_ids(library, document_id)
    assert library.remove(document_id) == gone
    assert library.passages(gone) == {}
    assert library.document_text(document_id) == ""
    assert library.vector_count(MODEL) == 1
    assert chunk_ids(library, other) != []
    with library_database.read() as connection:
        for table, expected in (("documents", 1), ("sections", 1), ("chunks", 1), ("vectors", 1), ("hidden_chunks", 0)):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (expected,)
    assert library.remove(document_id) == []


def test_ids_of_removed_chunks_never_come_back(library: LibraryStore) -> None:
    first = ingest(library, Path("/a"), ["one", "two"])
    gone = library.remove(first)
    second = ingest(library, Path("/a"), ["one", "two"])
    assert second != first
    assert not set(gone) & set(chunk_ids(library, second))


def test_an_excluded_document_shows_nowhere_until_it_is_read_again(library: LibraryStore) -> None:
    document_id = ingest(library, Path("/a"), ["one", "two"])
    visible = chunk_ids(library, document_id)
    library.set_state(document_id, DocumentState.EXCLUDED)
    library.set_state(document_id, DocumentState.EXCLUDED)
    assert library.passages(visible) == {}
    assert library.vector_count(MODEL) == 0
    assert list(library.search_rows()) == []
    assert library.chunk_count() == 0
    again = put(library, Path("/a"), ["one", "two"])
    assert again.kept == frozenset(visible)
    assert again.new == []
    assert library.finish(document_id, MODEL)
    assert sorted(library.passages(visible)) == visible
    assert library.integrity() == []


def test_a_document_that_is_excluded_while_it_is_read_stays_hidden(library: LibraryStore) -> None:
    record = library.enqueue(Path("/a"), STAMP)
    library.set_state(record.id, DocumentState.EXCLUDED)
    document = parsed(["one"])
    result = library.replace_content(record.id, document, "1", chunks_of(document), ["one"])
    embed(library, result)
    assert library.finish(record.id, MODEL)
    assert library.document(record.id).state is DocumentState.EXCLUDED
    assert library.passages(range(10)) == {}
    assert library.integrity() == []


def test_a_file_that_changes_while_it_is_embedded_is_read_once_more(library: LibraryStore) -> None:
    result = put(library, Path("/a"), ["one"])
    record = library.enqueue(Path("/a"), FileStamp(99, 99))
    embed(library, result)
    assert library.finish(record.id, MODEL)
    assert [passage.text for passage in library.passages(range(10)).values()] == ["one"]
    assert [each.id for each in library.pending()] == [record.id]


@pytest.mark.parametrize("state", [DocumentState.OFFLINE, DocumentState.FAILED])
def test_a_document_that_cant_be_read_now_stays_searchable(library: LibraryStore, state: DocumentState) -> None:
    document_id = ingest(library, Path("/drive/a"), ["one"])
    library.set_state(document_id, state)
    assert len(chunk_ids(library, document_id)) == 1


def test_work_on_a_removed_document_is_told(library: LibraryStore) -> None:
    record = library.enqueue(Path("/a"), STAMP)
    library.remove(record.id)
    for use in (
        lambda: library.document(record.id),
        lambda: library.set_state(record.id, DocumentState.PARSING),
        lambda: library.attempts(record.id),
        lambda: library.touch(record.id, STAMP),
        lambda: library.rename(record.id, Path("/b")),
        lambda: library.finish(record.id),
    ):
        with pytest.raises(UnknownDocumentError):
            use()


def test_scopes_limit_by_document_folder_and_type(library: LibraryStore) -> None:
    places = {
        "/docs/a.txt": "text/plain",
        "/docs/deep/er/b.pdf": "application/pdf",
        "/docs": "text/plain",
        "/docsshop/c.pdf": "application/pdf",
        "/docs-2/d.txt": "text/plain",
        "/docs%/e.txt": "text/plain",
        "/docs1/f.txt": "text/plain",
        "/Docs/g.txt": "text/plain",
    }
    ids = {place: ingest(library, Path(place), [place], media_type=kind) for place, kind in places.items()}

    def found(scope: Scope) -> set[str]:
        chunks = library.chunk_ids_in_scope(scope)
        assert chunks is not None
        assert chunks.tolist() == sorted(chunks.tolist())
        return {passage.text for passage in library.passages(chunks.tolist()).values()}

    assert library.chunk_ids_in_scope(Scope()) is None
    assert found(Scope(folders=(Path("/docs"),))) == {"/docs", "/docs/a.txt", "/docs/deep/er/b.pdf"}
    assert found(Scope(folders=(Path("/docs/deep"), Path("/docs%")))) == {"/docs/deep/er/b.pdf", "/docs%/e.txt"}
    assert found(Scope(folders=(Path("/"),))) == set(places)
    assert found(Scope(media_types=frozenset({"application/pdf"}))) == {"/docs/deep/er/b.pdf", "/docsshop/c.pdf"}
    assert found(Scope(document_ids=frozenset({ids["/docs"], 999}))) == {"/docs"}
    assert found(Scope(folders=(Path("/docs"),), media_types=frozenset({"application/pdf"}))) == {"/docs/deep/er/b.pdf"}
    assert found(Scope(document_ids=frozenset({999}))) == set()


def test_embedding_a_document_leaves_others_alone(library: LibraryStore) -> None:
    first = put(library, Path("/a"), ["one"])
    put(library, Path("/b"), ["two"])
    embed(library, first)
    records = {record.path.name: record for record in library.documents()}
    assert library.finish(records["a"].id, MODEL)
    assert not library.finish(records["b"].id, MODEL)
    assert library.document(records["b"].id).state is DocumentState.EMBEDDING
