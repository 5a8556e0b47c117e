"""Keyword scores with what stands around a passage, for scripts written without spaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.keyword_query import KeywordQuery, parse_query
from app.retrieval.keyword_windows import WIDENED, with_surroundings
from app.retrieval.search_text import search_text

QUERY = KeywordQuery({"灯塔": 2.0, "高度": 2.0, "塔": 1.0})


def rows(*documents: tuple[str, ...]) -> dict[int, tuple[str, int]]:
    """Passages numbered through, each document's one after the other."""
    numbered = [(text, number) for number, texts in enumerate(documents) for text in texts]
    return {place: (search_text("", (), text), number) for place, (text, number) in enumerate(numbered, start=1)}


def test_the_rest_of_the_question_beside_a_passage_counts() -> None:
    held = rows(("海边的灯塔", "它的高度惊人"), ("海边的灯塔", "它的颜色惊人"))

    ranked = with_surroundings(QUERY, [(3, 0.5), (1, 0.5)], held, 20.0)

    assert [chunk_id for chunk_id, _ in ranked] == [1, 3]


def test_what_stands_in_another_document_does_not_count() -> None:
    together = with_surroundings(QUERY, [(1, 0.5)], rows(("海边的灯塔", "它的高度惊人")), 20.0)
    apart = with_surroundings(QUERY, [(1, 0.5)], rows(("海边的灯塔",), ("它的高度惊人",)), 20.0)

    assert together[0][1] > apart[0][1]


def test_a_single_character_counts_wherever_it_stands_in_a_pair() -> None:
    query = KeywordQuery({"塔": 1.0})

    found = with_surroundings(query, [(1, 0.1), (2, 0.1), (3, 0.1)], rows(("塔楼",), ("灯塔",), ("灯光",)), 4.0)

    scores = dict(found)
    assert scores[1] == pytest.approx(scores[2])
    assert scores[3] < scores[1]


def test_hits_beyond_those_looked_at_again_stay_in_their_order_and_stay() -> None:
    hits = [(number, 1 - number / 1000) for number in range(1, WIDENED + 40)]

    ranked = with_surroundings(QUERY, hits, {}, 20.0)

    assert [chunk_id for chunk_id, _ in ranked] == [chunk_id for chunk_id, _ in hits]


@given(
    st.lists(st.text(alphabet="灯塔高度海边 ab。", max_size=20), min_size=1, max_size=8),
    st.floats(min_value=0.001, max_value=1.0),
)
def test_scores_stay_shares(texts: list[str], own: float) -> None:
    held = rows(tuple(texts))

    ranked = with_surroundings(QUERY, [(number, own) for number in held], held, 0.0)

    assert {chunk_id for chunk_id, _ in ranked} == set(held)
    assert all(0 < score <= 1 for _, score in ranked)


@pytest.mark.parametrize(("common", "rare"), [("问题", "灯塔"), ("問題", "燈塔")])
def test_a_word_of_everyday_chinese_counts_less_than_one_as_rare(common: str, rare: str) -> None:
    query = parse_query(common + "，" + rare, lambda word: [word], lambda term: 3, 1000)

    assert query.weights[common] < query.weights[rare]
