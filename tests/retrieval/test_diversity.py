"""Passages of one page step back for those of other pages."""

from __future__ import annotations

from pathlib import Path

from app.domain.passages import Passage
from app.retrieval.diversity import PAGE_FACTOR, spread_over_pages


def passage(chunk_id: int, score: float, page: int | None, document_id: int = 1) -> Passage:
    return Passage(chunk_id, document_id, Path("a.pdf"), "", "", 0, 1, "a", score, page)


def order(*passages: Passage) -> list[int]:
    return [each.chunk_id for each in spread_over_pages(passages)]


def test_another_page_comes_before_a_slightly_better_passage_of_a_page_that_is_shown() -> None:
    assert order(passage(1, 0.9, 1), passage(2, 0.8, 1), passage(3, 0.75, 2)) == [1, 3, 2]


def test_a_much_better_passage_of_the_same_page_stays_before() -> None:
    assert order(passage(1, 0.9, 1), passage(2, 0.8, 1), passage(3, 0.8 * PAGE_FACTOR - 0.01, 2)) == [1, 2, 3]


def test_the_same_page_number_of_another_document_is_another_page() -> None:
    assert order(passage(1, 0.9, 1), passage(2, 0.8, 1, document_id=2), passage(3, 0.75, 2)) == [1, 2, 3]


def test_text_without_pages_keeps_its_order_and_scores() -> None:
    passages = [passage(number, 1 - number / 10, None) for number in range(5)]
    assert list(spread_over_pages(passages)) == passages
