"""One ranking out of two.

Both sides are on absolute scales: the cosine of query and chunk, and the share a chunk reaches of the keyword score
it would have with every term of the query in abundance. A weighted sum of the two keeps what ranks alone lose: how
much better the first is than the second, and whether any chunk answers the words of the query at all. On SciFact's
training queries it ranks better than reciprocal ranks do: nDCG@10 .743 against .733 with k = 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk with its fused score and where each side ranked it, from 1."""

    chunk_id: int
    score: float
    similarity: float | None = None
    dense_rank: int | None = None
    keyword_rank: int | None = None


Hits = Sequence[tuple[int, float]]
"""(chunk id, score), best first."""


def fuse(dense: Hits, keyword: Hits, cosines: Mapping[int, float], dense_weight: float) -> list[Candidate]:
    """Rank all hits by ``dense_weight`` x cosine + (1 - ``dense_weight``) x keyword score, best first, ties by id.

    ``cosines`` holds those of keyword hits that are not among the dense hits. A chunk whose cosine is not known, or
    that holds no term of the query, gets nothing from that side.
    """
    similarities = {**cosines, **dict(dense)}
    keyword_scores = dict(keyword)
    dense_ranks = _ranks(dense)
    keyword_ranks = _ranks(keyword)
    candidates = [
        Candidate(
            chunk_id,
            dense_weight * similarities.get(chunk_id, 0.0) + (1 - dense_weight) * keyword_scores.get(chunk_id, 0.0),
            similarities.get(chunk_id),
            dense_ranks.get(chunk_id),
            keyword_ranks.get(chunk_id),
        )
        for chunk_id in {**dense_ranks, **keyword_ranks}
    ]
    return sorted(candidates, key=lambda each: (-each.score, each.chunk_id))


def _ranks(hits: Hits) -> dict[int, int]:
    return {chunk_id: rank for rank, (chunk_id, _) in enumerate(hits, start=1)}
