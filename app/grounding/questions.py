"""What a question asks for, as far as its first words tell, and whether a sentence holds something of that kind."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum

from app.grounding.terms import stem
from app.grounding.word_lists import NUMBER_WORDS
from app.retrieval.search_text import words


class AnswerKind(StrEnum):
    """The kind of fact that a question wants."""

    TIME = "time"
    NUMBER = "number"
    PERSON = "person"
    PLACE = "place"
    REASON = "reason"
    OPEN = "open"


_ASKS = (
    (AnswerKind.TIME, r"\bwhen\b|\b(?:what|which) (?:year|date|day|time|century|month)\b|\bdeadline\b|\bwann\b"),
    (
        AnswerKind.NUMBER,
        r"\bhow (?:many|much|long|far|old|tall|high|deep|fast|big|large|often|wide|heavy|hot|cold|loud)\b"
        r"|\b(?:what|which) (?:percent\w*|number|amount|price|temperature|age|size|length|height|distance)\b"
        r"|\bwie (?:viel|viele|lange|oft|hoch|alt|weit)\b",
    ),
    (AnswerKind.PERSON, r"\b(?:who|whom|whose|wer|wem|wen)\b"),
    (AnswerKind.PLACE, r"\bwhere\b|\b(?:what|which) (?:country|city|state|place|town|river|continent|county)\b|\bwo\b"),
    (AnswerKind.REASON, r"\bwhy\b|\bwhat (?:caused|causes|reason)\b|\b(?:warum|wieso|weshalb)\b"),
)
_ASKS_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _ASKS)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_TIME = re.compile(
    rf"\b(?:1\d{{3}}|20\d\d)\b|\b\d{{1,2}}(?:st|nd|rd|th)? century|\b{_MONTH}\b \d|\d {_MONTH}\b|\d:\d\d"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:spring|summer|autumn|winter|noon|midnight|o'clock|weekdays?)\b"
    r"|\d\s?(?:a\.?m|p\.?m|bc|ad|ce|bce)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-ZÀ-ÝА-Я][\w'’-]+")
_PLACE = re.compile(
    r"\b(?:in|at|from|near|of|to|on|through|between)\b (?:the )?(?:[a-z]+ )?([A-ZÀ-ÝА-Я][\w'’-]+)"
    r"|\b(?:in|at|on|under|behind|inside) the \w+"
)
_REASON = re.compile(
    r"\b(?:because|since|due|so that|as a result|therefore|caus\w+|leads?|reasons?|in order to|weil|wegen|denn)\b",
    re.IGNORECASE,
)


def answer_kind(question: str) -> AnswerKind:
    """Tell what kind of fact is asked for; ``OPEN`` where anything may be an answer."""
    asked = " ".join(words(question))
    return next((kind for kind, pattern in _ASKS_COMPILED if pattern.search(asked)), AnswerKind.OPEN)


def holds_kind(sentence: str, kind: AnswerKind, question_terms: Collection[str]) -> bool:
    """Tell whether a sentence holds a fact of that kind which isn't in the question already."""
    if kind is AnswerKind.TIME:
        return _TIME.search(sentence) is not None
    if kind is AnswerKind.NUMBER:
        return any(each.isdigit() for each in sentence) or not NUMBER_WORDS.isdisjoint(words(sentence))
    if kind is AnswerKind.PERSON:
        return any(stem(each[0].lower()) not in question_terms for each in _NAME.finditer(sentence))
    if kind is AnswerKind.PLACE:
        found = _PLACE.finditer(sentence)
        return any(each[1] is None or stem(each[1].lower()) not in question_terms for each in found)
    return kind is AnswerKind.REASON and _REASON.search(sentence) is not None
