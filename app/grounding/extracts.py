"""A summary without a model: the sentences that stand for each stretch of a document, word for word.

Every sentence is weighed by how often its words come back in the whole document; the best of each stretch are embedded,
and the one nearest to their middle stands for it. Two that say the same count once.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.grounding.sentences import split_sentences
from app.grounding.terms import terms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.retrieval.embedder import Embedder

FEWEST, MOST = 3, 8
CHARACTERS_PER_SENTENCE = 6_000
_FINALISTS = 6
_SHORTEST, _LONGEST = 40, 300
_SAME = 0.85
_NUMBERED = re.compile(r"\(?\d+(?:\.\d+)*[.)]?\s")
_ENDS = re.compile(r"[.!?…。！？।؟][\"'”’»)\]]*\Z")


@dataclass(frozen=True, slots=True)
class Extract:
    """A sentence, ``texts[passage][start:end]``."""

    passage: int
    start: int
    end: int
    text: str


def extracts(texts: Sequence[str], embedder: Embedder) -> list[Extract]:
    """Choose 3 to 8 sentences from the passages of a document, in reading order; all where there are no more.

    Blocks while at most 48 sentences are embedded.
    """
    sentences = [each for number, text in enumerate(texts) for each in _sentences(number, text)]
    if len(sentences) <= FEWEST:
        return sentences
    weights = _weights(sentences)
    count = min(MOST, max(FEWEST, math.ceil(sum(map(len, texts)) / CHARACTERS_PER_SENTENCE)))
    best = [sorted(each, key=lambda one: -weights[one])[:_FINALISTS] for each in _stretches(sentences, count)]
    flat = [each for group in best for each in group]
    vectors = embedder.embed_passages([each.text for each in flat])
    return _chosen(best, dict(zip(flat, vectors, strict=True)), weights)


def _chosen(
    best: Sequence[Sequence[Extract]], vectors: dict[Extract, NDArray[np.float32]], weights: dict[Extract, float]
) -> list[Extract]:
    chosen: list[Extract] = []
    for group in best:
        middle = sum(vectors[each] for each in group) / len(group)
        heaviest = max(weights[each] for each in group) or 1.0
        ranked = sorted(group, key=lambda each: -(float(vectors[each] @ middle) + 0.5 * weights[each] / heaviest))
        fresh = (one for one in ranked if all(float(vectors[one] @ vectors[other]) < _SAME for other in chosen))
        chosen += [one for one in [next(fresh, None)] if one is not None]
    return chosen


def _sentences(number: int, text: str) -> Iterable[Extract]:
    """The sentences that can stand alone: no headings, rows, questions, ends of sentences or numbered items."""
    for start, end in split_sentences(text):
        sentence = " ".join(text[start:end].split())
        whole = _ENDS.search(sentence) and not sentence.endswith("?") and not sentence[0].islower()
        if _SHORTEST <= len(sentence) <= _LONGEST and whole and not _NUMBERED.match(sentence):
            yield Extract(number, start, end, sentence)


def _weights(sentences: Sequence[Extract]) -> dict[Extract, float]:
    """How much of what the document says often is in each sentence."""
    found = {each: set(terms(each.text)) for each in sentences}
    counts = Counter(term for each in found.values() for term in each)
    return {each: sum(math.log(counts[term]) for term in own) / (len(own) + 8) ** 0.75 for each, own in found.items()}


def _stretches(sentences: Sequence[Extract], count: int) -> Iterable[Sequence[Extract]]:
    """The sentences in ``count`` stretches of about equal length."""
    size = math.ceil(len(sentences) / min(count, len(sentences)))
    return (sentences[start : start + size] for start in range(0, len(sentences), size))
