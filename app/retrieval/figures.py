"""Passages that hold figures, for questions that ask for some.

A sentence about a balance sheet is often more like a question than the balance sheet itself, whose lines are hardly
sentences; but what is asked for stands in the latter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.passages import Passage

FIGURES_BONUS = 0.05
"""What the score of a passage gains that has ``MANY`` figures or more."""

MANY = 20

_ASKS = re.compile(
    r"\bhow (?:much|many|high|large|big|low|fast|long|old)\b|\b(?:ratio|margin|rate|growth|amount|total|average|percent"
    r"(?:age)?|per cent|share|sum|cost|price|revenue|sales|income|expenses?|debt|million|billion|usd|eur|turnover)s?\b"
    r"|[$€£%]|\bwhat (?:was|is|were|are) the (?:number|value|size)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d[\d.,]*")


def asks_for_figures(query: str) -> bool:
    """Whether the answer to an English question is likely a figure or made from some."""
    return _ASKS.search(query) is not None


def figures_bonuses(passages: Sequence[Passage]) -> list[float]:
    """What each passage's score gains, 0 to ``FIGURES_BONUS``."""
    return [FIGURES_BONUS * min(1.0, len(_FIGURE.findall(passage.text)) / MANY) for passage in passages]
