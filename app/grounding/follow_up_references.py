"""Finds the word by which a question refers to something that was said before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.grounding.follow_up_words import DUMMY_IT, DUMMY_THERE, FollowUpWords, word_set
from app.grounding.question_tokens import Token

_BEFORE_ONE = frozenset(
    {"which", "that", "this", "the", "other", "first", "second", "third", "last", "next", "cheaper"}
)
_HERE = word_set(
    "document file text pdf page library folder dokument datei seite fichier documento archivo year jahr année año"
)
_POLITE = word_set("Sie Ihr Ihre Ihren Ihrem Ihrer Ihres Ihnen")
_PERSONS = word_set("he she him his hers er ihn ihm lui él ella lei он она его её ей")
_SEVERAL = word_set("they them their those these ones")
_PLACES = word_set("there dort là y allí ahí lì там")


@dataclass(frozen=True, slots=True)
class Reference:
    """A word at ``[start, end)`` that stands for something. ``replaceable`` says that its name can take its place."""

    start: int
    end: int
    word: str
    replaceable: bool = True
    possessive: bool = False

    @property
    def several(self) -> bool:
        """Whether it stands for more than one."""
        return self.word in _SEVERAL

    @property
    def person(self) -> bool:
        """Whether it stands for somebody."""
        return self.word in _PERSONS


def reference_in(question: str, tokens: Sequence[Token], words: FollowUpWords) -> Reference | None:
    """The first word that refers to something outside of the question, if there is one."""
    for index, token in enumerate(tokens):
        found = _reference(question, tokens, index, words)
        if found is not None and not _answered_inside(tokens[:index], token, words):
            return found
    return None


def _reference(question: str, tokens: Sequence[Token], index: int, words: FollowUpWords) -> Reference | None:
    token = tokens[index]
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    before_content = following is not None and following.is_content(words)
    if token.text in _POLITE and not token.first:
        return None
    if token.low in words.pointers and token.low not in words.pronouns:
        return _pointer(question, tokens, index, words)
    if token.low in words.possessives or (token.low == "her" and before_content):
        english = token.low in ("its", "their", "his", "her")
        return Reference(token.start, token.end, token.low, english, possessive=True) if before_content else None
    if token.low not in words.pronouns or _is_dummy(question, tokens, index):
        return None
    alone = token.low in words.determiners  # French le, German das: an article before a noun
    if alone and before_content:
        return None
    inverted = question[: token.start].endswith("-")  # French mûrit-il
    return Reference(token.start, token.end, token.low, token.low not in _PLACES and not inverted)


def _pointer(question: str, tokens: Sequence[Token], index: int, words: FollowUpWords) -> Reference | None:
    """This, that, these: alone they stand for something; before a noun they say which."""
    token = tokens[index]
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    previous = tokens[index - 1] if index else None
    if following is not None and following.is_content(words):
        says_which = token.low not in words.determiners and following.low not in _HERE and not following.is_name
        relative = token.low == "that" and previous is not None and (previous.is_content(words) or previous.low == "is")
        return Reference(token.start, token.end, token.low, False) if says_which and not relative else None
    if previous is not None and previous.is_content(words) and following is not None:
        return None  # a relative pronoun
    if following is not None and following.low in words.determiners | words.pronouns | words.links:
        return None
    if token.low == "ce" and question[: token.start].endswith("-"):  # French est-ce
        return None
    return Reference(token.start, token.end, token.low)


def _is_dummy(question: str, tokens: Sequence[Token], index: int) -> bool:
    """Whether a pronoun stands for nothing: it is possible, es gibt, il y a."""
    token = tokens[index]
    previous = tokens[index - 1].low if index else ""
    following = tokens[index + 1].low if index + 1 < len(tokens) else ""
    if token.low == "it":
        return DUMMY_IT.search(question) is not None
    if token.low == "there":
        return DUMMY_THERE.search(question) is not None
    if token.low == "one":
        return previous not in _BEFORE_ONE
    if token.low == "es":
        return previous in ("gibt", "gab", "geht", "ist") or following == "möglich"
    if token.low in ("y", "il"):
        return following in ("y", "a", "faut") or previous in ("t", "y", "faut")
    return False


def _answered_inside(before: Sequence[Token], token: Token, words: FollowUpWords) -> bool:
    """Whether something named earlier in the question is what the word stands for.

    An object can't be the subject of its own clause, so there must be a new clause between the two.
    """
    named = [
        index
        for index, each in enumerate(before)
        if each.is_name or (each.is_content(words) and index and before[index - 1].low in words.determiners)
    ]
    if not named:
        return False
    if token.low in words.possessives or token.low == "her":
        return True
    rest = before[named[0] + 1 :]
    if token.low in words.pointers:
        return False
    return any(each.low in words.links or each.low in words.asking for each in rest)
