"""Changing the size of passages: every document answers all the time, and nothing is embedded twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.documents import DocumentState
from app.domain.errors import WorkCancelledError
from app.retrieval.text_splitter import TextSplitter
from app.services.chunk_change import ChunkChange
from app.storage.seals import stored_seal
from tests.retrieval.small_library import HashEmbedder, SmallLibrary

SENTENCES = [
    f"The {word} of day {day} was carried to the northern barn before noon."
    for day in range(12)
    for word in ("apple", "pear", "plum")
]


class CountingEmbedder(HashEmbedder):
    """Keeps what it embedded. ``before_each`` is called before every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[str] = []
        self.before_each: Callable[[], None] = lambda: None

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.before_each()
        self.embedded += texts
        return super().embed_passages(texts)


class Desk:
    """A library of three documents, a passage a sentence, and the change to passages of another size."""

    def __init__(self, folder: Path) -> None:
        self.embedder = CountingEmbedder()
        self.library = SmallLibrary(folder, self.embedder)
        self.store = self.library.store
        self.documents = [self.library.put(f"{number}.txt", SENTENCES[number::3]) for number in range(3)]
        self.embedder.embedded.clear()
        self.told = 0
        self.change = self.made(60)

    def made(self, tokens: int, *, known_only: bool = False) -> ChunkChange:
        def tell() -> None:
            self.told += 1

        splitter = TextSplitter(self.embedder.count_tokens, max_tokens=self.embedder.max_tokens, target_tokens=tokens)
        return ChunkChange(self.store, lambda: splitter, lambda: self.embedder, tell, known_only=known_only)

    def texts(self, document_id: int) -> list[str]:
        rows = self.store.search_rows()
        passages = self.store.passages([row[0] for row in rows if row[4] == document_id])
        return [passages[each].text for each in sorted(passages)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.change.close()
    desk.library.close()


def test_the_plan_tells_the_cost_and_changes_nothing(desk: Desk) -> None:
    before = [desk.texts(each) for each in desk.documents]
    plan = desk.change.plan()
    assert (plan.tokens, plan.documents, plan.passages_now) == (60, 3, len(SENTENCES))
    assert 0 < plan.passages_then < plan.passages_now
    assert plan.to_embed == plan.passages_then
    assert plan.seconds > 0
    assert [desk.texts(each) for each in desk.documents] == before


def test_documents_are_cut_to_the_new_size_and_searchable_at_once(desk: Desk) -> None:
    seen: list[tuple[int, int]] = []
    desk.change.run(lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert desk.told == 3
    for number, document_id in enumerate(desk.documents):
        record = desk.store.document(document_id)
        texts = desk.texts(document_id)
        assert record.state is DocumentState.READY
        assert record.chunk_count == len(texts) < len(SENTENCES) / 3
        assert " ".join(" ".join(texts).split()) == " ".join(SENTENCES[number::3])
        with desk.library.database.read() as connection:
            assert stored_seal(connection, document_id) is not None
    assert desk.store.integrity() == []
    assert desk.store.chunks_without_vector(desk.embedder.model_key) == []


def test_what_has_the_size_already_is_left_alone(desk: Desk) -> None:
    desk.change.run()
    desk.embedder.embedded.clear()
    again = desk.made(60)
    assert again.plan().documents == 0
    again.run()
    assert desk.embedder.embedded == []


def test_passages_that_come_out_as_they_were_keep_their_vectors(desk: Desk) -> None:
    desk.change.run()
    ids = {row[0] for row in desk.store.search_rows()}
    desk.embedder.embedded.clear()
    desk.made(61).run()
    kept = ids & {row[0] for row in desk.store.search_rows()}
    assert len(desk.embedder.embedded) == len({row[0] for row in desk.store.search_rows()} - kept)


def test_a_document_answers_while_it_is_cut(desk: Desk) -> None:
    shown: list[int] = []
    desk.embedder.before_each = lambda: shown.append(sum(len(desk.texts(each)) > 0 for each in desk.documents))
    desk.change.run()
    assert shown
    assert set(shown) == {3}


def test_a_change_that_was_stopped_goes_on_where_it_was(desk: Desk) -> None:
    reached = threading.Event()
    calls = iter(range(99))

    def stop_at_the_second() -> None:
        if next(calls) == 1:
            reached.set()
            desk.change._token.cancel()

    desk.embedder.before_each = stop_at_the_second
    with pytest.raises(WorkCancelledError):
        desk.change.run()
    assert reached.is_set()
    done = [each for each in desk.documents if len(desk.texts(each)) < len(SENTENCES) / 3]
    desk.embedder.before_each = lambda: None
    desk.embedder.embedded.clear()
    rest = desk.made(60)
    assert rest.plan().documents == 3 - len(done)
    desk.embedder.embedded.clear()
    rest.run()
    assert all(len(desk.texts(each)) < len(SENTENCES) / 3 for each in desk.documents)


def test_a_document_that_is_read_again_meanwhile_keeps_its_new_text(desk: Desk) -> None:
    done: list[bool] = []

    def read_again() -> None:
        if not done:
            done.append(True)
            desk.library.put("0.txt", ["Only this is left."])

    desk.embedder.before_each = read_again
    desk.change.run()
    assert desk.texts(desk.documents[0]) == ["Only this is left."]


def test_documents_of_unknown_size_are_left_alone_when_asked_to(desk: Desk) -> None:
    desk.made(60, known_only=True).run()
    assert desk.embedder.embedded == []
    desk.change.run()
    desk.embedder.embedded.clear()
    desk.made(30, known_only=True).run()
    assert desk.embedder.embedded
