"""How good a ranking is, given where in it the right answers stand.

A question has one or more targets. ``found`` holds for each of them the rank, from 1, at which it stands in a ranking,
None where it doesn't. Relevance is binary; nDCG after Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR
techniques" (TOIS 2002), with the logarithm to base 2 of rank + 1 as the discount.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Found = Sequence[int | None]


@dataclass(frozen=True, slots=True)
class RankingScores:
    """Means over questions, each from 0 to 1. ``hits`` is by cut-off; ``mrr`` is cut at the depth it was asked for."""

    questions: int
    hits: Mapping[int, float]
    mrr: float
    ndcg: float


def first_rank(found: Found) -> int | None:
    """The rank of the first target."""
    return min((rank for rank in found if rank is not None), default=None)


def hit(found: Found, k: int) -> bool:
    """Whether any target is among the first ``k``."""
    first = first_rank(found)
    return first is not None and first <= k


def reciprocal_rank(found: Found, k: int) -> float:
    """One by the rank of the first target; 0 beyond ``k``."""
    first = first_rank(found)
    return 1 / first if first is not None and first <= k else 0.0


def ndcg(found: Found, k: int = 10) -> float:
    """Discounted gain of the targets among the first ``k``, by that of a ranking with all of them at its top.

    Targets that stand at one rank, such as two quotes of one page, count as one. 0 without targets.
    """
    ranks = {rank for rank in found if rank is not None}
    count = len(ranks) + sum(rank is None for rank in found)
    ideal = sum(_discount(rank) for rank in range(1, min(count, k) + 1))
    gained = sum(_discount(rank) for rank in ranks if rank <= k)
    return gained / ideal if ideal else 0.0


def mean_scores(questions: Sequence[Found], *, cutoffs: Sequence[int], depth: int) -> RankingScores:
    """Means over ``questions``; one that finds nothing counts as 0, and no questions at all as 0."""
    count = max(1, len(questions))
    return RankingScores(
        len(questions),
        {k: sum(hit(found, k) for found in questions) / count for k in cutoffs},
        sum(reciprocal_rank(found, depth) for found in questions) / count,
        sum(ndcg(found) for found in questions) / count,
    )


def sign_test(better: int, worse: int) -> float:
    """How likely chance alone makes so uneven a split (two-sided, exact binomial); ties are left out. 1 for none."""
    count = better + worse
    if not count:
        return 1.0
    tail = sum(math.comb(count, each) for each in range(max(better, worse), count + 1))
    return min(1.0, float(2 * tail / (1 << count)))


def _discount(rank: int) -> float:
    return 1 / math.log2(rank + 1)
