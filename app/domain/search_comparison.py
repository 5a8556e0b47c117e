"""One query's passages with what each side of the search makes of them."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.passages import Passage


@dataclass(frozen=True, slots=True)
class BenchRow:
    """A passage with its ranks, from 1, and scores by side; None where a side does not have it among those compared.

    ``final_rank`` is that of the search which answers use, ``reranked_rank`` the same where a second model may have
    changed it; the others go by the scores alone, before passages are
    spread over pages or ranked a second time. ``cosine`` is from -1 to 1, ``keyword_score`` the share of a full match
    from 0 to 1, ``score`` the fused score.
    """

    passage: Passage
    final_rank: int | None
    reranked_rank: int | None
    fused_rank: int | None
    dense_rank: int | None
    keyword_rank: int | None
    cosine: float | None
    keyword_score: float | None
    score: float | None
