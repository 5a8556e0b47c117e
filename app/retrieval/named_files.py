"""Passages of files that a question names: "Boeing's margin in 2018" is asked of ``BOEING_2018_10K.pdf``.

Every file of a library has a name its owner chose, and reports of one kind differ in little else. A word counts by how
few of the files found so far have it, so that a name which all share decides nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from app.domain.passages import Passage
from app.retrieval.function_words import STOP_WORDS
from app.retrieval.search_text import compound_parts, words

NAME_BONUS = 0.08
"""What the score of a passage gains whose file's name holds all that the question says of any file's name."""

SURE_WORDS = 2
"""With a single word of a name in the question, the gain is half as large: it may stand there by chance."""


def name_bonuses(query: str, passages: Sequence[Passage]) -> list[float]:
    """What each passage's score gains, 0 to ``NAME_BONUS``."""
    names = {passage.path.stem: _parts(passage.path.stem) for passage in passages}
    if len(names) < 2:
        return [0.0] * len(passages)
    held = Counter(word for name in names.values() for word in name & _parts(query))
    weights = {word: math.log(1 + (len(names) - count + 0.5) / (count + 0.5)) for word, count in held.items()}
    whole = sum(weights.values())
    gains = {stem: _gain([weights[word] for word in name if word in weights], whole) for stem, name in names.items()}
    return [gains[passage.path.stem] for passage in passages]


def _gain(found: Sequence[float], whole: float) -> float:
    return NAME_BONUS * sum(found) / whole * min(1.0, len(found) / SURE_WORDS) if found else 0.0


@lru_cache(maxsize=4_096)
def _parts(text: str) -> frozenset[str]:
    """Words, and the letters and figures of those that mix them."""
    found = words(text.replace("_", " "))
    return frozenset([*found, *compound_parts(found)]) - STOP_WORDS
