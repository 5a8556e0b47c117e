"""What the passages beside a passage add to its keyword score.

Passages are cut by tokens of the embedding model. One made for English takes several tokens for a word of another
language, so its passages hold few words there, and what a question asks often stands in two of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

NEIGHBOUR_WEIGHT = 0.3
ALONE = 0.7
"""What share of its own score a passage without neighbours gets instead: else long documents had an advantage."""


def with_neighbours(hits: Sequence[tuple[int, float]], documents: Mapping[int, int]) -> list[tuple[int, float]]:
    """(chunk id, score) with ``NEIGHBOUR_WEIGHT`` of the better neighbour's score added, best first; at most 1.

    ``documents`` maps the ids of the hits and of the chunks beside them to their documents; neighbours have
    consecutive ids in one document.
    """
    scores = dict(hits)

    def beside(chunk_id: int, score: float) -> float:
        near = [each for each in (chunk_id - 1, chunk_id + 1) if each in documents]
        held = [scores.get(each, 0.0) for each in near if documents[each] == documents.get(chunk_id)]
        return max(held, default=ALONE * score)

    summed = {each: (score + NEIGHBOUR_WEIGHT * beside(each, score)) / (1 + NEIGHBOUR_WEIGHT) for each, score in hits}
    return sorted(summed.items(), key=lambda hit: (-hit[1], hit[0]))
