"""Finds the exact span of a passage that a sentence of an answer rests on.

A sentence that stands in the passage word for word is found by search, white space, case and typographic variants
aside. Any other is compared with every run of up to three neighbouring sentences of the passage: terms in common,
weighted by how rare they are in the passage, as an F-measure that favours covering the answer's sentence
(Van Rijsbergen's F with beta = 2). Nothing is rewritten: spans are offsets into the passage as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.grounding.sentences import Span, split_sentences
from app.grounding.terms import inverse_frequencies, terms, weight

LONGEST_WINDOW = 3
FLOOR = 0.15
_BETA_SQUARED = 4.0
_NUMBER_FACTOR = 2.0
_SHORTEST_EXACT = 8
_SAME = str.maketrans("’‘‚“”„«»–—‐‑−\u00a0", '\'\'\'"""""----- ')
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"


@dataclass(frozen=True, slots=True)
class Alignment:
    """A span ``[start, end)`` of a passage's text and how well it covers the sentence, 0 to 1 (1 is word for word)."""

    start: int
    end: int
    score: float


class PassageAligner:
    """Aligns sentences with one passage. Splitting and weighing the passage is done once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded, self._places = _fold(text)
        self._sentences = split_sentences(text)
        self._terms = [terms(text[start:end]) for start, end in self._sentences]
        self._weights = inverse_frequencies(self._terms)

    def align(self, sentence: str) -> Alignment:
        """Return the span that the sentence rests on; the whole passage, with its low score, where none stands out.

        ``sentence`` comes without footnote markers.
        """
        exact = self._exact(sentence)
        if exact is not None:
            return Alignment(*exact, 1.0)
        best = max(self._windows(sentence), key=lambda each: each.score, default=Alignment(0, 0, 0.0))
        return best if best.score >= FLOOR else Alignment(*_trimmed(self._text), best.score)

    def _exact(self, sentence: str) -> Span | None:
        wanted = _fold(sentence)[0].strip(" .;,")
        whole = wanted == self._folded.strip(" .;,")
        if not any(each.isalnum() for each in wanted) or (len(wanted) < _SHORTEST_EXACT and not whole):
            return None
        at = self._folded.find(wanted)
        if at < 0:
            return None
        start, end = self._places[at], self._places[at + len(wanted) - 1] + 1
        return self._with_closing_mark(start, end)

    def _with_closing_mark(self, start: int, end: int) -> Span:
        """Take the punctuation behind the words along when they end a sentence of the passage."""
        for _, sentence_end in self._sentences:
            between = self._text[end:sentence_end]
            if between and not any(each.isalnum() for each in between):
                return start, sentence_end
        return start, end

    def _windows(self, sentence: str) -> Iterator[Alignment]:
        wanted = set(terms(sentence))
        unseen = max(self._weights.values(), default=1.0)
        weights = {each: self._weights.get(each, unseen) * _emphasis(each) for each in wanted | set(self._weights)}
        total = weight(wanted, weights, unseen=unseen)
        if not total:
            return
        for first in range(len(self._sentences)):
            found: set[str] = set()
            for last in range(first, min(first + LONGEST_WINDOW, len(self._sentences))):
                found.update(self._terms[last])
                common = weight(wanted & found, weights, unseen=unseen)
                recall, precision = common / total, common / (weight(found, weights, unseen=unseen) or 1.0)
                yield Alignment(self._sentences[first][0], self._sentences[last][1], _f_measure(precision, recall))


def _emphasis(term: str) -> float:
    return _NUMBER_FACTOR if term[0].isdigit() else 1.0


def _f_measure(precision: float, recall: float) -> float:
    if not precision or not recall:
        return 0.0
    return (1 + _BETA_SQUARED) * precision * recall / (_BETA_SQUARED * precision + recall)


def _trimmed(text: str) -> Span:
    start = len(text) - len(text.lstrip())
    return start, max(start, len(text.rstrip()))


def folded(text: str) -> str:
    """``text`` with case, white space and typographic variants folded, for comparing word for word."""
    return _fold(text)[0]


def _fold(text: str) -> tuple[str, list[int]]:
    """Fold case, white space and typographic variants; return the text and each character's place in the original."""
    characters: list[str] = []
    places: list[int] = []
    for place, original in enumerate(text.translate(_SAME)):
        if original in _INVISIBLE:
            continue
        character = " " if original.isspace() else original.lower()
        if len(character) > 1:
            character = original
        if character == " " and (not characters or characters[-1] == " "):
            continue
        characters.append(character)
        places.append(place)
    return "".join(characters), places
