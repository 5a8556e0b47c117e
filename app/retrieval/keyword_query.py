"""What a user's text asks of the keyword index. Nothing in it is ever read as query syntax."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from app.retrieval.search_text import compound_parts, is_single_character_of_unspaced_script, words

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

# The commonest English words: found by nothing else, they would make every search read half of the index.
STOP_WORDS = frozenset(
    word
    for line in (
        "a an and are as at be but by can could did do does for from had has have how i if in into is it its me my",
        "no not of on or our should so such that the their them then there these they this to us was we were what",
        "when where which who whom whose why will with would you your",
    )
    for word in line.split()
)
_QUOTED = re.compile('["“”„‟«»「『]([^"“”„‟«»「」『』]+)["“”‟«»」』]')


@dataclass(frozen=True, slots=True)
class KeywordQuery:
    """Stems and their weights (inverse document frequencies), neighbouring stems, quoted phrases as they are."""

    weights: dict[str, float]
    pairs: tuple[tuple[str, str], ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()

    @property
    def ceiling(self) -> float:
        """The score of a chunk that is full of every term: what a score is a share of."""
        return (K1 + 1) * sum(self.weights.values())

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not self.weights


Stem = Callable[[str], list[str]]


def parse_query(text: str, stem: Stem, frequency: Callable[[str], int], count: int) -> KeywordQuery:
    """Read any text at all. Common words are dropped unless there is nothing else.

    ``stem`` maps a word to its stem, ``frequency`` a stem to how many of the ``count`` chunks hold it.
    """
    found = words(text)
    parts = [part for part in compound_parts(found) if part not in STOP_WORDS]
    informative = [word not in STOP_WORDS for word in found]
    if not any(informative):
        informative = [True] * len(found)
    stems = [_stemmed(word, stem) for word in found]
    terms = [term for term, kept in zip(stems, informative, strict=True) if kept]
    terms += [_stemmed(part, stem) for part in parts]
    weights = {term: rarity(frequency(term), count) for term in terms}
    if len(weights) > MOST_TERMS:
        known = [term for term in weights if frequency(term)] or list(weights)
        rarest = set(sorted(known, key=lambda term: -weights[term])[:MOST_TERMS])
        weights = {term: weight for term, weight in weights.items() if term in rarest}
    neighbours = pairwise(zip(stems, informative, strict=True))
    pairs = dict.fromkeys((a, b) for (a, first), (b, second) in neighbours if first and second and a != b)
    return KeywordQuery(weights, tuple(pairs)[:MOST_PAIRS], quoted_phrases(text))


def _stemmed(word: str, stem: Stem) -> str:
    return (stem(word) or [word])[0]


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

    wanted = [(Occur.Should, each) for term in query.weights for each in _term_queries(schema, term)]
    for pair in query.pairs:
        phrase = Query.phrase_query(schema, BODY, list(pair))
        wanted.append((Occur.Should, Query.boost_query(phrase, PAIR_BOOST)))
    required = [(Occur.Must, _phrase_query(schema, phrase, stem)) for phrase in query.phrases]
    return Query.boolean_query([*wanted, *required])


def _term_queries(schema: tantivy.Schema, term: str) -> Sequence[tantivy.Query]:
    from tantivy import Query

    if is_single_character_of_unspaced_script(term):
        # Only pairs are indexed where the character has neighbours; it may be the first or the second of one.
        return [Query.regex_query(schema, BODY, f"{term}.?|.{term}")]
    title = Query.boost_query(Query.term_query(schema, TITLE, term), TITLE_BOOST)
    return [Query.term_query(schema, BODY, term), title]


def _phrase_query(schema: tantivy.Schema, phrase: tuple[str, ...], stem: Stem) -> tantivy.Query:
    from tantivy import Query

    stems = [_stemmed(word, stem) for word in phrase]
    if len(stems) == 1:
        single = _term_queries(schema, stems[0])
        return single[0]
    return Query.phrase_query(schema, BODY, list(stems))
