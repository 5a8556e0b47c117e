"""Facts of a sentence that its passages contradict: altered numbers and names, and swapped subjects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from app.grounding.support_evidence import Evidence, Match
from app.grounding.support_names import Name, is_month, names, unknown_words
from app.grounding.support_numbers import Number, codes, numbers
from app.grounding.support_swaps import stand_in_for_each_other
from app.grounding.terms import terms
from app.retrieval.query_language import query_language

_CLOSE_ENOUGH = 0.6
_PASSIVE = re.compile(r"\b(?:by|von|durch|par|por)\b", re.IGNORECASE)
_FEWEST_COMMON = 4
_CLEARLY = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What is altered, and a sentence that says so."""

    kind: str
    reason: str


def altered_facts(match: Match, evidence: Evidence) -> Finding | None:
    """The first number, code or name of the sentence that the passages don't bear out."""
    return _altered_number(match, evidence) or _altered_code(match, evidence) or _altered_name(match, evidence)


def _altered_number(match: Match, evidence: Evidence) -> Finding | None:
    there = _numbers_in(match)
    for each in numbers(match.sentence):
        if not each.claimed:
            continue
        said = match.sentence[each.start : each.end]
        if each.values.isdisjoint(evidence.values):
            return Finding("number", f"“{said}” is in none of the passages{_instead(each, match, there)}.")
        if not _borne_by(each, there) and _rival(each, match) is not None:
            return Finding("number", f"The passage does not say “{said}” here{_instead(each, match, there)}.")
    return None


def _altered_code(match: Match, evidence: Evidence) -> Finding | None:
    for code in codes(match.sentence):
        if code not in evidence.codes and not evidence.known.holds(code):
            return Finding("code", f"“{code}” is in none of the passages.")
    return None


def _altered_name(match: Match, evidence: Evidence) -> Finding | None:
    german = query_language(match.sentence) == "de"
    for name in names(match.sentence, nouns_are_capital=german):
        said = match.sentence[name.start : name.end]
        if unknown_words(name, evidence.known):
            if not name.opens or _names_missing(match):
                return Finding("name", f"“{said}” is in none of the passages.")
        elif not name.opens and _from_elsewhere(name, match, evidence):
            return Finding("name", f"The passage does not say “{said}” here.")
    return None


def _from_elsewhere(name: Name, match: Match, evidence: Evidence) -> bool:
    """Whether a name stands in other passages only, while the sentence leaves out one of the place it rests on."""
    if not match.best or match.best[0].words < _CLOSE_ENOUGH or not _names_missing(match):
        return False
    here = evidence.known_at({each.passage_id for each in match.best[:2]})
    return all(unknown_words(name, each) for each in here)


def _names_missing(match: Match) -> bool:
    """Whether the place that the sentence rests on names somebody whom the sentence leaves out.

    Only then is an unknown word at its beginning taken for a name in that one's place.
    """
    if not match.best or match.best[0].words < _CLOSE_ENOUGH / 2:
        return False
    said = set(terms(match.sentence))
    return any(
        not each.opens and said.isdisjoint(terms(" ".join(each.words)))
        for sentence in match.best[0].sentences
        for each in names(sentence)
    )


def _numbers_in(match: Match) -> list[Number]:
    return [each for span in match.best[:2] for each in numbers(span.text)]


def _borne_by(number: Number, there: Sequence[Number]) -> bool:
    return any(not number.values.isdisjoint(each.values) for each in there)


def _rival(number: Number, match: Match) -> Fraction | None:
    """A number of the same kind in the one sentence that holds nearly all words of the claim, in this one's place."""
    if not match.best or match.best[0].words < _CLOSE_ENOUGH:
        return None
    ours = {value for each in numbers(match.sentence) for value in each.values}
    for each in numbers(match.best[0].text):
        if each.claimed and each.values.isdisjoint(ours) and _kind(each) == _kind(number):
            return next(iter(each.values))
    return None


def _instead(number: Number, match: Match, there: Sequence[Number]) -> str:
    ours = {value for each in numbers(match.sentence) for value in each.values}
    for span in match.best[:1]:
        for each in numbers(span.text):
            if each.claimed and each.values.isdisjoint(ours) and _kind(each) == _kind(number):
                return f"; it says “{span.text[each.start : each.end]}”"
    return ""


def _kind(number: Number) -> str:
    value = max(number.values)
    if value.denominator == 1 and 1000 <= value <= 2100:
        return "year"
    return "whole" if value.denominator == 1 else "decimal"


def is_swapped(match: Match) -> bool:
    """Whether the sentence says what one place says, but with two of its names or nouns exchanged."""
    for span in match.best[:1]:
        if any(_exchanged(match.sentence, each) for each in (span.text, *span.sentences)):
            return True
        if _changed_places(match.sentence, span.text) or stand_in_for_each_other(match.sentence, span.text):
            return True
    return False


def _exchanged(said: str, source: str) -> bool:
    """Whether the common words stand in the same order but for two of them."""
    if bool(_PASSIVE.search(said)) != bool(_PASSIVE.search(source)):
        return False
    ours, theirs = _units(said), _units(source)
    common = [each for each in ours if ours.count(each) == 1 and theirs.count(each) == 1]
    if len(common) < _FEWEST_COMMON:
        return False
    order = [theirs.index(each) for each in common]
    wrong = [index for index, (is_at, belongs) in enumerate(zip(order, sorted(order), strict=True)) if is_at != belongs]
    return len(wrong) == 2 and len(common) >= 0.8 * len(set(ours)) and wrong[1] - wrong[0] > 1


def _changed_places(said: str, source: str) -> bool:
    """Whether two names each stand among the words that the source has around the other one."""
    if bool(_PASSIVE.search(said)) != bool(_PASSIVE.search(source)):
        return False
    ours, theirs = _units(said), _units(source)
    known = [" ".join(each.words) for each in names(said) if not is_month(each.words[0])]
    there = [each for each in dict.fromkeys(known) if each in theirs and ours.count(each) == 1]
    for pair in combinations(there, 2):
        (one, one_there), (other, other_there) = (
            (_around(ours, name, pair), _around(theirs, name, pair)) for name in pair
        )
        own = _overlap(one, one_there) + _overlap(other, other_there)
        crossed = _overlap(one, other_there) + _overlap(other, one_there)
        if crossed >= own + _CLEARLY:
            return True
    return False


def _around(units: Sequence[str], name: str, names_compared: Sequence[str]) -> dict[tuple[int, str], float]:
    """What stands beside a name, nearest first: (side, unit) with 1 for the next and 0.5 for the one behind it."""
    beside: dict[tuple[int, str], float] = {}
    for at in (index for index, each in enumerate(units) if each == name):
        for side in (-1, 1):
            for distance, worth in ((1, 1.0), (2, 0.5)):
                place = at + side * distance
                if 0 <= place < len(units) and units[place] not in names_compared:
                    key = (side, units[place])
                    beside[key] = max(beside.get(key, 0.0), worth)
    return beside


def _overlap(ours: dict[tuple[int, str], float], theirs: dict[tuple[int, str], float]) -> float:
    return sum(min(worth, theirs[key]) for key, worth in ours.items() if key in theirs)


def _units(text: str) -> list[str]:
    """The terms of a text in order, each name as one unit."""
    units: list[str] = []
    position = 0
    for name in names(text):
        units.extend(_terms(text[position : name.start]))
        units.append(" ".join(name.words))
        position = name.end
    return [*units, *_terms(text[position:])]


def _terms(text: str) -> list[str]:
    return terms(text) if text.strip() else []
