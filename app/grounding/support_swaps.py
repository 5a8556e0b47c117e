"""Names that stand in each other's place: the words beside one of them stand beside the other in the source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from app.grounding.word_lists import STOP_WORDS

_TOKEN = re.compile(r"['’]s\b|[^\W_](?:[^\W_]|(?!['’]s\b)[.’'-](?=[^\W_]))*|[,;:]")
_JOINING = frozenset({"and", "or", "und", "oder", "et", "ou", "y", "e", "o", ",", "&"})
_EDGE = ""


def stand_in_for_each_other(said: str, source: str) -> bool:
    """Whether two names of ``said`` have changed places.

    Neither has a neighbour that it has in ``source`` too, but each has one that the other has there. Names of one
    enumeration may come in any order. Neighbours are words of any kind: "in", "by" and "of" say who did what.
    """
    ours, theirs = _units(said), _units(source)
    beside = {pair for each in range(len(theirs) - 1) for pair in [(theirs[each], theirs[each + 1])]}
    there = set(theirs)
    places = [at for at, each in enumerate(ours) if _is_name(each) and each in there]
    return any(_crossed(ours, one, two, beside) for one, two in combinations(places, 2))


def _crossed(units: Sequence[str], one: int, two: int, beside: set[tuple[str, str]]) -> bool:
    first, second = units[one], units[two]
    if first == second or all(each in _JOINING or _is_name(each) for each in units[one + 1 : two]):
        return False
    if _shared(units, one, first, beside) or _shared(units, two, second, beside):
        return False
    return bool(_shared(units, one, second, beside) and _shared(units, two, first, beside))


def _shared(units: Sequence[str], at: int, name: str, beside: set[tuple[str, str]]) -> int:
    """How many of the neighbours at a place ``name`` has in the source."""
    before = units[at - 1] if at else _EDGE
    after = units[at + 1] if at + 1 < len(units) else _EDGE
    return ((before, name) in beside) + ((name, after) in beside)


def _is_name(unit: str) -> bool:
    return unit[:1].isupper()


def _units(text: str) -> list[str]:
    """Words and marks that divide, in order; a run of words with capitals, behind a function word, is one unit."""
    units: list[str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        word = match[0]
        joined = bool(units) and _is_name(units[-1]) and text[end : match.start()] == " "
        if joined and word[0].isupper():
            units[-1] += f" {word}"
        elif word.lower() in STOP_WORDS:
            units.append(word.lower())
        else:
            units.append(word)
        end = match.end()
    return units
