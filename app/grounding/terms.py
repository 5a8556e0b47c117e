"""Words as grounding compares them: folded like the keyword index, function words left out, endings removed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from app.grounding.word_lists import STOP_WORDS
from app.retrieval.search_text import words

_SHORTEST_STEM = 3
_DOUBLED = frozenset("bdfgmnprt")
# Ending and what stands in its place, longest first. Rough on purpose: both sides go through the same mill.
_ENDINGS = (
    ("ational", "ate"), ("ization", "ize"), ("isation", "ize"), ("iveness", "ive"), ("fulness", "ful"),
    ("ousness", "ous"), ("ations", "ate"), ("ation", "ate"), ("ators", "ate"), ("ator", "ate"), ("ments", "ment"),
    ("ingly", ""), ("edly", ""), ("ities", ""), ("ity", ""), ("iest", "y"), ("ies", "y"), ("ied", "y"), ("ing", ""),
    ("ers", "er"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("es", "e"), ("ed", ""), ("ly", ""),
    ("ss", "ss"), ("us", "us"), ("is", "is"), ("s", ""),
)  # fmt: skip


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Remove an English ending, so that ``founded``, ``founding`` and ``founds`` are one."""
    if not word.isascii() or not word.isalpha():
        return word
    for ending, replacement in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word[: len(word) - len(ending)] + replacement
            break
    if len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] in _DOUBLED:
        word = word[:-1]
    return word[:-1] if len(word) > _SHORTEST_STEM and word[-1] in "ey" else word


def terms(text: str) -> list[str]:
    """Return the stems of the words that carry meaning, in order; of all words where there is no such word."""
    found = words(text)
    return [stem(word) for word in found if word not in STOP_WORDS] or [stem(word) for word in found]


def inverse_frequencies(texts: Iterable[Sequence[str]]) -> dict[str, float]:
    """Weight terms by rarity: ``ln(1 + n / df)`` over ``n`` texts."""
    frequencies: Counter[str] = Counter()
    count = 0
    for each in texts:
        frequencies.update(set(each))
        count += 1
    return {term: math.log(1 + count / frequency) for term, frequency in frequencies.items()}


def weight(found: Iterable[str], weights: Mapping[str, float], *, unseen: float) -> float:
    """Add up the weights of terms; those without one count ``unseen``."""
    return sum(weights.get(term, unseen) for term in found)
