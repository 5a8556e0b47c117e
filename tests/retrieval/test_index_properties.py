"""Whatever happened to the library and its indexes, no search shows what it must not, also while indexes are made."""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.domain.documents import DocumentState
from app.domain.passages import Scope, SearchMode
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.keyword_query import parse_query
from app.retrieval.keyword_view import KeywordView
from app.retrieval.retriever import Retriever
from app.retrieval.segment_policy import IndexLimits
from app.retrieval.vector_index import KIND, VectorIndex
from app.retrieval.vector_quantised import QuantisedBlock
from app.storage.chunk_scope import ChunkScope
from app.storage.library_values import UnknownDocumentError
from tests.retrieval.small_library import DIMENSION, MODEL, SmallLibrary, random_units
from tests.retrieval.test_retriever import Values

TINY = IndexLimits(smallest=3, quantised=8, largest=48, at_once=5)
WORDS = ("apple", "pear", "plum", "fig", "kiwi", "lime")
NAMES = ("north/a.txt", "north/b.txt", "south/c.txt", "south/d.txt", "east/e.txt")


@dataclass
class World:
    """A library with tiny segments, most of them quantised, and what every search may show."""

    folder: Path
    library: SmallLibrary = field(init=False)
    documents: dict[str, int] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.library = SmallLibrary(self.folder)
        self.open()

    def open(self) -> None:
        index = self.folder / "index"
        self.vectors = VectorIndex(self.library.store, index, MODEL, DIMENSION, limits=TINY)
        self.keywords = KeywordIndex(self.library.store, index, at_once=2)
        self.vectors.open()
        self.keywords.open()
        embedder = self.library.embedder
        self.retriever = Retriever(
            self.library.store, lambda: embedder, self.vectors, self.keywords, Values(), follow=True
        )

    def close(self) -> None:
        self.retriever.close()
        self.vectors.close()
        self.keywords.close()

    def put(self, name: str, other: str, words: list[str]) -> None:
        self.documents[name] = self.library.put(name, [f"{word} {row} {name}" for row, word in enumerate(words)])
        self.excluded.discard(name)

    def remove(self, name: str, other: str, words: list[str]) -> None:
        if name in self.documents:
            self.library.store.remove(self.documents.pop(name))
            self.excluded.discard(name)

    def exclude(self, name: str, other: str, words: list[str]) -> None:
        if name in self.documents:
            self.library.store.set_state(self.documents[name], DocumentState.EXCLUDED)
            self.excluded.add(name)

    def move(self, name: str, other: str, words: list[str]) -> None:
        if name in self.documents and name != other:
            self.library.store.rename(self.documents[name], self.folder / other)
            self.documents[other] = self.documents.pop(name)
            self.excluded.discard(other)
            if name in self.excluded:
                self.excluded.discard(name)
                self.excluded.add(other)

    def merge(self, name: str, other: str, words: list[str]) -> None:
        self.refresh(name, other, words)
        self.vectors.maintain(save_all=True)

    def refresh(self, name: str, other: str, words: list[str]) -> None:
        self.vectors.refresh()
        self.keywords.refresh()

    def reopen(self, name: str, other: str, words: list[str]) -> None:
        self.close()
        self.open()

    def rebuild(self, name: str, other: str, words: list[str]) -> None:
        self.close()
        shutil.rmtree(self.folder / "index", ignore_errors=True)
        self.library.store.prune_changes(self.library.store.current_sequence())
        self.open()

    def shown(self, folder: str = "") -> set[int]:
        return {
            document
            for name, document in self.documents.items()
            if name not in self.excluded and name.startswith(folder)
        }


steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["put", "put", "put", "remove", "exclude", "move", "merge", "refresh", "reopen", "rebuild"],
        ),
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=14),
    ),
    min_size=4,
    max_size=14,
)


