"""BM25 over a few chunks that the keyword index's files don't hold yet, by reading them one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from app.retrieval.keyword_query import K1, PAIR_BOOST, TITLE_BOOST, B, KeywordQuery, Stem, holds_phrases
from app.retrieval.spelling import is_near
from app.retrieval.stemming import index_text


@dataclass(frozen=True, slots=True)
class _Row:
    words: str
    terms: Counter[str]
    pairs: Counter[tuple[str, str]]
    length: int
    title_terms: Counter[str]
    title_length: int
    language: str | None


class KeywordScan:
    """Chunks in memory. Scores follow tantivy's formula, with the index's own document frequencies added."""

    def __init__(self, stem: Stem) -> None:
        self._stem = stem
        self._rows: dict[int, _Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, rows: Iterable[tuple[int, str, str, int]]) -> None:
        """Add (chunk id, search text, title words, document id), in place of what the id had."""
        for chunk_id, text, title, _ in rows:
            body, language = index_text(text)
            terms, title_terms = self._stem(body), self._stem(title)
            self._rows[chunk_id] = _Row(
                text,
                Counter(terms),
                Counter(pairwise(terms)),
                len(terms),
                Counter(title_terms),
                len(title_terms),
                language,
            )

    def remove(self, chunk_ids: Iterable[int]) -> None:
        """Forget chunks; unknown ids are fine."""
        for chunk_id in chunk_ids:
            self._rows.pop(chunk_id, None)

    def chunk_ids(self) -> set[int]:
        """Ids of the chunks."""
        return set(self._rows)

    def frequency(self, term: str) -> int:
        """How many of the chunks hold a term."""
        return sum(term in row.terms for row in self._rows.values())

    def holds(self, term: str) -> bool:
        """Whether the text, title or path of a chunk holds a term."""
        return any(term in row.terms or term in row.title_terms for row in self._rows.values())

    def languages(self) -> set[str]:
        """Languages of the chunks, beside English."""
        return {row.language for row in self._rows.values() if row.language is not None}

    def search(self, query: KeywordQuery, average_length: float) -> list[tuple[int, float]]:
        """(chunk id, score) of the chunks that hold a term and all quoted phrases, in no particular order.

        ``average_length`` is that of the chunks in the index's files, in words; 0 if there are none.
        """
        if not self._rows or query.empty:
            return []
        average = average_length or sum(row.length for row in self._rows.values()) / len(self._rows) or 1.0
        title_average = sum(row.title_length for row in self._rows.values()) / len(self._rows) or 1.0
        found = []
        for chunk_id, row in self._rows.items():
            if holds_phrases(row.words, query.phrases):
                score = _score(query, row, average, title_average)
                if score:
                    found.append((chunk_id, score))
        return found


def _score(query: KeywordQuery, row: _Row, average: float, title_average: float) -> float:
    score = 0.0
    for term, weight in query.weights.items():
        score += weight * _saturated(row.terms[term], row.length / average)
        title = _saturated(row.title_terms[term], row.title_length / title_average)
        score += TITLE_BOOST * weight * title
    for near, weight in query.misspelt:
        fields = (row.terms, row.title_terms)
        score += weight * sum(any(is_near(near.word, term, near.distance) for term in held) for held in fields)
    for pair in query.pairs:
        weight = query.weights.get(pair[0], 0.0) + query.weights.get(pair[1], 0.0)
        score += PAIR_BOOST * weight * _saturated(row.pairs[pair], row.length / average)
    return score


def _saturated(occurrences: int, relative_length: float) -> float:
    return occurrences * (K1 + 1) / (occurrences + K1 * (1 - B + B * relative_length))
