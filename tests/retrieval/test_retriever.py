"""Searching the library by meaning, by words, and both, as its callers see it."""

from __future__ import annotations

import random
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.documents import DocumentState
from app.domain.passages import Passage, Scope, SearchMode
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.retriever import DENSE_WEIGHT, FOLD_DUPLICATES, NEIGHBOURS, Retriever
from app.retrieval.vector_index import VectorIndex
from app.settings.setting import Setting
from tests.retrieval.small_library import DIMENSION, MODEL, SmallLibrary

GARDEN = (
    "Tomatoes need six hours of sun and regular water.",
    "Prune the roses in early spring, before the buds open.",
    "Compost is ready when it smells of earth.",
    "The tool shed is locked with a four digit code.",
)


class Values:
    """Settings with some values changed."""

    def __init__(self) -> None:
        self.changed: dict[str, Any] = {}

    def __getitem__(self, setting: Setting[Any]) -> Any:
        return self.changed.get(setting.key, setting.default)


class Desk:
    """A library, its indexes and a retriever."""

    def __init__(self, folder: Path) -> None:
        self.library = SmallLibrary(folder)
        self.vectors = VectorIndex(self.library.store, folder / "index", MODEL, DIMENSION)
        self.keywords = KeywordIndex(self.library.store, folder / "index")
        self.vectors.open()
        self.keywords.open()
        self.values = Values()
        self.retrievers: list[Retriever] = []
        self.retriever = self.made()

    def made(self, **options: Any) -> Retriever:
        made = Retriever(
            self.library.store, lambda: self.library.embedder, self.vectors, self.keywords, self.values, **options
        )
        self.retrievers.append(made)
        return made

    def put(self, name: str, paragraphs: Sequence[str], **options: Any) -> int:
        document = self.library.put(name, paragraphs, **options)
        self.refresh()
        return document

    def refresh(self) -> None:
        self.vectors.refresh()
        self.keywords.refresh()

    def close(self) -> None:
        for retriever in self.retrievers:
            retriever.close()
        self.vectors.close()
        self.keywords.close()
        self.library.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    desk.put("garden.txt", GARDEN)
    yield desk
    desk.close()


def texts(passages: Sequence[Passage]) -> list[str]:
    return [passage.text for passage in passages]


@pytest.mark.parametrize("mode", list(SearchMode))
def test_each_mode_finds_the_passage_and_tells_how(desk: Desk, mode: SearchMode) -> None:
    [first, *_] = desk.retriever.search("when is compost ready", k=3, mode=mode)
    assert first.text == GARDEN[2]
    assert first.path == desk.library.folder / "garden.txt"
    assert (first.dense_rank == 1) is (mode is not SearchMode.KEYWORD)
    assert (first.keyword_rank == 1) is (mode is not SearchMode.DENSE)
    assert (first.similarity is not None) is (mode is not SearchMode.KEYWORD)


def test_results_are_best_first_and_at_most_k(desk: Desk) -> None:
    passages = desk.retriever.search("water the roses and tomatoes", k=3)
    assert len(passages) == 3
    assert [passage.score for passage in passages] == sorted((each.score for each in passages), reverse=True)


def test_closing_does_not_wait_for_a_search_that_waits_for_its_model(desk: Desk) -> None:
    asked, prepared = threading.Event(), threading.Event()

    def preparing() -> Any:
        asked.set()
        prepared.wait()
        return desk.library.embedder

    retriever = Retriever(desk.library.store, preparing, desk.vectors, desk.keywords, desk.values)
    found: list[Passage] = []
    searching = threading.Thread(target=lambda: found.extend(retriever.search("when is compost ready", k=1)))
    searching.start()
    asked.wait()
    retriever.close()
    assert not found
    prepared.set()
    searching.join()
    assert texts(found) == [GARDEN[2]]


def test_keyword_search_needs_no_model(desk: Desk) -> None:
    def unavailable() -> Any:
        raise AssertionError("the model was loaded")

    retriever = Retriever(desk.library.store, unavailable, desk.vectors, desk.keywords, desk.values)
    assert texts(retriever.search("tool shed", mode=SearchMode.KEYWORD)) == [GARDEN[3]]


@pytest.mark.parametrize("query", ["", "  \n", 'AND "', "title:", "the", "\0", "\ud800", "😀", "x" * 100_000])
def test_any_query_gets_an_answer(desk: Desk, query: str) -> None:
    passages = desk.retriever.search(query, k=2)
    assert len(passages) == (2 if query.strip() else 0)
    assert desk.retriever.search(query, k=0) == []


