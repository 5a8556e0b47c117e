"""Makes a question that leans on the one before stand alone, without a model: what is missing is carried over.

Whether a question leans on something is told by its words: pronouns without anything before them to stand for, openers
such as "what about", fragments such as "in 2019?", and things that belong to something unnamed ("the exceptions"). What
it leans on is what the question before was about, or what its answer named. A question that shows none of these signs
comes back as it is, character for character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from app.domain.turns import StoredMessage
from app.grounding.follow_up_references import Reference, reference_in
from app.grounding.follow_up_topic import Said, focus_of, parallel_of, subject_of, topic_of
from app.grounding.follow_up_words import (
    BY_LANGUAGE,
    CJK_ASKING,
    CJK_OPENER,
    CJK_POINTING,
    ENGLISH,
    KINDS,
    PARTICIPLES,
    FollowUpWords,
)
from app.grounding.question_tokens import Token, tokens_of
from app.grounding.recent_turns import finished_turns, plain_answer
from app.retrieval.query_language import query_language
from app.retrieval.search_text import unspaced_share

_LOOKED_BACK = 6
_LONGEST_FRAGMENT = 3
_LONGEST_FOLLOW_UP = 24
_FEW_WORDS = 2
_MOSTLY = 0.4
_ANSWER_CHARACTERS = 300


def standalone_question(question: str, history: Sequence[StoredMessage]) -> str:
    """Return ``question`` so that it can be searched without the turns of ``history`` (oldest first)."""
    said: Said | None = None
    for asked, answer in finished_turns(history)[-_LOOKED_BACK:]:
        words = plain_answer(answer)[:_ANSWER_CHARACTERS] if answer.answered else ""
        said = Said(_rewritten(asked.text, said), words)
    return _rewritten(question, said)


def may_lean(question: str, history: Sequence[StoredMessage]) -> bool:
    """Tell whether a model should be asked to make the question stand alone: it does, or it is so short that it may."""
    turns = finished_turns(history)
    if not turns:
        return False
    if standalone_question(question, history) != question:
        return True
    asked = _Asked(question, words_for(question, turns[-1][0].text))
    names = any(each.is_name for each in asked.content)
    return len(asked.content) <= _FEW_WORDS and not names


def words_for(question: str, previous: str) -> FollowUpWords:
    """The word lists of the language of a question; of a short one the question before tells it."""
    known = query_language(question)
    if known not in BY_LANGUAGE or len(question.split()) <= _LONGEST_FRAGMENT:
        known = query_language(f"{previous} {question}")
    return BY_LANGUAGE.get(known or "en", ENGLISH)


def _rewritten(question: str, said: Said | None) -> str:
    if said is None or not question.strip():
        return question
    if unspaced_share(question) > _MOSTLY:
        return _without_spaces(question, said.question)
    asked = _Asked(question, words_for(question, said.question))
    if len(asked.tokens) > _LONGEST_FOLLOW_UP:
        return question
    if asked.is_more or asked.is_bare:
        of_something = bool(asked.content) and not asked.is_more
        topic = subject_of(said, asked.words) if of_something else topic_of(said, asked.words, with_answer=True)
        return _with_topic(question, topic)
    if (news := asked.news) is not None:
        return parallel_of(said, news, asked.words)
    reference = reference_in(question, asked.tokens, asked.words)
    if reference is None:
        return question
    return _resolved(question, reference, focus_of(said, reference, asked.words))


def _resolved(question: str, reference: Reference, focus: str) -> str:
    """The question with what it refers to in place of the pronoun, or behind it where it can't stand there."""
    if not focus or focus.casefold() in question.casefold():
        return question
    one_for_many = reference.several and len(focus.split()) > _LONGEST_FRAGMENT
    if not reference.replaceable or one_for_many:
        return _with_topic(question, focus)
    if reference.possessive:
        focus = f"{focus}'" if focus.endswith("s") else f"{focus}'s"
    return question[: reference.start] + focus + question[reference.end :]


def _with_topic(question: str, topic: str) -> str:
    bare = question.strip().rstrip("?!.… ").strip()
    return f"{bare}: {topic}?" if topic else question