@given(history=steps)
@settings(max_examples=25, deadline=None)
def test_no_search_ever_shows_what_it_must_not(history: list[tuple[str, str, str, list[str]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for number, (operation, name, other, words) in enumerate(history):
            getattr(world, operation)(name, other, words)
            assert_only_shown(world, WORDS[number % len(WORDS)])
        world.vectors.wait()
        world.keywords.wait()
        world.refresh("", "", [])
        world.vectors.wait()
        assert_only_shown(world, WORDS[0])
        assert_complete(world)
        world.close()
        world.library.close()


def assert_only_shown(world: World, query: str) -> None:
    """Straight after a change, without a refresh, in every mode, with and without a scope."""
    for place in ("", "north", "south"):
        scope = Scope(folders=(world.folder / place,)) if place else None
        for mode in SearchMode:
            found = world.retriever.search(query, k=100, mode=mode, scope=scope)
            assert {passage.document_id for passage in found} <= world.shown(place)


def assert_complete(world: World) -> None:
    live = set(world.library.store.vector_ids(MODEL).tolist())
    found = world.vectors.search(random_units(5, 1)[0], 1_000)
    assert {chunk_id for chunk_id, _ in found} == live
    exact = world.vectors.cosines(random_units(5, 1)[0], list(live))
    assert dict(found) == pytest.approx(exact, abs=1e-3)
    for word in WORDS:
        holding = {chunk_id for chunk_id, text in world.library.texts().items() if word in text.split()}
        assert {chunk_id for chunk_id, _ in world.keywords.search(word, 1_000)} == holding


@given(history=steps)
@settings(max_examples=25, deadline=None)
def test_a_scope_holds_the_chunks_of_its_documents_after_any_history(
    history: list[tuple[str, str, str, list[str]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        library = SmallLibrary(Path(folder))
        for operation, name, other, words in history:
            record = library.store.document_by_path(Path(folder) / name)
            if operation == "put":
                library.put(name, [f"{word} {row}" for row, word in enumerate(words)])
            elif operation == "remove" and record:
                library.store.remove(record.id)
            elif operation == "move" and record and name != other:
                library.store.rename(record.id, Path(folder) / other)
        for place in ("north", "south", "east", "nowhere"):
            scope = Scope(folders=(Path(folder) / place,))
            wanted = library.store.chunk_ids_in_scope(scope)
            found = library.store.chunk_scope(scope)
            assert wanted is not None
            assert found is not None
            every = library.store.vector_ids(MODEL)
            assert every[found.rows(every)].tolist() == wanted.tolist()
            assert found.empty is (len(wanted) == 0)
        library.close()


@given(ids=st.sets(st.integers(1, 3_000), max_size=1_500), wanted=st.sets(st.integers(1, 3_000), max_size=1_500))
@settings(max_examples=60, deadline=None)
def test_ranges_of_ids_hold_exactly_these_ids(ids: set[int], wanted: set[int]) -> None:
    every, scope = np.array(sorted(ids), dtype=np.int64), ChunkScope.of_ids(np.array(sorted(wanted), dtype=np.int64))
    assert set(every[scope.rows(every)].tolist()) == ids & wanted
    assert {each for each in ids if each in scope} == ids & wanted
    assert scope.size == len(wanted)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SmallLibrary]:
    library = SmallLibrary(tmp_path)
    yield library
    library.close()


def test_searches_go_on_while_a_segment_is_made(library: SmallLibrary) -> None:
    first = set(library.put_vectors("first.txt", random_units(1, 4)).tolist())
    reached, go_on = threading.Event(), threading.Event()

    def hold(step: str) -> None:
        if step == "written":
            reached.set()
            assert go_on.wait(60)

    index = VectorIndex(library.store, library.folder / "index", MODEL, DIMENSION, limits=TINY, on_step=hold)
    index.open()
    second = library.put_vectors("second.txt", random_units(2, 40))
    removed = library.put_vectors("third.txt", random_units(3, 4))
    index.refresh()
    assert reached.wait(60)
    document = library.store.document_by_path(library.folder / "third.txt")
    assert document is not None
    library.store.remove(document.id)
    index.follow()
    assert index.status().waiting
    meanwhile = {chunk_id for chunk_id, _ in index.search(random_units(9, 1)[0], 100)}
    assert first <= meanwhile
    assert meanwhile.isdisjoint(removed.tolist())
    go_on.set()
    index.wait()
    assert index.status().waiting == 0
    assert {chunk_id for chunk_id, _ in index.search(random_units(9, 1)[0], 100)} == first | set(second.tolist())
    index.close()


def test_rows_removed_while_they_wait_are_never_shown(library: SmallLibrary) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def hold(step: str) -> None:
        if step == "written":
            reached.set()
            assert go_on.wait(60)

    library.put_vectors("kept.txt", random_units(1, 30))
    gone = library.put_vectors("gone.txt", random_units(2, 30))
    index = VectorIndex(library.store, library.folder / "index", MODEL, DIMENSION, limits=TINY, on_step=hold)
    index.open()
    assert reached.wait(60)
    document = library.store.document_by_path(library.folder / "gone.txt")
    assert document is not None
    library.store.remove(document.id)
    index.refresh()
    go_on.set()
    index.wait()
    found = {chunk_id for chunk_id, _ in index.search(random_units(9, 1)[0], 100)}
    assert len(found) == 30
    assert found.isdisjoint(gone.tolist())
    index.close()


def test_a_keyword_build_in_the_background_takes_in_what_changes_meanwhile(library: SmallLibrary) -> None:
    library.put("old.txt", [f"apple {row}" for row in range(300)])
    index = KeywordIndex(library.store, library.folder / "index", at_once=0)
    index.open()
    gone = library.put("gone.txt", ["apple of discord"])
    library.put("new.txt", ["apple of the eye"])
    library.store.remove(gone)
    index.refresh()
    index.wait()
    index.refresh()
    assert {chunk_id for chunk_id, _ in index.search("apple", 1_000)} == set(library.texts())
    assert not index.status().rebuilding
    index.close()


def test_the_old_keyword_build_serves_until_the_new_one_is_there(library: SmallLibrary) -> None:
    library.put("old.txt", [f"apple {row}" for row in range(300)])
    index = KeywordIndex(library.store, library.folder / "index", at_once=0)
    index.open()
    index.wait()
    library.put("new.txt", ["pear"])
    library.store.prune_changes(library.store.current_sequence())
    index.refresh()
    assert len(index.search("apple", 1_000)) == 300
    index.wait()
    assert len(index.search("pear", 10)) == 1
    index.close()


def test_changes_are_kept_in_the_log_while_a_build_is_made(library: SmallLibrary) -> None:
    library.put("old.txt", [f"apple {row}" for row in range(300)])
    index = KeywordIndex(library.store, library.folder / "index", at_once=0)
    index.open()
    library.put("new.txt", ["pear"])
    index.refresh()
    library.store.prune_changes(index.sequence)
    index.wait()
    index.refresh()
    assert len(index.search("pear", 10)) == 1
    assert index.status().problem == ""
    index.close()


def test_an_index_closed_while_it_builds_begins_anew(library: SmallLibrary) -> None:
    library.put("old.txt", [f"apple {row}" for row in range(400)])
    for _ in range(3):
        world = VectorIndex(library.store, library.folder / "index", MODEL, DIMENSION, limits=TINY)
        keywords = KeywordIndex(library.store, library.folder / "index", at_once=0)
        world.open()
        keywords.open()
        world.close()
        keywords.close()
    index = VectorIndex(library.store, library.folder / "index", MODEL, DIMENSION, limits=TINY)
    index.open()
    index.wait()
    assert len(index.search(random_units(1, 1)[0], 1_000)) == 400
    assert index.status().problem == ""
    index.close()


@pytest.mark.requirement("R5", "T8")
def test_every_flipped_byte_of_a_quantised_segment_is_noticed(library: SmallLibrary) -> None:
    library.put_vectors("one.txt", random_units(1, 40))
    index = VectorIndex(library.store, library.folder / "index", MODEL, DIMENSION, limits=TINY, background=False)
    index.open()
    index.maintain(save_all=True)
    assert index.status().quantised == 1
    index.close()
    chance = random.Random(7)
    for _ in range(60):
        [path] = (library.folder / "index").iterdir()
        content = bytearray(path.read_bytes())
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        index = VectorIndex(library.store, library.folder / "index", MODEL, DIMENSION, limits=TINY, background=False)
        index.open()
        assert index.status().problem
        assert len(index.search(random_units(1, 1)[0], 100)) == 40
        index.maintain(save_all=True)
        index.close()
    [segment] = library.store.index_segments(KIND, MODEL)
    assert segment.vector_count == 40


def clustered(seed: int, count: int, dimension: int = 32) -> NDArray[np.float32]:
    chance = np.random.default_rng(seed)
    centres = random_units(1, 60, dimension)
    rows = centres[chance.integers(len(centres), size=count)] + 0.15 * chance.standard_normal((count, dimension))
    lengths: NDArray[np.float64] = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (rows / lengths).astype(np.float32)
    return unit


def test_a_quantised_block_finds_nearly_what_is_nearest_and_keeps_to_its_mask() -> None:
    rows = clustered(3, 20_000)
    ids = np.arange(len(rows), dtype=np.int64) * 3
    half = rows.astype(np.float16)
    block = QuantisedBlock.build(ids, lambda wanted: (wanted, half[wanted // 3]), rows.shape[1])
    allowed = np.random.default_rng(4).random(len(rows)) < 0.02
    for mask in (None, allowed):
        found = []
        for query in clustered(5, 50):
            scores = np.where(mask if mask is not None else True, rows @ query, -2)
            nearest = set(ids[np.argsort(-scores)[:10]].tolist())
            hits, _ = block.search(query, 150, mask)
            assert mask is None or allowed[hits // 3].all()
            found.append(len(nearest & set(hits.tolist())) / 10)
        assert np.mean(found) >= 0.97


def test_neighbouring_words_count_in_a_large_index_too(library: SmallLibrary) -> None:
    library.put("order.txt", ["stone cold river water beds", "cold stone water river beds", "happy few", "few happy"])
    index = KeywordIndex(library.store, library.folder / "index")
    index.open()
    view = index._view
    assert view is not None
    large = KeywordView(view.build, pairs_apart_from=0)
    read = {row[0]: row[1] for row in library.store.search_rows()}
    for text in ("river water", "stone water", "happy few", "few happy"):
        query = view.parse(text)
        expected = view.search(query, 4, None, lambda ids: read)
        assert dict(large.search(query, 4, None, lambda ids: read)) == pytest.approx(dict(expected), rel=0.02)
    assert parse_query("river water", str.split, lambda term: 1, 4).pairs == (("river", "water"),)
    index.close()


@pytest.mark.parametrize("text", ["stoen river", "wate beds river", "hapy stone", "happy wrods beds", "xylophonee few"])
def test_typing_errors_are_forgiven_in_a_large_index_as_in_a_small_one(library: SmallLibrary, text: str) -> None:
    library.put("a.txt", ["stone cold water", "cold stones by a river", "rivers and beds", "happy few", "water beds"])
    library.put("river-beds.txt", ["xylophone", "a stone, a bed, a river", "few words, and few beds"])
    index = KeywordIndex(library.store, library.folder / "index")
    index.open()
    view = index._view
    assert view is not None
    query = view.parse(text)
    assert query.misspelt
    assert query.pairs
    # All candidates are weighed with their neighbouring words there, so only the words' own scores can be compared.
    large = KeywordView(view.build, pairs_apart_from=0)
    apart = large.search(query, 8, None, lambda ids: {})
    expected = view.search(replace(query, pairs=()), 8, None, lambda ids: {})
    assert [chunk_id for chunk_id, _ in apart] == [chunk_id for chunk_id, _ in expected]
    assert dict(apart) == pytest.approx(dict(expected))
    assert large.search(query, 1, None, lambda ids: {}) == apart[:1]
    index.close()


def test_a_document_that_is_gone_has_no_chunks_in_any_scope(library: SmallLibrary) -> None:
    document = library.put("a.txt", ["apple"])
    library.store.remove(document)
    found = library.store.chunk_scope(Scope(document_ids=frozenset({document})))
    assert found is not None
    assert found.empty
    with pytest.raises(UnknownDocumentError):
        library.store.document(document)
