"""A few passages that answer a question: hits that touch are one, weak ones are left out."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.domain.passages import Passage
from app.retrieval.excerpts import MOST_HITS_PER_EXCERPT, SCORE_GAP, excerpts

TEXT = "".join(f"Sentence {number:03}. " for number in range(100))
SIZE = 14


def hit(place: int, score: float, document_id: int = 1) -> Passage:
    """The sentence at a place of a document."""
    start, end = place * SIZE, place * SIZE + SIZE - 1
    return Passage(place, document_id, Path(f"{document_id}.txt"), "", "", start, end, TEXT[start:end], score)


def found(*hits: Passage, k: int = 5) -> list[str]:
    return [passage.text for passage in excerpts(hits, k, lambda _: TEXT)]


def test_hits_side_by_side_are_one_passage() -> None:
    assert found(hit(4, 0.6), hit(9, 0.55), hit(5, 0.5)) == ["Sentence 004. Sentence 005.", "Sentence 009."]


def test_a_hit_that_closes_a_gap_joins_both_sides() -> None:
    assert found(hit(4, 0.6), hit(6, 0.58), hit(5, 0.5)) == ["Sentence 004. Sentence 005. Sentence 006."]


def test_hits_of_other_documents_stay_apart() -> None:
    assert len(found(hit(4, 0.6), hit(5, 0.6, document_id=2))) == 2


def test_hits_far_below_the_best_are_left_out() -> None:
    assert found(hit(4, 0.6), hit(9, 0.6 - SCORE_GAP - 0.01)) == ["Sentence 004."]
    assert len(found(hit(4, 0.6), hit(9, 0.6 - SCORE_GAP + 0.01))) == 2


def test_what_touches_a_passage_still_joins_it_when_no_other_may_come() -> None:
    assert found(hit(1, 0.6), hit(4, 0.59), hit(9, 0.58), hit(5, 0.57), k=2) == [
        "Sentence 001.",
        "Sentence 004. Sentence 005.",
    ]


def test_nothing_found_gives_nothing() -> None:
    assert found() == []


@given(st.lists(st.tuples(st.integers(0, 99), st.floats(0, 1)), unique_by=lambda each: each[0]), st.integers(1, 6))
def test_passages_are_few_true_to_the_text_and_apart(places: list[tuple[int, float]], k: int) -> None:
    hits = sorted((hit(place, score) for place, score in places), key=lambda each: -each.score)
    passages = excerpts(hits, k, lambda _: TEXT)
    assert len(passages) <= k
    assert bool(passages) == bool(hits)
    assert all(TEXT[each.start : each.end] == each.text for each in passages)
    assert sum(each.text.count("Sentence") for each in passages) <= MOST_HITS_PER_EXCERPT * k
    spans = sorted((each.start, each.end) for each in passages)
    assert all(end < start for (_, end), (start, _) in pairwise(spans))
