"""Vectors of the words of a text, out of the states of its tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from app.retrieval.embedder import Embedder, EmbedsWords, WordVectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Encoding

_WORD = re.compile(r"\w+|[^\w\s]")


def words_of(encoding: Encoding, states: NDArray[np.float32], vector: NDArray[np.float32], skipped: int) -> WordVectors:
    """Group the states of tokens, shape (tokens, width), by word and average them.

    ``skipped`` are the characters of the prompt before the text. Special tokens belong to no word.
    """
    import numpy as np

    spans: list[tuple[int, int]] = []
    words: list[NDArray[np.float32]] = []
    tokens = enumerate(zip(encoding.word_ids, encoding.offsets, strict=True))
    for word, group in groupby(tokens, key=lambda each: each[1][0]):
        held = [(place, start, end) for place, (_, (start, end)) in group]
        start, end = held[0][1] - skipped, held[-1][2] - skipped
        if word is not None and start >= 0:
            spans.append((start, end))
            words.append(states[[place for place, _, _ in held]].mean(axis=0))
    return WordVectors(vector, tuple(spans), unit(np.array(words, dtype=np.float32).reshape(-1, states.shape[-1])))


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vectors made length 1, shape (vectors, width)."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)


def word_vectors(embedder: Embedder, texts: Sequence[str], *, query: bool = False) -> list[WordVectors]:
    """What ``EmbedsWords.embed_words`` returns; from an embedder that only takes whole texts, each word alone."""
    if isinstance(embedder, EmbedsWords):
        return embedder.embed_words(texts, query=query)
    return words_alone(embedder, texts, query=query)


def words_alone(embedder: Embedder, texts: Sequence[str], *, query: bool) -> list[WordVectors]:
    """Vectors of the texts and of their words as if each were a text."""
    import numpy as np

    found = [[match.span() for match in _WORD.finditer(text)] for text in texts]
    alone = list(dict.fromkeys(text[a:b] for text, spans in zip(texts, found, strict=True) for a, b in spans))
    known = dict(zip(alone, embedder.embed_passages(alone), strict=True)) if alone else {}
    vectors = [embedder.embed_query(text) for text in texts] if query else embedder.embed_passages(texts)
    empty = np.zeros((0, embedder.dimension), dtype=np.float32)
    return [
        WordVectors(vector, tuple(spans), np.stack([known[text[a:b]] for a, b in spans]) if spans else empty)
        for text, spans, vector in zip(texts, found, vectors, strict=True)
    ]
