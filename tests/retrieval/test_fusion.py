"""One ranking out of two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.fusion import fuse

hits = st.dictionaries(st.integers(1, 30), st.floats(0, 1), max_size=12).map(
    lambda scores: sorted(scores.items(), key=lambda hit: (-hit[1], hit[0]))
)


def test_scores_ranks_and_cosines() -> None:
    fused = {each.chunk_id: each for each in fuse([(1, 0.8), (2, 0.4)], [(2, 0.9), (3, 0.5)], {3: 0.1}, 0.5)}
    assert fused[1].score == pytest.approx(0.40)
    assert fused[2].score == pytest.approx(0.65)
    assert fused[3].score == pytest.approx(0.30)
    assert (fused[1].dense_rank, fused[1].keyword_rank) == (1, None)
    assert (fused[2].dense_rank, fused[2].keyword_rank) == (2, 1)
    assert (fused[3].similarity, fused[3].dense_rank) == (0.1, None)


@given(hits, hits, st.floats(0, 1))
def test_every_hit_once_best_first(
    dense: list[tuple[int, float]], keyword: list[tuple[int, float]], weight: float
) -> None:
    fused = fuse(dense, keyword, {}, weight)
    assert sorted(each.chunk_id for each in fused) == sorted({*dict(dense), *dict(keyword)})
    assert [each.score for each in fused] == sorted((each.score for each in fused), reverse=True)


@given(hits, hits)
def test_a_weight_of_all_or_nothing_gives_one_side_back(
    dense: list[tuple[int, float]], keyword: list[tuple[int, float]]
) -> None:
    by_meaning = [each.chunk_id for each in fuse(dense, keyword, {}, 1.0) if each.dense_rank and each.score > 0]
    by_words = [each.chunk_id for each in fuse(dense, keyword, {}, 0.0) if each.keyword_rank and each.score > 0]
    assert by_meaning == [chunk_id for chunk_id, score in dense if score > 0]
    assert by_words == [chunk_id for chunk_id, score in keyword if score > 0]


@given(hits, hits, st.floats(0.1, 0.9), st.integers(1, 30))
def test_what_both_sides_put_first_is_first(
    dense: list[tuple[int, float]], keyword: list[tuple[int, float]], weight: float, best: int
) -> None:
    dense = [(best, 1.1), *(hit for hit in dense if hit[0] != best)]
    keyword = [(best, 1.1), *(hit for hit in keyword if hit[0] != best)]
    assert fuse(dense, keyword, {}, weight)[0].chunk_id == best
