"""A summary made of the conversation's own sentences, for where no chat model can write one.

Sentences are picked by how often their words come up; a word counts half after every pick, so that the next sentence
brings something new (SumBasic, Nenkova and Vanderwende 2005). Frequencies count by their logarithm: what is said over
and over in a chat is a habit more often than a subject.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.chat_models.token_estimate import estimate_tokens
from app.grounding.sentences import split_sentences
from app.grounding.terms import terms
from app.services.memory.exchanges import Exchange

_FACT = re.compile(r"\d\d|(?<=[a-z,] )[A-Z]")  # a number, or a capital within a sentence
_FACT_BONUS = 1.5
_USER_BONUS = 1.2
_FADING = 0.5
_SHORTEST_TERMS = 2
_LONGEST_LINE = 240  # characters; one rambling sentence must not take the whole summary


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    terms: frozenset[str]
    factor: float


def extractive_summary(previous: str, exchanges: Sequence[Exchange], budget: int) -> str:
    """Lines of ``previous`` and sentences of ``exchanges`` that say the most in ``budget`` tokens, in their order."""
    lines = _lines(previous, exchanges)
    picked = sorted(_picked(lines, budget))
    return "\n".join(lines[each].text for each in picked)


def _lines(previous: str, exchanges: Sequence[Exchange]) -> list[_Line]:
    texts = [each for each in previous.splitlines() if each.strip()]
    for exchange in exchanges:
        for speaker, text in exchange.lines():
            texts += [f"{speaker}: {_one_line(text[start:end])}" for start, end in split_sentences(text)]
    return [_line(each) for each in dict.fromkeys(texts)]


def _one_line(sentence: str) -> str:
    text = " ".join(sentence.split())
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 2].rsplit(" ", 1)[0] + " …"


def _line(text: str) -> _Line:
    speaker, _, said = text.partition(": ")
    factor = (_USER_BONUS if speaker == "User" else 1.0) * (_FACT_BONUS if _FACT.search(said) else 1.0)
    return _Line(text, frozenset(terms(said or text)), factor)


def _picked(lines: Sequence[_Line], budget: int) -> list[int]:
    counts = Counter(term for line in lines for term in line.terms)
    weights = {term: 1 + math.log(count) for term, count in counts.items()}
    left = {number: line for number, line in enumerate(lines) if len(line.terms) >= _SHORTEST_TERMS}
    picked: list[int] = []
    while left:
        best = max(left, key=lambda number: (_score(left[number], weights), -number))
        line = left.pop(best)
        cost = estimate_tokens(line.text + "\n")
        if cost > budget:
            continue
        budget -= cost
        picked.append(best)
        for term in line.terms:
            weights[term] *= _FADING
    return picked


def _score(line: _Line, weights: dict[str, float]) -> float:
    # The root rewards a line for saying more, without letting the longest always win.
    return line.factor * sum(weights[term] for term in line.terms) / math.sqrt(len(line.terms))
