"""Retrieval over earlier turns: the latest as they are, and those that have to do with the question."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from app.domain.errors import UserFacingError
from app.grounding.sentences import split_sentences
from app.grounding.terms import inverse_frequencies, terms
from app.services.memory.choosing import Recalled
from app.services.memory.exchanges import Exchange, newest_within, tokens_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.retrieval.embedder import Embedder

log = logging.getLogger(__name__)

RECENT_SHARE = 0.4  # of the budget
PIECE_CHARACTERS = 700  # about what an embedding model reads; longer turns have several vectors
MEANING_SHARE = 0.6  # of the score; the rest is for words in common
LEAST_SCORE = 0.25  # a turn below it has nothing to do with the question
_SATURATION, _LENGTH = 1.2, 0.75  # k1 and b of BM25 (Robertson and Zaragoza 2009)


CountWords = Callable[[str], Mapping[str, int]]


def count_words(text: str) -> Mapping[str, int]:
    """How often each word that carries meaning stands in ``text``."""
    return Counter(terms(text))


class VectorStore(Protocol):
    """Where vectors of exchanges are kept, by session. Methods block."""

    def vectors(self, session_id: str, model_key: str, dimension: int) -> Mapping[bytes, NDArray[np.float32]]:
        """Vectors by digest, each of shape (pieces, dimension)."""
        ...

    def add_vectors(self, session_id: str, model_key: str, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Keep vectors by digest."""
        ...


class RetrievalMemory:
    """The latest exchanges, and of the older ones those nearest to the question by meaning and by words.

    Each exchange is embedded once. Where the embedding model can't be used, words alone decide. ``count_words`` may
    remember what it counted.
    """

    def __init__(
        self,
        store: VectorStore,
        session_id: str,
        open_embedder: Callable[[], Embedder],
        count_words: CountWords = count_words,
    ) -> None:
        self._store = store
        self._session_id = session_id
        self._open_embedder = open_embedder
        self._count_words = count_words

    async def recall(self, exchanges: Sequence[Exchange], question: str, budget: int) -> Recalled:
        """The chosen exchanges within ``budget``, in the order of the chat; room that is left goes to the latest."""
        if tokens_of(exchanges) <= budget:
            return Recalled(exchanges)
        recent = newest_within(exchanges, round(budget * RECENT_SHARE)) or newest_within(exchanges, budget)
        older = exchanges[: len(exchanges) - len(recent)]
        scores = await asyncio.to_thread(self._scores, older, question)
        left = budget - tokens_of(recent)
        chosen: set[int] = set()
        for number in sorted(scores, key=lambda each: (-scores[each], -each)):
            if older[number].tokens <= left:
                chosen.add(number)
                left -= older[number].tokens
        for number in range(len(older) - 1, -1, -1):
            if number not in chosen and older[number].tokens > left:
                break
            if number not in chosen:
                chosen.add(number)
                left -= older[number].tokens
        return Recalled([*(older[number] for number in sorted(chosen)), *recent])

    def _scores(self, exchanges: Sequence[Exchange], question: str) -> dict[int, float]:
        """Scores of the exchanges that have to do with the question, by number."""
        by_words = keyword_scores([self._count_words(each.text) for each in exchanges], question)
        try:
            by_meaning = self._similarities(exchanges, question)
        except UserFacingError as error:
            log.warning("earlier turns are searched by words alone: %s", error)
            scores = by_words
        else:
            scores = [
                MEANING_SHARE * meaning + (1 - MEANING_SHARE) * shared
                for meaning, shared in zip(by_meaning, by_words, strict=True)
            ]
        return {number: score for number, score in enumerate(scores) if score >= LEAST_SCORE}

    def _similarities(self, exchanges: Sequence[Exchange], question: str) -> list[float]:
        embedder = self._open_embedder()
        known = dict(self._store.vectors(self._session_id, embedder.model_key, embedder.dimension))
        if missing := {each.digest: each for each in exchanges if each.digest not in known}:
            made = _embedded(embedder, missing)
            self._store.add_vectors(self._session_id, embedder.model_key, made)
            known |= made
        asked = embedder.embed_query(question)
        return [max(0.0, float((known[each.digest] @ asked).max())) for each in exchanges]


def _embedded(embedder: Embedder, exchanges: Mapping[bytes, Exchange]) -> dict[bytes, NDArray[np.float32]]:
    pieces = {digest: _pieces(each.text) for digest, each in exchanges.items()}
    vectors = embedder.embed_passages([piece for each in pieces.values() for piece in each])
    found: dict[bytes, NDArray[np.float32]] = {}
    start = 0
    for digest, each in pieces.items():
        found[digest] = vectors[start : start + len(each)]
        start += len(each)
    return found


def _pieces(text: str) -> list[str]:
    """``text`` cut between sentences into pieces of about ``PIECE_CHARACTERS``; at least one."""
    pieces: list[str] = []
    begin = end = 0
    for start, after in split_sentences(text):
        if after - begin > PIECE_CHARACTERS and end > begin:
            pieces.append(text[begin:end])
            begin = start
        end = after
    return [*pieces, text[begin:end] or text]


def keyword_scores(texts: Sequence[Mapping[str, int]], question: str) -> list[float]:
    """BM25 of the question in each text, given by its words, as a share of what a text could reach; 0 to 1."""
    weights = inverse_frequencies([list(each) for each in texts])
    asked = set(terms(question))
    best = sum(weights.get(term, math.log(1 + len(texts))) for term in asked) * (_SATURATION + 1)
    lengths = [sum(each.values()) for each in texts]
    average = sum(lengths) / max(1, len(lengths)) or 1.0
    if not best:
        return [0.0] * len(texts)
    return [_bm25(each, asked, weights, length / average) / best for each, length in zip(texts, lengths, strict=True)]


def _bm25(words: Mapping[str, int], asked: set[str], weights: Mapping[str, float], length: float) -> float:
    norm = _SATURATION * (1 - _LENGTH + _LENGTH * length)
    return sum(weights[term] * words[term] * (_SATURATION + 1) / (words[term] + norm) for term in asked & words.keys())