@dataclass(frozen=True)
class _Asked:
    """A question by its words."""

    text: str
    words: FollowUpWords

    @cached_property
    def tokens(self) -> list[Token]:
        return tokens_of(self.text)

    @cached_property
    def content(self) -> list[Token]:
        """The words that say what is asked about."""
        return [each for each in self._after_link if each.is_content(self.words)]

    @cached_property
    def _after_link(self) -> list[Token]:
        first = self.tokens[0].low if self.tokens else ""
        linked = first in self.words.links and first not in self.words.asking and len(self.tokens) > 1
        return self.tokens[1:] if linked else self.tokens

    @property
    def _linked(self) -> bool:
        return self._after_link is not self.tokens

    @property
    def _complete(self) -> bool:
        """Whether it asks in a sentence of its own."""
        verbs = self.words.asking | self.words.auxiliaries
        return any(each.low in verbs for each in self._after_link)

    @property
    def is_more(self) -> bool:
        """Whether it only asks for more."""
        return self.words.more.fullmatch(self.text) is not None

    @property
    def is_bare(self) -> bool:
        """Whether it asks without saying about what."""
        if not self._complete or any(each.is_name for each in self.content) or self._has_reference:
            return False
        first = self._after_link[0].low
        if all(each.low in self.words.relations for each in self.content):
            return True  # holds too where no word is left
        if len(self.content) == 2 and self._names_a_kind:
            return True
        if len(self.content) > 1:
            return False
        only = self.content[0]
        follows_how = self._after_link.index(only) == 1 and self._after_link[0].low in ("how", "wie")
        participle = only.low.endswith("ed") or only.low in PARTICIPLES
        told = len(self._after_link) == 2 and first in self.words.asking and (follows_how or participle)
        what = first in ("what", "was", "que", "qué", "che", "что", "cosa")
        asks = any(each.low in self.words.asking for each in self._after_link[:2])
        dropped = self.words.drops_subjects and not what and asks and not self._determined
        return told or dropped or (self._linked and not self._determined)

    @property
    def _names_a_kind(self) -> bool:
        pairs = pairwise(self.tokens)
        return any(article.low == "the" and noun.low in KINDS for article, noun in pairs)

    @property
    def _determined(self) -> bool:
        return any(each.low in self.words.determiners for each in self._after_link)

    @property
    def _has_reference(self) -> bool:
        return reference_in(self.text, self.tokens, self.words) is not None

    @property
    def news(self) -> str | None:
        """What takes the place of something in the question before; None where the question is a whole one."""
        opener = self.words.openers.match(self.text)
        if opener:
            kept = _preposition_of(opener.group(), self.words)
            return f"{kept}{_bare(self.text[opener.end() :])}" or None
        if self._complete or not self._after_link or len(self.content) > _LONGEST_FRAGMENT:
            return None
        first = self._after_link[0]
        asks = self.text.rstrip().endswith("?")
        continues = first.low in self.words.prepositions or self._linked
        if continues or (asks and len(self.content) == 1) or (asks and first.low in self.words.determiners):
            return _bare(self.text[first.start :])
        return None


def _preposition_of(opener: str, words: FollowUpWords) -> str:
    """The preposition in which an opener such as "et pour" ends, as it belongs to what follows."""
    last = tokens_of(opener)[-1]
    joined = {"about", "of", "with", "mit", "de", "del", "du", "des", "di", "della", "dei", "con", "о", "об", "с", "со"}
    return f"{last.text} " if last.low in words.prepositions and last.low not in joined else ""


def _bare(text: str) -> str:
    return text.strip().strip("?!.…¿ ").strip()


def _without_spaces(question: str, previous: str) -> str:
    """The same for scripts without spaces between words, where only the signs can be looked for as they stand."""
    topic = re.sub(r"[\s?？。，、]+", " ", CJK_ASKING.sub("", previous)).strip()
    if not topic or topic in question:
        return question
    opener = CJK_OPENER.match(question.strip())
    if opener and not CJK_ASKING.search(opener["new"]):
        year = re.compile(r"\d{4}")
        new = opener["new"]
        swapped = year.sub(year.findall(new)[0], previous) if year.search(new) and year.search(previous) else ""
        return swapped or f"{new} {topic}"
    pointing = CJK_POINTING.search(question)
    if pointing is None or pointing.start() > len(question) // 2:
        return question
    return question[: pointing.start()] + topic + " " + question[pointing.end() :]
