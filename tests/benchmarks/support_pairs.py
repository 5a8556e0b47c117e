"""Pairs of a sentence and its passage, as they are and altered, for measuring the check of sentences.

Alterations know nothing of the check: a number becomes another one of its kind, a name (a run of words with capitals
that does not begin the sentence) becomes one of another text, two names change places, a sentence gets another passage.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

KINDS = ("supported", "number", "name", "unrelated", "swapped")
_FIGURE = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w])")
_WORDS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty"
_NUMBER_WORDS = _WORDS.split("|")
_NUMBER_WORD = re.compile(rf"\b(?:{_WORDS})\b")
_NAME = re.compile(r"(?<![\w'])(?!I\b)[A-Z][\w’-]+(?: [A-Z][\w’-]+)*")


@dataclass(frozen=True, slots=True)
class Item:
    """A sentence that its passage bears out, as somebody wrote it."""

    question: str
    title: str
    passage: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence to check against a passage; ``kind`` is one of ``KINDS``."""

    kind: str
    question: str
    title: str
    passage: str
    sentence: str


def pairs(items: Sequence[Item], seed: int = 20) -> list[Pair]:
    """Each item as it is, and once in every way in which it can be altered."""
    chance = random.Random(seed)
    names = sorted({match[0] for item in items for match in _names(item.sentence)})
    made: list[Pair] = []
    for index, item in enumerate(items):
        made.append(_pair("supported", item, item.sentence))
        for kind, altered in _altered(item, names, chance):
            made.append(_pair(kind, item, altered))
        others = [other for other in items if other.title != item.title]
        other = others[(index * 7 + 3) % len(others)]
        made.append(_pair("unrelated", item, other.sentence))
    return made


def _pair(kind: str, item: Item, sentence: str) -> Pair:
    return Pair(kind, item.question, item.title, item.passage, sentence)


def _altered(item: Item, names: Sequence[str], chance: random.Random) -> Iterator[tuple[str, str]]:
    figures = [*_FIGURE.finditer(item.sentence), *_NUMBER_WORD.finditer(item.sentence)]
    if figures:
        match = chance.choice(figures)
        yield "number", _with(item.sentence, match, _other_number(match[0], item, chance))
    found = _names(item.sentence)
    if found:
        match = chance.choice(found)
        given = f"{item.question} {item.title} {item.passage}".lower()
        strange = [each for each in names if not any(word.lower() in given for word in each.split())]
        yield "name", _with(item.sentence, match, chance.choice(strange))
    different = [each for each in found if each[0] != found[0][0]]
    if different:
        one, two = found[0], chance.choice(different)
        swapped = _with(_with(item.sentence, two, one[0]), one, two[0])
        yield "swapped", swapped


def _names(sentence: str) -> list[re.Match[str]]:
    return [match for match in _NAME.finditer(sentence) if match.start() > 0]


def _with(text: str, match: re.Match[str], instead: str) -> str:
    return text[: match.start()] + instead + text[match.end() :]


def _other_number(number: str, item: Item, chance: random.Random) -> str:
    """A number of the same form that is not in the passage; a longer one where all of its form are."""
    given = f"{item.passage} {item.question} {item.title}"
    for _ in range(100):
        other = _number_like(number, chance)
        if other != number and not re.search(rf"(?<!\d){re.escape(other)}(?!\d)", given):
            return other
    return "97531"


def _number_like(number: str, chance: random.Random) -> str:
    if not number[0].isdigit():
        return chance.choice(_NUMBER_WORDS)
    if len(number) == 4 and number.isdigit():
        return str(int(number) + chance.choice([-30, -11, -4, -3, -2, -1, 1, 2, 3, 4, 11, 30]))
    place = chance.choice([each for each, character in enumerate(number) if character.isdigit()])
    return number[:place] + chance.choice("123456789") + number[place + 1 :]
