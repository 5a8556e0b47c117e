"""The vector index finds what comparing with every stored vector finds, whatever happened before."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.documents import DocumentState
from app.retrieval.vector_index import VectorIndex
from app.storage.chunk_scope import ChunkScope
from app.storage.library_store import LibraryStore, open_library
from tests.retrieval.small_library import DIMENSION, MODEL, HashEmbedder, SmallLibrary, random_units

QUERIES = random_units(99, 3)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SmallLibrary]:
    library = SmallLibrary(tmp_path)
    yield library
    library.close()


def opened(library: SmallLibrary, *, writer: bool = True) -> VectorIndex:
    index = VectorIndex(library.store, library.folder / "index", MODEL, DIMENSION, writer=writer)
    index.open()
    return index


def found(index: VectorIndex, query: np.ndarray, k: int = 10, allowed: np.ndarray | None = None) -> list[int]:
    scope = None if allowed is None else ChunkScope.of_ids(allowed)
    return [chunk_id for chunk_id, _ in index.search(query, k, scope)]


def assert_exact(index: VectorIndex, library: SmallLibrary) -> None:
    for query in QUERIES:
        assert found(index, query) == library.nearest(query, 10)


operations = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 5), st.integers(1, 12)),
        st.tuples(st.just("remove"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("hide"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("show"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("save"), st.just(0), st.just(0)),
        st.tuples(st.just("reopen"), st.just(0), st.just(0)),
    ),
    min_size=4,
    max_size=24,
)


@given(steps=operations, seed=st.integers(0, 2**16))
@settings(max_examples=40, deadline=None)
def test_any_history_of_changes_leaves_an_exact_index(steps: list[tuple[str, int, int]], seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        library = SmallLibrary(Path(folder))
        index = opened(library)
        documents: dict[int, int] = {}
        for number, (operation, name, count) in enumerate(steps):
            index = _apply(operation, name, count, seed + number, library, index, documents)
            index.refresh()
            query = QUERIES[number % len(QUERIES)]
            assert found(index, query) == library.nearest(query, 10)
            live = library.store.vector_ids(MODEL)
            allowed = np.unique(np.concatenate((live[::3], [10**9])))
            assert found(index, query, 5, allowed) == library.nearest(query, 5, allowed.tolist())
        index.close()
        library.close()


def _apply(
    operation: str,
    name: int,
    count: int,
    seed: int,
    library: SmallLibrary,
    index: VectorIndex,
    documents: dict[int, int],
) -> VectorIndex:
    if operation == "put":
        library.put_vectors(f"{name}.txt", random_units(seed, count))
        record = library.store.document_by_path(library.folder / f"{name}.txt")
        assert record is not None
        documents[name] = record.id
    elif operation == "remove" and name in documents:
        library.store.remove(documents.pop(name))
    elif operation in ("hide", "show") and name in documents:
        state = DocumentState.EXCLUDED if operation == "hide" else DocumentState.READY
        library.store.set_state(documents[name], state)
    elif operation == "save":
        index.refresh()
        index.maintain(save_all=True)
    elif operation == "reopen":
        index.close()
        return opened(library)
    return index


def test_a_removed_document_never_comes_back(library: SmallLibrary) -> None:
    ids = library.put_vectors("old.txt", random_units(1, 300))
    kept = library.put_vectors("kept.txt", random_units(2, 50))
    index = opened(library)
    index.maintain(save_all=True)
    document = library.store.document_by_path(library.folder / "old.txt")
    assert document is not None
    library.store.remove(document.id)
    index.refresh()
    for _ in range(2):
        assert set(found(index, QUERIES[0], 1000)) == set(kept.tolist())
        index.maintain(save_all=True)
    index.close()
    index = opened(library)
    assert set(found(index, QUERIES[0], 1000)).isdisjoint(ids.tolist())
    assert index.status().tombstones == 0, "rows of removed chunks are rewritten away"
    index.close()


def test_adding_a_file_leaves_the_other_segments_untouched(library: SmallLibrary) -> None:
    library.put_vectors("first.txt", random_units(1, 3000))
    index = opened(library)
    index.maintain(save_all=True)
    before = {path.name: path.stat() for path in (library.folder / "index").iterdir()}
    library.put_vectors("second.txt", random_units(2, 40))
    index.refresh()
    index.maintain(save_all=True)
    after = {path.name: path.stat() for path in (library.folder / "index").iterdir()}
    assert len(after) == len(before) + 1
    for name, stat in before.items():
        assert (after[name].st_mtime_ns, after[name].st_ino) == (stat.st_mtime_ns, stat.st_ino)
    assert_exact(index, library)
    index.close()


def test_many_small_files_end_in_few_segments(library: SmallLibrary) -> None:
    index = opened(library)
    for number in range(30):
        library.put_vectors(f"{number}.txt", random_units(number, 20))
        index.refresh()
        index.maintain(save_all=True)
    assert index.status().segments <= 4
    assert index.status().vectors == 600
    assert_exact(index, library)
    index.close()


def test_a_large_library_is_saved_in_the_background(library: SmallLibrary) -> None:
    index = opened(library)
    library.put_vectors("large.txt", random_units(3, 2500))
    index.refresh()
    assert_exact(index, library)
    index.close()
    index = opened(library)
    assert (index.status().segments, index.status().unsaved) == (1, 0)
    assert_exact(index, library)
    index.close()


def test_a_scope_limits_the_search_itself(library: SmallLibrary) -> None:
    library.put_vectors("many.txt", random_units(4, 2500))
    rare = library.put_vectors("rare.txt", random_units(5, 7))
    index = opened(library)
    index.maintain(save_all=True)
    assert found(index, QUERIES[0], 10, rare) == library.nearest(QUERIES[0], 10, rare.tolist())
    assert index.search(QUERIES[0], 10, ChunkScope.of_ids(np.empty(0, dtype=np.int64))) == []
    index.close()


def test_another_model_has_another_index(library: SmallLibrary) -> None:
    library.put_vectors("a.txt", random_units(6, 300))
    index = opened(library)
    index.maintain(save_all=True)
    other = VectorIndex(library.store, library.folder / "index", "other-model", 4)
    other.open()
    assert other.search(random_units(1, 1, 4)[0], 5) == []
    other.close()
    index.close()
    index = opened(library)
    assert index.status().segments == 1, "opening another model's index leaves this one's files alone"
    assert_exact(index, library)
    index.close()


def test_a_process_that_only_reads_sees_everything_and_writes_nothing(library: SmallLibrary) -> None:
    library.put_vectors("saved.txt", random_units(7, 2500))
    owner = opened(library)
    owner.maintain(save_all=True)
    library.put_vectors("unsaved.txt", random_units(8, 60))
    folder = library.folder / "index"
    before = sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir())
    reading = LibraryStore(open_library(library.folder / "library.db", read_only=True))
    reader = VectorIndex(reading, folder, MODEL, DIMENSION, writer=False)
    reader.open()
    assert_exact(reader, library)
    library.put_vectors("later.txt", random_units(9, 60))
    reader.refresh()
    assert_exact(reader, library)
    reader.close()
    assert sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir()) == before
    owner.close()


def test_a_reader_does_without_files(library: SmallLibrary, tmp_path: Path) -> None:
    library.put_vectors("a.txt", random_units(10, 2500))
    reader = VectorIndex(library.store, tmp_path / "nowhere", MODEL, DIMENSION, writer=False)
    reader.open()
    assert_exact(reader, library)
    reader.close()
    assert not (tmp_path / "nowhere").exists()


def test_an_index_that_fell_behind_a_pruned_log_catches_up(library: SmallLibrary) -> None:
    index = opened(library)
    library.put_vectors("a.txt", random_units(11, 30))
    library.put_vectors("a.txt", random_units(12, 30))
    library.store.prune_changes(library.store.current_sequence())
    index.refresh()
    assert_exact(index, library)
    index.close()


def test_searches_go_on_while_documents_come_and_go(library: SmallLibrary) -> None:
    stable = set(library.put_vectors("stable.txt", random_units(13, 200)).tolist())
    index = opened(library)
    stop = threading.Event()
    wrong: list[set[int]] = []

    def search() -> None:
        while not stop.is_set():
            seen = set(found(index, QUERIES[0], 10_000))
            if not stable <= seen:
                wrong.append(stable - seen)

    searcher = threading.Thread(target=search)
    searcher.start()
    try:
        for number in range(25):
            library.put_vectors("coming.txt", random_units(number, 100))
            index.refresh()
            index.maintain(save_all=True)
    finally:
        stop.set()
        searcher.join()
    assert not wrong
    assert_exact(index, library)
    index.close()


def test_cosines_of_given_chunks(library: SmallLibrary) -> None:
    ids = library.put_vectors("a.txt", random_units(14, 30)).tolist()
    index = opened(library)
    index.maintain(save_all=True)
    ids += library.put_vectors("b.txt", random_units(15, 3)).tolist()
    index.refresh()
    expected = dict(index.search(QUERIES[0], 100))
    cosines = index.cosines(QUERIES[0], [ids[-1], ids[3], 10**9])
    assert cosines == pytest.approx({ids[-1]: expected[ids[-1]], ids[3]: expected[ids[3]]}, abs=1e-5)
    index.close()


def test_odd_requests(library: SmallLibrary) -> None:
    index = opened(library)
    assert index.search(QUERIES[0], 5) == []
    library.put_vectors("a.txt", random_units(16, 3))
    index.refresh()
    assert index.search(QUERIES[0], 0) == []
    assert len(index.search(QUERIES[0], 50)) == 3
    with pytest.raises(ValueError, match="dimensions"):
        index.search(np.zeros(DIMENSION + 1, dtype=np.float32), 5)
    index.close()


def test_nothing_is_embedded_again(library: SmallLibrary) -> None:
    library.put_vectors("a.txt", random_units(17, 300))
    index = opened(library)
    index.maintain(save_all=True)
    index.close()
    for path in (library.folder / "index").iterdir():
        path.unlink()
    embedder = library.embedder
    assert isinstance(embedder, HashEmbedder)
    index = opened(library)
    assert_exact(index, library)
    assert embedder.queries == []
    index.close()
