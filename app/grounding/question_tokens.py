"""The words of a question with their places and what they look like."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.grounding.follow_up_words import FollowUpWords

_WORD = re.compile(r"[^\W_]+(?:[.'’][^\W_]+)*")
_ENDING = re.compile(r"['’](?:s|re|ll|d|ve)\Z", re.IGNORECASE)
_ELISION = re.compile(r"\A(?:qu|jusqu|lorsqu|[cdjlmnst])['’](?=[^\W_]{2})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, ``text`` at ``[start, end)`` of the question. ``first`` says that it begins a sentence."""

    text: str
    start: int
    end: int
    first: bool = False

    @property
    def low(self) -> str:
        """The word in lower case."""
        return self.text.lower()

    @property
    def is_name(self) -> bool:
        """Whether it looks like a name: capitals or figures where none is needed."""
        if self.text[0].isdigit() or self.text == "I":
            return False
        return (self.text[0].isupper() and not self.first) or (
            len(self.text) > 1 and self.text[1:].lower() != self.text[1:]
        )

    def is_content(self, words: FollowUpWords) -> bool:
        """Whether it says what is asked about."""
        if self.is_name and self.low not in words.pronouns | words.possessives | words.auxiliaries | words.asking:
            return True
        return not any(self.low in each for each in _function_words(words))


def tokens_of(text: str) -> list[Token]:
    """Split into words; endings such as ``'s`` and elisions such as ``l'`` are left out."""
    found: list[Token] = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        if elision := _ELISION.match(match[0]):
            start += elision.end()
        if ending := _ENDING.search(text[start:end]):
            end = start + ending.start()
        before = text[:start].rstrip("\"'“‘«¿¡( ")
        found.append(Token(text[start:end], start, end, not before or before[-1] in ".!?:…"))
    return found


def _function_words(words: FollowUpWords) -> tuple[frozenset[str], ...]:
    return (
        words.pronouns,
        words.possessives,
        words.pointers,
        words.links,
        words.prepositions,
        words.determiners,
        words.asking,
        words.auxiliaries,
        words.fillers,
    )
