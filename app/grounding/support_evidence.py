"""The passages as evidence: their sentences, words, names and numbers, and where a sentence fits best."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from app.domain.passages import Passage
from app.grounding.alignment import folded
from app.grounding.sentences import split_sentences
from app.grounding.support_names import KnownWords
from app.grounding.support_numbers import codes, numbers
from app.grounding.terms import inverse_frequencies, terms, weight

LONGEST_WINDOW = 3
MOST_SPANS = 3
_SHORTEST_PREFIX = 5


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring sentences of a passage, and how much of a sentence's words they hold, 0 to 1."""

    text: str
    passage_id: str
    words: float
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """Where a sentence fits best. ``words`` is what the best span, or the two best together, hold of it.

    ``better`` is a place in another passage than those cited that fits clearly better.
    """

    sentence: str
    best: tuple[Span, ...]
    words: float
    exact: bool = False
    better: Match | None = None

    def spans(self) -> list[str]:
        """The texts to compare by meaning."""
        return [each.text for each in self.best]


@dataclass(slots=True)
class _Source:
    passage_id: str
    folded: str
    sentences: list[str]
    terms: list[frozenset[str]]
    known: KnownWords


@dataclass(slots=True)
class Evidence:
    """All passages of a turn, split and counted once. ``known`` are the words of passages, their titles and the
    question; ``values`` and ``codes`` their numbers, which are read only once a sentence states one."""

    sources: list[_Source]
    weights: dict[str, float]
    known: KnownWords
    languages: tuple[str, ...] = ()
    _asked: frozenset[str] = field(default_factory=frozenset)
    _texts: Sequence[str] = ()
    _values: frozenset[Fraction] | None = None
    _codes: frozenset[str] | None = None

    @property
    def values(self) -> frozenset[Fraction]:
        """All values that numbers of the question, the passages and their titles can mean."""
        if self._values is None:
            self._values = frozenset(value for text in self._texts for each in numbers(text) for value in each.values)
        return self._values

    @property
    def codes(self) -> frozenset[str]:
        """Words of letters and figures in them, lower case."""
        if self._codes is None:
            self._codes = frozenset(code for text in self._texts for code in codes(text))
        return self._codes

    def known_at(self, passage_ids: Collection[str]) -> list[KnownWords]:
        """The words of these passages, each with those of its title and of the question."""
        return [each.known for each in self.sources if each.passage_id in passage_ids]

    def match(self, sentence: str, passage_ids: Sequence[str] | None = None) -> Match:
        """The best spans for ``sentence`` in these passages, or in all."""
        sources = [each for each in self.sources if passage_ids is None or each.passage_id in passage_ids]
        wanted = self._wanted(sentence)
        text = folded(sentence).strip(" .;,")
        if len(text) > 8 and any(text in each.folded for each in sources):
            holder = next(each for each in sources if text in each.folded)
            return Match(sentence, (Span(sentence, holder.passage_id, 1.0, (sentence,)),), 1.0, exact=True)
        scored = sorted((each for source in sources for each in self._windows(source, wanted)), key=_order)
        best = tuple(_apart(scored))
        return Match(sentence, best, self._share(wanted, best))

    def _wanted(self, sentence: str) -> frozenset[str]:
        return frozenset(each for each in terms(sentence) if not each[0].isdigit())

    def _windows(self, source: _Source, wanted: frozenset[str]) -> Iterable[Span]:
        for first in range(len(source.sentences)):
            found: set[str] = set()
            for last in range(first, min(first + LONGEST_WINDOW, len(source.sentences))):
                found |= source.terms[last]
                held = source.sentences[first : last + 1]
                yield Span(" ".join(held), source.passage_id, self._part(wanted, found), tuple(held))

    def _share(self, wanted: frozenset[str], spans: Sequence[Span]) -> float:
        """What the best span holds of the wanted words; of two spans together a little less counts."""
        if not spans:
            return 0.0
        together = frozenset(term for span in spans[:2] for term in terms(span.text))
        return max(spans[0].words, 0.95 * self._part(wanted, together))

    def _part(self, wanted: frozenset[str], found: Iterable[str]) -> float:
        """The share of the wanted words, by weight, that are found; a common beginning counts for most of a word.

        Words of the question that are not found count half: an answer repeats them, but they prove nothing.
        """
        there = frozenset(found)
        unseen = max(self.weights.values(), default=1.0)
        total = held = 0.0
        for term in wanted:
            worth = weight((term,), self.weights, unseen=unseen)
            if term in there:
                total, held = total + worth, held + worth
            elif len(term) > _SHORTEST_PREFIX and any(_related(term, each) for each in there):
                total, held = total + worth, held + 0.8 * worth
            else:
                total += worth * (0.5 if term in self._asked else 1.0)
        return held / total if total else 1.0


def evidence_of(question: str, passages: Mapping[str, Passage]) -> Evidence:
    """Read the passages, with their titles and headings, as evidence."""
    sources: list[_Source] = []
    asked, texts = KnownWords(), [question]
    asked.add(question)
    known = asked.copy()
    for passage_id, passage in passages.items():
        place = " . ".join((passage.title, *passage.headings))
        sentences = [passage.text[start:end] for start, end in split_sentences(passage.text)]
        above = frozenset(terms(place)) if place.strip(" .") else frozenset()
        held = [frozenset(terms(each)) | above for each in sentences]
        own = asked.copy()
        sources.append(_Source(passage_id, folded(passage.text), sentences, held, own))
        for text in (place, passage.text):
            own.add(text)
            known.add(text)
            texts.append(text)
    weights = inverse_frequencies([sorted(each) for source in sources for each in source.terms])
    return Evidence(sources, weights, known, _asked=frozenset(terms(question)), _texts=texts)


def _order(span: Span) -> tuple[float, int]:
    return -span.words, len(span.sentences)


def _apart(spans: Sequence[Span]) -> list[Span]:
    """The best spans of which none holds a sentence of another."""
    chosen: list[Span] = []
    for each in spans:
        if len(chosen) == MOST_SPANS:
            break
        if not any(set(each.sentences) & set(other.sentences) for other in chosen):
            chosen.append(each)
    return chosen


def _related(one: str, other: str) -> bool:
    return len(other) > _SHORTEST_PREFIX and one[:_SHORTEST_PREFIX] == other[:_SHORTEST_PREFIX]
