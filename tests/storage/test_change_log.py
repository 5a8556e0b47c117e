"""What derived indexes need: the change log and the records of their files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.domain.documents import DocumentState
from app.storage.database import Database
from app.storage.library_store import LibraryStore, open_library
from app.storage.library_values import ChangesPrunedError, IndexSegment
from tests.storage.samples import MODEL, STAMP, chunk_ids, chunks_of, embed, ingest, parsed, put, vector

SEGMENT = IndexSegment("vector", MODEL, 1, "a.faiss", "ab" * 32, vector_count=2, max_chunk_id=2, sequence=1)


def test_nothing_has_happened_at_first(library: LibraryStore) -> None:
    assert library.current_sequence() == 0
    assert library.changes_since(0) == (0, [], [])


def test_a_document_is_added_as_a_whole_when_it_is_finished(library: LibraryStore) -> None:
    ids = chunk_ids(library, ingest(library, Path("/a"), ["one", "two"]))
    assert library.changes_since(0) == (library.current_sequence(), ids, [])
    assert library.changes_since(library.current_sequence()).added == []


def test_only_what_changed_in_a_file_is_told(library: LibraryStore) -> None:
    document_id = ingest(library, Path("/a"), ["kept", "dropped"])
    dropped = chunk_ids(library, document_id)[1]
    before = library.current_sequence()
    result = put(library, Path("/a"), ["kept", "added"])
    embed(library, result)
    library.finish(document_id, MODEL)
    changes = library.changes_since(before)
    assert (changes.added, changes.removed) == ([result.new[0].chunk_id], [dropped])


def test_what_came_and_went_is_only_told_as_gone(library: LibraryStore) -> None:
    ids = library.remove(ingest(library, Path("/a"), ["one"]))
    assert library.changes_since(0)[1:] == ([], ids)


def test_hiding_and_showing_again_is_told(library: LibraryStore) -> None:
    document_id = ingest(library, Path("/a"), ["one"])
    ids = chunk_ids(library, document_id)
    before = library.current_sequence()
    library.set_state(document_id, DocumentState.EXCLUDED)
    assert library.changes_since(before)[1:] == ([], ids)
    put(library, Path("/a"), ["one"])
    library.finish(document_id, MODEL)
    assert library.changes_since(before).added == ids


def test_a_move_concerns_the_words_but_not_the_vectors(library: LibraryStore) -> None:
    document_id = ingest(library, Path("/a"), ["one"])
    ids = chunk_ids(library, document_id)
    before = library.current_sequence()
    library.rename(document_id, Path("/b"))
    assert library.changes_since(before)[1:] == (ids, ids)
    assert library.changes_since(before, MODEL)[1:] == ([], [])


def test_other_words_for_a_kept_chunk_concern_the_keyword_index_only(library: LibraryStore) -> None:
    document_id = ingest(library, Path("/a"), ["one", "two"])
    first, _ = chunk_ids(library, document_id)
    before = library.current_sequence()
    document = parsed(["one", "two"])
    library.replace_content(document_id, document, "2", chunks_of(document), ["new title one", "two"])
    assert library.changes_since(before)[1:] == ([first], [first])
    assert library.changes_since(before, MODEL)[1:] == ([], [])
    assert library.search_rows_of([first])[0][1] == "new title one"


def test_a_vector_of_another_model_concerns_that_models_index_only(library: LibraryStore) -> None:
    ids = chunk_ids(library, ingest(library, Path("/a"), ["one"]))
    before = library.current_sequence()
    library.store_vectors("new model", [(each, vector(each)) for each in ids])
    assert library.changes_since(before, "new model").added == ids
    assert library.changes_since(before, MODEL).added == []
    assert library.changes_since(before).added == []


def test_pruning_is_noticed_by_those_who_come_late(library: LibraryStore) -> None:
    ingest(library, Path("/a"), ["one"])
    reached = library.current_sequence()
    library.prune_changes(reached)
    assert library.changes_since(reached) == (reached, [], [])
    with pytest.raises(ChangesPrunedError):
        library.changes_since(reached - 1)
    ids = chunk_ids(library, ingest(library, Path("/b"), ["two"]))
    assert library.changes_since(reached).added == ids
    with pytest.raises(ChangesPrunedError):
        library.changes_since(reached - 1)


def test_a_library_made_anew_is_noticed(library: LibraryStore) -> None:
    with pytest.raises(ChangesPrunedError):
        library.changes_since(5)


def test_another_connection_sees_the_changes(library: LibraryStore, library_database: Database) -> None:
    reader_database = open_library(library_database.path, read_only=True)
    reader = LibraryStore(reader_database)
    version = reader_database.data_version()
    ids = chunk_ids(library, ingest(library, Path("/a"), ["one"]))
    assert reader_database.data_version() != version
    assert reader.changes_since(0).added == ids
    assert reader.vector_ids(MODEL).tolist() == ids
    reader_database.close()


def test_segments_come_back_as_recorded_oldest_first(library: LibraryStore) -> None:
    full = replace(
        SEGMENT,
        generation=2,
        dimension=384,
        size=10**10,
        block_size=4096,
        block_checksums=bytes(range(256)),
        tombstones=(1, 2**40),
        created_at=5.5,
    )
    library.record_segment(full)
    library.record_segment(SEGMENT)
    first, second = library.index_segments("vector", MODEL)
    assert replace(first, created_at=0.0) == SEGMENT
    assert first.created_at > 0
    assert second == full
    assert library.index_segments("keyword") == []
    assert library.index_segments("vector", "another model") == []


def test_a_merged_segment_takes_the_place_of_its_sources(library: LibraryStore) -> None:
    library.record_segments([replace(SEGMENT, generation=number) for number in (1, 2, 3)])
    library.record_segment(replace(SEGMENT, kind="keyword", model_key="", generation=1))
    library.record_segment(replace(SEGMENT, generation=4), replaces=[1, 2])
    assert [each.generation for each in library.index_segments("vector", MODEL)] == [3, 4]
    library.record_segment(replace(SEGMENT, generation=3, tombstones=(7,)))
    assert library.index_segments("vector", MODEL)[0].tombstones == (7,)
    library.delete_segment("vector", MODEL, 3)
    library.delete_segments("keyword")
    assert [each.generation for each in library.index_segments("vector", MODEL)] == [4]
    assert library.index_segments("keyword") == []


class CatchingUp(RuleBasedStateMachine):
    """An index that only follows the log always holds what the library shows."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.database = open_library(self.folder / f"{len(list(self.folder.iterdir()))}.db")
        self.library = LibraryStore(self.database)
        self.sequence = 0
        self.vectors: set[int] = set()
        self.keyword_sequence = 0
        self.words: dict[int, tuple[int, str, str, str, int]] = {}

    def documents(self) -> list[int]:
        return [record.id for record in self.library.documents()]

    @rule(name=st.sampled_from("abc"), words=st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=3))
    def read(self, name: str, words: list[str]) -> None:
        put(self.library, Path(f"/{name}"), words)

    @rule(name=st.sampled_from("abc"))
    def queue(self, name: str) -> None:
        self.library.enqueue(Path(f"/{name}"), STAMP)

    @rule()
    def embed_and_finish(self) -> None:
        lacking = self.library.chunks_without_vector(MODEL)
        self.library.store_vectors(MODEL, [(each.chunk_id, vector(each.chunk_id)) for each in lacking])
        for record in self.library.documents([DocumentState.EMBEDDING]):
            self.library.finish(record.id, MODEL)

    @precondition(lambda self: bool(self.documents()))
    @rule(data=st.data(), what=st.sampled_from(["remove", "exclude", "touch", "move"]), name=st.sampled_from("abc"))
    def change(self, data: st.DataObject, what: str, name: str) -> None:
        document_id = data.draw(st.sampled_from(self.documents()))
        if what == "remove":
            self.library.remove(document_id)
        elif what == "exclude":
            self.library.set_state(document_id, DocumentState.EXCLUDED)
        elif what == "touch":
            self.library.touch(document_id, STAMP)
        else:
            self.library.rename(document_id, Path(f"/{name}"))

    @rule()
    def prune(self) -> None:
        self.library.prune_changes(min(self.sequence, self.keyword_sequence))

    @rule()
    def follow_vectors(self) -> None:
        self.sequence, added, removed = self.library.changes_since(self.sequence, MODEL)
        self.vectors -= set(removed)
        self.vectors |= set(self.library.vectors_of(MODEL, added)[0].tolist())
        assert self.vectors == set(self.library.vector_ids(MODEL).tolist())

    @rule()
    def follow_words(self) -> None:
        self.keyword_sequence, added, removed = self.library.changes_since(self.keyword_sequence)
        for chunk_id in removed:
            self.words.pop(chunk_id, None)
        self.words |= {row[0]: row for row in self.library.search_rows_of(added)}
        assert self.words == {row[0]: row for row in self.library.search_rows()}

    @invariant()
    def sound(self) -> None:
        assert self.library.integrity() == []

    def teardown(self) -> None:
        self.database.close()


def test_an_index_that_follows_the_log_never_drifts(tmp_path: Path) -> None:
    CatchingUp.folder = tmp_path
    run_state_machine_as_test(CatchingUp, settings=settings(max_examples=25, stateful_step_count=20, deadline=None))