def test_quoted_words_must_be_in_the_passage(desk: Desk) -> None:
    desk.put("other.txt", ["Early in spring we open the buds of compost.", "In early spring the frost goes."])
    for mode in (SearchMode.HYBRID, SearchMode.KEYWORD):
        found = texts(desk.retriever.search('"early spring" buds open', mode=mode))
        assert found[0] == GARDEN[1]
        assert set(found) == {GARDEN[1], "In early spring the frost goes."}
    assert desk.retriever.search('"no such phrase anywhere"')


def test_the_weight_of_meaning_is_a_setting(desk: Desk) -> None:
    query = "roses code"
    desk.values.changed[DENSE_WEIGHT.key] = 0.0
    by_words = desk.retriever.search(query)
    assert [passage.keyword_rank for passage in by_words[:2]] == [1, 2]
    desk.values.changed[DENSE_WEIGHT.key] = 1.0
    by_meaning = desk.retriever.search(query)
    assert [passage.dense_rank for passage in by_meaning[:2]] == [1, 2]


@pytest.mark.parametrize(
    ("query", "right"),
    [
        ("园丁几点浇水", "园丁早上六点浇水。"),
        ("¿A qué hora riega el jardinero las plantas?", "El jardinero riega las plantas a las seis."),
    ],
)
def test_a_query_in_a_language_the_model_does_not_know_goes_by_words(desk: Desk, query: str, right: str) -> None:
    """The model, made to be wrong here, would put another passage first."""
    desk.put("zh.txt", ["园丁早上六点浇水。", "El jardinero riega las plantas a las seis."])
    decoy = desk.put("decoy.txt", ["nothing of the kind"])
    chunk_id = desk.library.store.chunk_ids_in_scope(Scope(document_ids=frozenset({decoy})))
    assert chunk_id is not None
    vector = desk.library.embedder.embed_query(query)
    desk.library.store.store_vectors(MODEL, [(int(chunk_id[0]), vector.astype("float16").tobytes())])
    wrong = VectorIndex(desk.library.store, desk.library.folder / "other", MODEL, DIMENSION, writer=False)
    wrong.open()
    desk.vectors.close()
    desk.vectors = wrong
    knowing, trusting = desk.made(), desk.made(model_languages=None)
    assert knowing.search(query, k=1)[0].text == right
    assert _score(knowing, query, decoy) < 0.5 * _score(trusting, query, decoy)


def _score(retriever: Retriever, query: str, document: int) -> float:
    return next(passage.score for passage in retriever.search(query) if passage.document_id == document)


def test_copies_are_shown_once_and_the_newest_file_wins(desk: Desk) -> None:
    old = desk.put("old/rules.txt", ["Members water their own plot at least twice a week in summer."])
    new = desk.put("new/rules.txt", ["Members water their own plot at least twice a week in summer."])
    found = desk.retriever.search("how often do members water their plot")
    assert [passage.document_id for passage in found if "Members" in passage.text] == [new]
    assert found[0].document_id == new
    desk.values.changed[FOLD_DUPLICATES.key] = False
    found = desk.retriever.search("how often do members water their plot")
    assert {passage.document_id for passage in found if "Members" in passage.text} == {old, new}


def test_passages_that_differ_in_a_figure_are_both_shown(desk: Desk) -> None:
    for year in (2017, 2019):
        desk.put(f"{year}.txt", [f"Net sales of the company for the full fiscal year were {year} million dollars."])
    found = texts(desk.retriever.search("net sales of the company"))
    assert sum("Net sales" in text for text in found) == 2


def test_a_scope_limits_every_mode(desk: Desk) -> None:
    inside = desk.put("inside/roses.md", ["Roses again, in another file."], media_type="text/markdown")
    folder = desk.library.folder / "inside"
    for mode in SearchMode:
        for scope in (
            Scope(document_ids=frozenset({inside})),
            Scope(folders=(folder,)),
            Scope(media_types=frozenset({"text/markdown"})),
        ):
            found = desk.retriever.search("prune the roses", mode=mode, scope=scope)
            assert [passage.document_id for passage in found] == [inside]
        assert desk.retriever.search("roses", mode=mode, scope=Scope(document_ids=frozenset({10**6}))) == []


WORDS = ("apple", "pear", "plum", "fig", "kiwi", "lime")


