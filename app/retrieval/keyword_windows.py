"""Keyword scores of passages together with what stands around them, for scripts written without spaces.

A model made for other scripts takes a token for each character, so passages hold few words there; and of a text without
spaces the index knows pairs of characters, half of which are no words. How much of a question stands in a passage and
around it then tells more than how much of it stands in the passage alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.retrieval.keyword_query import K1, B, KeywordQuery
from app.retrieval.search_text import is_single_character_of_unspaced_script as is_lone_character

AROUND = 2
"""Passages before and after a passage that count as its surroundings."""

OWN = 0.5
"""What a passage's own score counts beside that of its surroundings."""

WIDENED = 60
"""So many of the best hits are looked at again."""

ALONE = 0.7
"""What share of its own score the surroundings of any further hit are taken to have."""

_USUAL_PASSAGES = 2
"""Surroundings are as long as so many passages on average."""

_CHARACTERS_TOO = 2
"""The index counts each character beside the pairs of a search text."""

Rows = Mapping[int, tuple[str, int]]
"""Search texts and documents of chunks by id."""


def with_surroundings(
    query: KeywordQuery, hits: Sequence[tuple[int, float]], rows: Rows, average: float
) -> list[tuple[int, float]]:
    """(chunk id, score) ranked anew, best first, equal ones by id; scores stay above 0 and at most 1.

    ``rows`` holds the first ``WIDENED`` hits and the chunks up to ``AROUND`` ids from them; ``average`` is the length
    of a chunk in words, its single characters among them.
    """
    counted = {chunk_id: _counts(query, f" {text} ") for chunk_id, (text, _) in rows.items()}
    lengths = {chunk_id: _CHARACTERS_TOO * (text.count(" ") + 1) for chunk_id, (text, _) in rows.items()}
    usual = _USUAL_PASSAGES * (average or sum(lengths.values()) / max(1, len(lengths)) or 1.0)

    def widened(chunk_id: int) -> float:
        near = [each for each in range(chunk_id - AROUND, chunk_id + AROUND + 1) if each in rows]
        near = [each for each in near if rows[each][1] == rows[chunk_id][1]]
        together = list(map(sum, zip(*(counted[each] for each in near), strict=True)))
        return _score(query, together, sum(lengths[each] for each in near) / usual)

    scores = {
        chunk_id: widened(chunk_id) if place < WIDENED and chunk_id in rows else ALONE * own
        for place, (chunk_id, own) in enumerate(hits)
    }
    ranked = [(chunk_id, (scores[chunk_id] + OWN * own) / (1 + OWN)) for chunk_id, own in hits]
    return sorted(ranked, key=lambda hit: (-hit[1], hit[0]))


def _counts(query: KeywordQuery, text: str) -> list[int]:
    """How often each word of the query stands in a search text. A character stands in two pairs, at ends in one."""
    return [
        (text.count(term) + 1) // 2 if is_lone_character(term) else text.count(f" {term} ") for term in query.weights
    ]


def _score(query: KeywordQuery, counts: Sequence[int], relative_length: float) -> float:
    """BM25 of the query's words, as a share of what a text full of each would have."""
    room = K1 * (1 - B + B * relative_length)
    held = zip(query.weights.values(), counts, strict=True)
    return sum(weight * count * (K1 + 1) / (count + room) for weight, count in held if count) / (query.ceiling or 1.0)
