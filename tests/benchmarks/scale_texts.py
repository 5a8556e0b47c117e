"""Texts and vectors for libraries of any size: sentences of SciFact recombined, vectors mixed from embedded ones.

Everything follows from one seed, so that a library can be made again and figures of two days compared.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SENTENCES_PER_CHUNK = 6
CHUNKS_PER_DOCUMENT = 100
EMBEDDED = 10_000
NOISE = 0.5
"""Length of the noise added to a mixture, which itself has about length one."""


class Texts:
    """Chunks of six sentences out of two abstracts, about 800 characters; chunk ``n`` is always the same text."""

    def __init__(self, abstracts: Sequence[str]) -> None:
        split = ([part for part in text.split(". ") if part] for text in abstracts)
        self._abstracts = [sentences for sentences in split if len(sentences) >= SENTENCES_PER_CHUNK // 2]

    def chunk(self, number: int) -> str:
        """The text of one chunk."""
        chance = random.Random(number)
        halves = (chance.choice(self._abstracts) for _ in range(2))
        return ". ".join(part for half in halves for part in chance.sample(half, SENTENCES_PER_CHUNK // 2))


class Vectors:
    """``embedded`` (count, dimension) come first; every further one lies between two of them, with noise.

    The noise has the embedded vectors' own spread in every direction, so that it makes neighbours, not a shell.
    """

    def __init__(self, embedded: NDArray[np.float32]) -> None:
        self._embedded = embedded
        centred = embedded - embedded.mean(axis=0)
        covariance = centred.T @ centred / len(embedded)
        values, directions = np.linalg.eigh(covariance)
        scale = np.sqrt(np.maximum(values, 0))
        self._spread = (directions * scale).T.astype(np.float32) / float(np.sqrt(values.sum()))

    def rows(self, start: int, stop: int) -> NDArray[np.float16]:
        """Vectors ``start`` to ``stop``, length one; both are multiples of ``CHUNKS_PER_DOCUMENT``."""
        blocks = [self._document(each) for each in range(start, stop, CHUNKS_PER_DOCUMENT)]
        return np.concatenate(blocks).astype(np.float16)

    def _document(self, first: int) -> NDArray[np.float32]:
        if first < len(self._embedded):
            return self._embedded[first : first + CHUNKS_PER_DOCUMENT]
        chance = np.random.default_rng(first)
        count, dimension = CHUNKS_PER_DOCUMENT, self._embedded.shape[1]
        one, two = (self._embedded[chance.integers(len(self._embedded), size=count)] for _ in range(2))
        share = chance.uniform(0.5, 1.0, size=(count, 1)).astype(np.float32)
        noise = chance.standard_normal((count, dimension), dtype=np.float32) @ self._spread
        mixed = share * one + (1 - share) * two + NOISE * noise
        lengths: NDArray[np.float32] = np.linalg.norm(mixed, axis=1, keepdims=True)
        unit: NDArray[np.float32] = mixed / lengths
        return unit
