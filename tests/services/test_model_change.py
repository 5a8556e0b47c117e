"""Changing the embedding model: the old one answers until the new one has everything, and is gone after that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.errors import WorkCancelledError
from app.domain.passages import SearchMode
from app.retrieval.embedder import Embedder
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.retriever import Retriever
from app.retrieval.vector_index import KIND, VectorIndex
from app.services.model_change import ModelChange
from app.storage.seals import stored_seal
from tests.retrieval.small_library import HashEmbedder, SmallLibrary
from tests.retrieval.test_retriever import Values

PARAGRAPHS = [f"{word} number {row}" for row in range(40) for word in ("apple", "pear", "plum", "fig")]


class NewEmbedder(HashEmbedder):
    """Another model: other length of vectors. ``before_each`` is called before every batch."""

    model_key = "hash-16"

    def __init__(self) -> None:
        super().__init__(16)
        self.batches: list[list[str]] = []
        self.before_each: Callable[[], None] = lambda: None

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.before_each()
        self.batches.append(list(texts))
        return super().embed_passages(texts)


class Desk:
    """A library with one model, and the change to another."""

    def __init__(self, folder: Path) -> None:
        self.library = SmallLibrary(folder)
        self.old: HashEmbedder = self.library.embedder
        self.new = NewEmbedder()
        self.serving: Embedder = self.old
        self.documents = [self.library.put(f"{number}.txt", PARAGRAPHS[number::4]) for number in range(4)]
        self.indexes = [self.opened(self.old)]
        self.indexes[0].maintain(save_all=True)
        self.keywords = KeywordIndex(self.library.store, folder / "index")
        self.keywords.open()
        self.retriever = Retriever(
            self.library.store, lambda: self.old, self.indexes[0], self.keywords, Values(), follow=True
        )
        self.library.store.set_serving_model(self.old.model_key, {"model": "old"})
        self.busy = False
        self.change = self.made()

    def made(self) -> ModelChange:
        store, index = self.library.store, self.library.folder / "index"
        return ModelChange(
            store,
            lambda: self.serving,
            lambda: self.new,
            self.serve,
            {"model": "new"},
            index,
            lambda: self.busy,
            busy_pause=0.01,
        )

    def opened(self, embedder: Embedder) -> VectorIndex:
        folder = self.library.folder / "index"
        index = VectorIndex(self.library.store, folder, embedder.model_key, embedder.dimension)
        index.open()
        return index

    def serve(self, embedder: Embedder) -> None:
        index = self.opened(embedder)
        index.wait()
        self.retriever.serve(lambda: embedder, index)
        self.serving = embedder
        self.indexes[-1].retire()
        self.indexes.append(index)

    def found(self, query: str = "apple number 3") -> set[int]:
        return {passage.chunk_id for passage in self.retriever.search(query, k=500, mode=SearchMode.DENSE)}

    def close(self) -> None:
        self.change.close()
        self.retriever.close()
        for index in self.indexes:
            index.close()
        self.keywords.close()
        self.library.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def vectors_of(desk: Desk, model_key: str) -> int:
    return desk.library.store.vector_count(model_key)


def test_the_plan_tells_the_cost_and_stores_nothing(desk: Desk) -> None:
    plan = desk.change.plan()
    assert (plan.serving, plan.wanted) == ("hash-8", "hash-16")
    assert (plan.documents, plan.chunks) == (4, len(PARAGRAPHS))
    assert plan.seconds > 0
    assert plan.needed
    assert vectors_of(desk, "hash-16") == 0


def test_without_another_model_there_is_nothing_to_do(desk: Desk) -> None:
    desk.serving = desk.new
    plan = desk.change.plan()
    assert (plan.needed, plan.chunks, plan.seconds) == (False, 0, 0.0)


def test_the_old_model_answers_until_all_is_embedded_and_is_gone_then(desk: Desk) -> None:
    seen: list[int] = []
    desk.new.before_each = lambda: seen.append(len(desk.found()))
    progress: list[tuple[int, int]] = []
    desk.change.run(lambda done, total: progress.append((done, total)))
    assert seen
    assert set(seen) == {len(PARAGRAPHS)}, "nothing was missing at any time"
    assert desk.new.queries == [], "the new model was asked nothing before it had everything"
    assert progress[-1] == (len(PARAGRAPHS), len(PARAGRAPHS))
    assert len(desk.found("pear number 5")) == len(PARAGRAPHS)
    assert desk.new.queries == ["pear number 5"]
    assert (vectors_of(desk, "hash-8"), vectors_of(desk, "hash-16")) == (0, len(PARAGRAPHS))
    assert desk.library.store.index_segments(KIND, "hash-8") == []
    record = desk.library.store.serving_model()
    assert record is not None
    assert (record.model_key, record.choice) == ("hash-16", {"model": "new"})
    desk.indexes[-1].maintain(save_all=True)
    names = {segment.file_name for segment in desk.library.store.index_segments(KIND, "hash-16")}
    assert {path.name for path in (desk.library.folder / "index").glob("vectors-*")} == names
    assert desk.library.store.integrity() == []


def test_documents_stay_sealed_with_the_new_vectors(desk: Desk) -> None:
    desk.change.run()
    with desk.library.database.read() as connection:
        seals = [stored_seal(connection, document) for document in desk.documents]
    assert [seal.model_key for seal in seals if seal] == ["hash-16"] * 4


def test_an_interrupted_change_goes_on_where_it_ended(desk: Desk) -> None:
    desk.new.before_each = lambda: desk.change.close() if len(desk.new.batches) == 1 else None
    with pytest.raises(WorkCancelledError):
        desk.change.run()
    done = vectors_of(desk, "hash-16")
    assert 0 < done < len(PARAGRAPHS)
    assert len(desk.found()) == len(PARAGRAPHS)
    desk.new.before_each = lambda: None
    desk.new.batches.clear()
    desk.change = desk.made()
    assert desk.change.plan().chunks == len(PARAGRAPHS) - done
    desk.new.batches.clear()
    desk.change.run()
    assert sum(map(len, desk.new.batches)) == len(PARAGRAPHS) - done
    assert vectors_of(desk, "hash-16") == len(PARAGRAPHS)


def test_what_comes_and_goes_meanwhile_is_taken_in(desk: Desk) -> None:
    def once() -> None:
        desk.new.before_each = lambda: None
        desk.library.put("late.txt", ["a late apple", "a late pear"])
        desk.library.store.remove(desk.documents[0])

    desk.new.before_each = once
    desk.change.run()
    shown = set(desk.library.texts())
    assert len(shown) == 3 * len(PARAGRAPHS) // 4 + 2
    assert desk.found() == shown
    assert vectors_of(desk, "hash-8") == 0


def test_the_switch_waits_for_files_that_are_being_read(desk: Desk) -> None:
    reached = threading.Event()

    def begin_reading() -> None:
        desk.busy = True
        reached.set()

    desk.new.before_each = begin_reading
    desk.change.start()
    assert reached.wait(30)
    assert desk.serving is desk.old
    desk.new.before_each = lambda: None
    desk.library.put("late.txt", ["a late apple"])
    desk.busy = False
    thread = desk.change._thread
    assert thread is not None
    thread.join(60)
    assert desk.serving is desk.new
    assert desk.found() == set(desk.library.texts())
