"""What neighbouring words of a query add to the scores of given chunks, counted in the chunks' search texts.

Tantivy can do it too, but then reads all chunks that hold a word of the query: with a phrase in it a query can't skip
what is not among the best. In a large library that takes several times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from app.retrieval.keyword_build import stem_words
from app.retrieval.keyword_query import K1, PAIR_BOOST, B, KeywordQuery
from app.retrieval.stemming import index_text

ReadTexts = Callable[[list[int]], dict[int, str]]
"""Search texts of chunks by id, of those that are still there."""


def pair_scores(query: KeywordQuery, chunk_ids: list[int], read: ReadTexts, average: float) -> dict[int, float]:
    """BM25 of the query's pairs, times ``PAIR_BOOST``, by chunk; ``average`` is the length of a chunk in words."""
    texts = read(chunk_ids) if query.pairs and average else {}
    if query.languages:
        texts = {chunk_id: index_text(text)[0] for chunk_id, text in texts.items()}
    return {chunk_id: _score(query, f" {text} ", average) for chunk_id, text in texts.items()}


def _score(query: KeywordQuery, text: str, average: float) -> float:
    score = 0.0
    for first, second in query.pairs:
        opening = _opening(first)
        if opening not in text or _opening(second) not in text:
            continue
        count = sum(_stem(following) == second for following in _words_after(first, opening, text))
        if count:
            weight = query.weights.get(first, 0.0) + query.weights.get(second, 0.0)
            relative_length = (text.count(" ") - 1) / average
            score += PAIR_BOOST * weight * count * (K1 + 1) / (count + K1 * (1 - B + B * relative_length))
    return score


def _words_after(stem: str, opening: str, text: str) -> Iterator[str]:
    """The word behind each word with this stem; ``text`` begins and ends with a space."""
    place = text.find(opening)
    while place >= 0:
        end = text.find(" ", place + 1)
        if end < len(text) - 1 and _stem(text[place + 1 : end]) == stem:
            yield text[end + 1 : text.find(" ", end + 1)]
        place = text.find(opening, place + 1)


def _opening(stem: str) -> str:
    """How words with this stem begin, with the space before them: happi is the stem of happy."""
    return f" {stem[:-1] if stem.endswith('i') and len(stem) > 1 else stem}"


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    return (stem_words(word) or [word])[0]
