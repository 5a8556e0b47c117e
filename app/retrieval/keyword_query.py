"""What a user's text asks of the keyword index. Nothing in it is ever read as query syntax."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from app.retrieval.function_words import (
    STOP_WORDS,
    common_pairs,
    function_words,
    holds_particle,
    text_language,
    without_asking,
)
from app.retrieval.search_text import compound_parts, is_single_character_of_unspaced_script, words
from app.retrieval.spelling import Misspelt, forgiven
from app.retrieval.stemming import characters, is_pair, stem_in

if TYPE_CHECKING:
    import tantivy

BODY = "body"
TITLE = "title"
TITLE_BOOST = 0.1
PAIR_BOOST = 0.1
K1 = 1.2
B = 0.75
"""BM25's parameters, as tantivy has them."""

MOST_TERMS = 64
"""A pasted page asks with its rarest words; more of them cost time and change nothing."""

MOST_PAIRS = 24
CHARACTER_BOOST = 0.7
"""What a single character counts beside the pairs of a script written without spaces."""

COHESION = 0.4
"""What part of such a pair's weight depends on how often its characters stand together: many are no word."""

COMMON_BOOST = 0.5
"""What such a pair counts that is a word of everyday Chinese: it is rare in few texts, and then by chance."""

_ALWAYS_TOGETHER = 1 / 1.5
"""The normalised pointwise mutual information from which a pair counts in full."""

MOST_MISSPELT = 8
BOOST_STEP = 1e-6
PARTICLE_BOOST = 0.4
"""What a pair with a particle in it counts: half of it belongs to another word."""


_QUOTED = re.compile('["“”„‟«»「『]([^"“”„‟«»「」『』]+)["“”‟«»」』]')