@given(st.integers(0, 2**20))
@settings(max_examples=5, deadline=None)
def test_nothing_outside_the_scope_and_nothing_deleted_is_ever_found(seed: int) -> None:
    """Indexes are refreshed only now and then here, as when documents change between two refreshes."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        store = desk.library.store
        for _ in range(10):
            name = f"{chance.randrange(2)}/{chance.randrange(3)}.txt"
            document = store.document_by_path(desk.library.folder / name)
            action = chance.choice(["put", "put", "remove", "exclude", "rename"])
            if action == "put" or document is None:
                desk.library.put(name, [" ".join(chance.choices(WORDS, k=5)) for _ in range(3)])
            elif action == "remove":
                store.remove(document.id)
            elif action == "exclude":
                store.set_state(document.id, DocumentState.EXCLUDED)
            else:
                store.rename(document.id, desk.library.folder / f"{chance.randrange(2)}/{chance.randrange(3)}.txt")
            if chance.random() < 0.4:
                desk.refresh()
            _assert_only_what_may_be_shown(desk, chance)
        desk.close()


def _assert_only_what_may_be_shown(desk: Desk, chance: random.Random) -> None:
    folder = desk.library.folder / str(chance.randrange(2))
    shown = set(desk.library.texts())
    for mode in SearchMode:
        query = " ".join(chance.choices(WORDS, k=2))
        everywhere = desk.retriever.search(query, k=50, mode=mode)
        assert {passage.chunk_id for passage in everywhere} <= shown
        within = desk.retriever.search(query, k=50, mode=mode, scope=Scope(folders=(folder,)))
        assert {passage.chunk_id for passage in within} <= shown
        assert all(passage.path.is_relative_to(folder) for passage in within)


def test_a_following_retriever_sees_changes_by_itself(desk: Desk) -> None:
    follower = desk.made(follow=True)
    document = desk.library.put("new.txt", ["Beekeepers meet on Mondays."])
    assert follower.search("when do beekeepers meet", k=1)[0].text == "Beekeepers meet on Mondays."
    assert desk.keywords.status().unindexed == 1, "a search leaves writing to others"
    desk.refresh()
    assert desk.keywords.status().unindexed == 0
    assert follower.search("when do beekeepers meet", k=1)[0].text == "Beekeepers meet on Mondays."
    desk.library.store.remove(document)
    assert "Beekeepers" not in " ".join(texts(follower.search("when do beekeepers meet")))


def test_context_keeps_to_its_budget(desk: Desk) -> None:
    def tokens(passages: Sequence[Passage]) -> int:
        return sum(passage.token_count for passage in passages)

    everything = desk.retriever.context("roses water compost code", token_budget=1000)
    assert len(everything) == len(GARDEN)
    for budget in range(0, 40, 3):
        assert tokens(desk.retriever.context("roses water compost code", token_budget=budget)) <= budget
    small = desk.retriever.context("when is compost ready", token_budget=10)
    assert texts(small) == [GARDEN[2]]


def test_context_can_take_neighbours_in(desk: Desk) -> None:
    desk.values.changed[NEIGHBOURS.key] = 1
    [first, *_] = desk.retriever.context("prune the roses", token_budget=200)
    document_text = desk.library.store.document_text(first.document_id)
    assert first.text == document_text[first.start : first.end]
    assert first.text == "\n\n".join(GARDEN[:3]) or first.text == "\n\n".join(GARDEN)
    [only] = desk.retriever.context("prune the roses", token_budget=10)
    assert only.text == GARDEN[1]


@pytest.mark.parametrize("follow", [False, True])
def test_a_search_does_not_wait_for_ingestion(desk: Desk, follow: bool) -> None:
    """While a transaction that writes is open, a search still answers, from what was there before."""
    retriever = desk.made(follow=follow)
    release, writing = threading.Event(), threading.Event()

    def ingest() -> None:
        with desk.library.database.write():
            desk.library.put("slow.txt", ["Slow water."])
            writing.set()
            release.wait(30)

    thread = threading.Thread(target=ingest)
    thread.start()
    try:
        assert writing.wait(30)
        assert texts(retriever.search("water", mode=SearchMode.KEYWORD)) == [GARDEN[0]]
        assert GARDEN[0] in texts(retriever.search("water"))
    finally:
        release.set()
        thread.join()


def test_many_threads_may_search_at_once(desk: Desk) -> None:
    expected = [passage.chunk_id for passage in desk.retriever.search("roses and water")]
    results: list[list[int]] = []

    def search() -> None:
        results.append([passage.chunk_id for passage in desk.retriever.search("roses and water")])

    threads = _started(search, 6)
    for thread in threads:
        thread.join()
    assert results == [expected] * 6


def _started(work: Callable[[], None], count: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads
