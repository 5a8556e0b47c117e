"""Metrics of rankings: values computed by hand, laws, and the reference scorer where it is at hand."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.retrieval.ranking_metrics import first_rank, hit, mean_scores, ndcg, reciprocal_rank, sign_test

RANKS = st.lists(st.none() | st.integers(1, 30), min_size=1, max_size=6)


def test_one_target_at_rank_three() -> None:
    assert ndcg([3]) == pytest.approx(1 / 2)  # 1 / log2(4), the ideal being 1
    assert reciprocal_rank([3], 10) == pytest.approx(1 / 3)
    assert (hit([3], 1), hit([3], 3), hit([3], 10)) == (False, True, True)


def test_two_targets_of_which_one_is_found() -> None:
    # What is gained is the discount of rank 2; the ideal has those of ranks 1 and 2.
    assert ndcg([2, None]) == pytest.approx(0.6309297 / 1.6309297, abs=1e-6)
    assert first_rank([2, None]) == 2


def test_what_stands_beyond_the_depth_counts_for_nothing() -> None:
    assert ndcg([11]) == 0
    assert reciprocal_rank([11], 10) == 0
    assert reciprocal_rank([11], 20) == pytest.approx(1 / 11)
    assert not hit([11], 10)


def test_targets_at_one_rank_count_as_one() -> None:
    assert ndcg([1, 1]) == 1
    assert ndcg([1, 1, None]) == ndcg([1, None])


def test_means_count_a_question_that_finds_nothing() -> None:
    scores = mean_scores([[1], [None], [4]], cutoffs=[1, 5], depth=10)
    assert scores.questions == 3
    assert scores.hits == {1: pytest.approx(1 / 3), 5: pytest.approx(2 / 3)}
    assert scores.mrr == pytest.approx((1 + 0 + 1 / 4) / 3)
    assert scores.ndcg == pytest.approx((1 + 0 + 1 / math.log2(5)) / 3)


def test_no_questions_score_nothing() -> None:
    assert mean_scores([], cutoffs=[1], depth=10).ndcg == 0


@pytest.mark.parametrize(
    ("better", "worse", "chance"),
    [(0, 0, 1.0), (3, 3, 1.0), (1, 0, 1.0), (5, 0, 2 / 32), (0, 5, 2 / 32), (6, 1, 2 * 8 / 128), (1000, 900, 0.0231)],
)
def test_the_sign_test(better: int, worse: int, chance: float) -> None:
    assert sign_test(better, worse) == pytest.approx(chance, abs=1e-3)


@given(RANKS)
def test_scores_stay_between_nothing_and_all(found: list[int | None]) -> None:
    assert 0 <= ndcg(found) <= 1 + 1e-12
    assert 0 <= reciprocal_rank(found, 10) <= 1
    assert hit(found, 10) == (reciprocal_rank(found, 10) > 0)


@given(RANKS, st.integers(0, 5))
def test_standing_higher_is_never_worse(found: list[int | None], which: int) -> None:
    at = which % len(found)
    taken = {rank for place, rank in enumerate(found) if place != at}
    higher = list(found)
    rank = (found[at] or 31) - 1
    if rank and rank not in taken:
        higher[at] = rank
        assert ndcg(higher) >= ndcg(found) - 1e-12 or found[at] in taken


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """The scorer that lies beside the reference data, if it does."""
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "scoring" / "metrics.py"
    if not path.is_file():
        pytest.skip(f"no reference scorer at {path}")
    spec = importlib.util.spec_from_file_location("reference_metrics", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.tuples(st.permutations(range(14)), st.sets(st.integers(0, 17), min_size=1, max_size=5)),
        min_size=1,
        max_size=8,
    )
)
def test_the_reference_scorer_agrees(reference: ModuleType, cases: list[tuple[list[int], set[int]]]) -> None:
    """Documents 14 to 17 are never found."""
    qrels = {str(at): {str(each): 1 for each in wanted} for at, (_, wanted) in enumerate(cases)}
    run = {str(at): [str(each) for each in ranking] for at, (ranking, _) in enumerate(cases)}
    expected = reference.retrieval(qrels, run)
    found = [
        [ranking.index(each) + 1 if each in ranking else None for each in sorted(wanted)] for ranking, wanted in cases
    ]
    scores = mean_scores(found, cutoffs=[1, 3, 5, 10], depth=10)
    assert round(scores.ndcg, 4) == pytest.approx(expected["ndcg@10"], abs=1.1e-4)
    assert round(scores.mrr, 4) == pytest.approx(expected["mrr@10"], abs=1.1e-4)
    for k, share in scores.hits.items():
        assert round(share, 4) == pytest.approx(expected[f"hit@{k}"], abs=1.1e-4)