@dataclass(frozen=True, slots=True)
class KeywordQuery:
    """Stems and their weights (inverse document frequencies), neighbouring stems, quoted phrases as they are.

    ``boosts`` are the factors that a weight holds beside its frequency, where that is not 1. ``full`` is the sum of
    the weights in a chunk that holds every word: of several stems of one word it has one. ``languages`` are those in
    which the words were stemmed beside English. With ``misspelt_required`` chunks must hold a word that is near a
    misspelt one.
    """

    weights: dict[str, float]
    pairs: tuple[tuple[str, str], ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    boosts: Mapping[str, float] = field(default_factory=dict)
    full: float | None = None
    languages: tuple[str, ...] = ()
    misspelt: tuple[tuple[Misspelt, float], ...] = ()
    misspelt_required: bool = False

    @property
    def ceiling(self) -> float:
        """The score of a chunk that is full of every term: what a score is a share of."""
        return (K1 + 1) * (sum(self.weights.values()) if self.full is None else self.full)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not self.weights


Stem = Callable[[str], list[str]]
Terms = dict[tuple[str, ...], float]
"""The stems of each word, and what the word counts."""


def parse_query(
    text: str,
    stem: Stem,
    frequency: Callable[[str], int],
    count: int,
    languages: Sequence[str] = (),
    named: Callable[[str], bool] = lambda term: False,
) -> KeywordQuery:
    """Read any text at all. Common words are dropped unless there is nothing else.

    ``stem`` maps a word to its stem, ``frequency`` a stem to how many of the ``count`` chunks hold it; ``languages``
    are those of the chunks, beside English; ``named`` tells whether a title or a path holds a stem.
    """
    found = words(without_asking(text)) or words(text)
    kept = _informative(found)
    informative = [word for word, keep in zip(found, kept, strict=True) if keep]
    parts = [part for part in compound_parts(found) if part not in STOP_WORDS]
    terms: Terms = {}
    for word in [*informative, *parts]:
        terms.setdefault(_stems(word, stem, languages), _boost(word, frequency, count))
    for character in characters(found):
        if not holds_particle(character):
            terms.setdefault((character,), CHARACTER_BOOST)
    weights, boosts, full = _weighed(_rarest(terms, frequency, count), frequency, count)
    pairs = _pairs(list(zip(found, kept, strict=True)), stem, languages)
    phrases = quoted_phrases(text)
    quoted = {_stemmed(word, stem) for phrase in phrases for word in phrase}
    unknown = [
        each for each in terms if each[0] not in quoted and not any(frequency(one) or named(one) for one in each)
    ]
    misspelt = tuple((near, near.share * rarity(1, count)) for stems in unknown for near in forgiven(stems[0]))
    return KeywordQuery(weights, pairs, phrases, boosts, full, tuple(languages), misspelt[:MOST_MISSPELT])


def _informative(found: Sequence[str]) -> list[bool]:
    """Which words say something; all if none does."""
    common = function_words(text_language(found))
    kept = [word not in common and not (len(word) == 1 and holds_particle(word)) for word in found]
    return kept if any(kept) else [True] * len(found)


def _boost(word: str, frequency: Callable[[str], int], count: int) -> float:
    if not is_pair(word):
        return 1.0
    if holds_particle(word):
        return PARTICLE_BOOST
    common = COMMON_BOOST if word in common_pairs() else 1.0
    return common * (1 - COHESION + COHESION * _cohesion(word, frequency, count))


def _cohesion(pair: str, frequency: Callable[[str], int], count: int) -> float:
    """How far two characters belong together, 0 to 1, by normalised pointwise mutual information in chunks.

    After Bouma, "Normalized (Pointwise) Mutual Information in Collocation Extraction" (GSCL 2009).
    """
    together, first, second = ((frequency(each) + 0.5) / (count + 1) for each in (pair, pair[0], pair[1]))
    information = math.log(together / (first * second)) / -math.log(together)
    return min(1.0, max(0.0, information / _ALWAYS_TOGETHER))


def _stemmed(word: str, stem: Stem) -> str:
    return (stem(word) or [word])[0]


def _stems(word: str, stem: Stem, languages: Iterable[str]) -> tuple[str, ...]:
    """The stems of a word, the English one first."""
    foreign = (_stemmed(stem_in(language, word) or word, stem) for language in languages)
    return tuple(dict.fromkeys([_stemmed(word, stem), *foreign]))


def _rarest(terms: Terms, frequency: Callable[[str], int], count: int) -> Terms:
    if len(terms) <= MOST_TERMS:
        return terms
    frequencies = {stems: sum(map(frequency, stems)) for stems in terms}
    known = [stems for stems in terms if frequencies[stems]] or list(terms)
    rarest = set(sorted(known, key=lambda stems: -terms[stems] * rarity(frequencies[stems], count))[:MOST_TERMS])
    return {stems: boost for stems, boost in terms.items() if stems in rarest}


def _weighed(
    terms: Terms, frequency: Callable[[str], int], count: int
) -> tuple[dict[str, float], dict[str, float], float]:
    """Weights and boosts of the stems, and the weight of one stem for each word.

    Stems of one word count by how many chunks hold any of them: else a form that is rare in one language would beat
    the form that is usual in the other.
    """
    weights: dict[str, float] = {}
    boosts: dict[str, float] = {}
    full = 0.0
    for stems, boost in terms.items():
        held = {each: frequency(each) for each in stems}
        known = [each for each in stems if held[each]] or stems[:1]
        weight = boost * rarity(sum(held.values()), count)
        full += weight
        for each in known:
            if weights.get(each, 0.0) < weight:
                weights[each] = weight
                boosts[each] = weight / rarity(held[each], count)
    return weights, {each: boost for each, boost in boosts.items() if abs(boost - 1) > BOOST_STEP}, full


def _pairs(found: Sequence[tuple[str, bool]], stem: Stem, languages: Sequence[str]) -> tuple[tuple[str, str], ...]:
    pairs: dict[tuple[str, str], None] = {}
    for (first, one), (second, two) in pairwise(found):
        if one and two:
            pairs.update(dict.fromkeys(_like_stems(first, second, stem, languages)))
    return tuple(pairs)[:MOST_PAIRS]


def _like_stems(first: str, second: str, stem: Stem, languages: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Both words in English and in each language."""
    for language in (None, *languages):
        one, two = (_stems(word, stem, [language] if language else [])[-1] for word in (first, second))
        if one != two:
            yield one, two


def rarity(frequency: int, count: int) -> float:
    """BM25's inverse document frequency, as tantivy has it."""
    return math.log(1 + (max(count - frequency, 0) + 0.5) / (frequency + 0.5))


def quoted_phrases(text: str) -> tuple[tuple[str, ...], ...]:
    """The words of each passage of ``text`` in quotation marks; a mark without its partner is none."""
    phrases = (tuple(words(match.group(1))) for match in _QUOTED.finditer(text[:10_000]))
    return tuple(dict.fromkeys(phrase for phrase in phrases if phrase))


def holds_phrases(text: str, phrases: Sequence[tuple[str, ...]]) -> bool:
    """Whether a search text holds every phrase, word for word."""
    padded = f" {text} "
    for phrase in phrases:
        alone = len(phrase) == 1 and is_single_character_of_unspaced_script(phrase[0])
        if (phrase[0] if alone else f" {' '.join(phrase)} ") not in padded:
            return False
    return True


def build_query(query: KeywordQuery, schema: tantivy.Schema, stem: Stem) -> tantivy.Query:
    """The query for tantivy: any term, better with neighbouring ones side by side; all quoted phrases."""
    from tantivy import Occur, Query

    wanted = [
        (Occur.Should, _boosted(each, query.boosts.get(term, 1.0)))
        for term in query.weights
        for each in _term_queries(schema, term)
    ]
    for pair in query.pairs:
        phrase = Query.phrase_query(schema, BODY, list(pair))
        wanted.append((Occur.Should, Query.boost_query(phrase, PAIR_BOOST)))
    near = [(Occur.Should, each) for each in _near_queries(query, schema)]
    required = [(Occur.Must, _phrase_query(schema, phrase, stem, query.languages)) for phrase in query.phrases]
    if query.misspelt_required:
        required.append((Occur.Must, Query.boolean_query(near)))
        near = []
    return Query.boolean_query([*wanted, *near, *required])


def _near_queries(query: KeywordQuery, schema: tantivy.Schema) -> Iterator[tantivy.Query]:
    from tantivy import Query

    for near, weight in query.misspelt:
        for field_name in (BODY, TITLE):
            close = Query.fuzzy_term_query(schema, field_name, near.word, distance=near.distance)
            yield Query.boost_query(Query.const_score_query(close, 1.0), weight)


def _boosted(query: tantivy.Query, boost: float) -> tantivy.Query:
    from tantivy import Query

    return query if boost == 1.0 else Query.boost_query(query, boost)


def _term_queries(schema: tantivy.Schema, term: str) -> Sequence[tantivy.Query]:
    from tantivy import Query

    title = Query.boost_query(Query.term_query(schema, TITLE, term), TITLE_BOOST)
    return [Query.term_query(schema, BODY, term), title]


def _phrase_query(
    schema: tantivy.Schema, phrase: tuple[str, ...], stem: Stem, languages: Iterable[str]
) -> tantivy.Query:
    """The words side by side, as chunks in any of the languages hold them."""
    from tantivy import Occur, Query

    readings = {tuple(_stems(word, stem, [each] if each else [])[-1] for word in phrase) for each in ("", *languages)}
    queries = [
        Query.phrase_query(schema, BODY, list(stems)) if len(stems) > 1 else Query.term_query(schema, BODY, stems[0])
        for stems in sorted(readings)
    ]
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Should, each) for each in queries])
