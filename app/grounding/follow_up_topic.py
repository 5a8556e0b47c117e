"""What the turn before was about, as far as a follow-up needs it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.grounding.follow_up_references import Reference
from app.grounding.follow_up_words import ENGLISH, PARTICIPLES, FollowUpWords, word_set
from app.grounding.question_tokens import Token, tokens_of
from app.grounding.sentences import split_sentences

_YEAR = re.compile(r"\b(?:1\d{3}|20\d\d)\b")
_ACTING = word_set("did does do can could will would should may might must")
_WAS = word_set("was were is are has have had been")
_BEFORE_NOUNS = _ACTING | _WAS
_ASKERS = word_set("i we you one they people")
_SHORTEST_PLURAL = 3
_CHAINS = word_set("of for von der des du de del di della für в для")
_MONTHS = word_set(
    "january february march april may june july august september october november december monday tuesday wednesday"
    " thursday friday saturday sunday"
)


@dataclass(frozen=True, slots=True)
class Said:
    """A turn: its question, made standalone, and the beginning of its answer; empty where there was none."""

    question: str
    answer: str


def focus_of(said: Said, reference: Reference, words: FollowUpWords) -> str:
    """What a reference stands for: what the question before asked for, or what it was about."""
    tokens = tokens_of(said.question)
    named = _names(said.question, tokens, words)
    answered = [each for each in _answer_names(said.answer, words) if each.casefold() not in said.question.casefold()]
    if answered and (_asks_for_name(tokens, words) or (reference.person and not named)):
        return answered[0]
    if reference.several and words is ENGLISH:
        return _plural(tokens, words) or topic_of(said, words)
    phrases = _noun_phrases(said.question, tokens, words, whole=not reference.possessive)
    if named and (reference.person or not phrases or any(named[0] in each for each in phrases)):
        return next((each for each in phrases if named[0] in each and not reference.person), named[0])
    return next(iter([*phrases, *named]), "") or topic_of(said, words)


def subject_of(said: Said, words: FollowUpWords) -> str:
    """The thing that the question before was about: a name or what stands behind an article."""
    tokens = tokens_of(said.question)
    named = _names(said.question, tokens, words)
    phrases = _noun_phrases(said.question, tokens, words, whole=False)
    held = [each for each in phrases if named and named[0] in each]
    return next(iter([*held, *named[:1], *phrases]), "") or topic_of(said, words)


def topic_of(said: Said, words: FollowUpWords, *, with_answer: bool = False) -> str:
    """What the question before was about: from its first telling word to its last."""
    tokens = tokens_of(said.question)
    telling = [each for each in tokens if each.is_content(words)]
    topic = said.question[telling[0].start : telling[-1].end] if telling else ""
    if not with_answer:
        return topic
    names = [each for each in _answer_names(said.answer, words) if each.casefold() not in topic.casefold()]
    return " ".join([topic, *names[:2]]).strip()


def parallel_of(said: Said, news: str, words: FollowUpWords) -> str:
    """The question before with ``news`` in the place of what stands parallel to it; behind it where nothing does."""
    base = said.question.strip().rstrip("?!.… ").strip()
    tokens, new = tokens_of(base), tokens_of(news)
    if not new:
        return f"{base}?"
    place = _parallel(base, tokens, new, words)
    if place is None:
        joined = " " if new[0].low in words.prepositions else " – "
        return f"{base}{joined}{news}?"
    start, end = place
    return f"{base[:start]}{news}{base[end:]}?"


def _parallel(base: str, tokens: Sequence[Token], new: Sequence[Token], words: FollowUpWords) -> tuple[int, int] | None:
    first = new[0]
    year = _YEAR.search(base)
    if year and any(_YEAR.fullmatch(each.text) for each in new):
        start = _preposition_before(tokens, year.start(), words) if first.low in words.prepositions else year.start()
        return start, year.end()
    if first.low in words.prepositions:
        return _prepositional(tokens, first.low, words)
    if any(each.is_name or each.text[0].isupper() for each in new) and first.low not in words.determiners:
        runs = _name_runs(tokens, words)
        return (runs[0][0].start, runs[0][-1].end) if len(runs) == 1 else None
    if words is ENGLISH and first.low not in words.determiners:
        return _bare_noun(tokens, new)
    if first.low in words.determiners:
        places = [each for each in _phrase_runs(tokens, words) if each[0].low == first.low]
        return (places[-1][0].start, places[-1][-1].end) if places else None
    return None


def _bare_noun(tokens: Sequence[Token], new: Sequence[Token]) -> tuple[int, int] | None:
    """The one English noun without an article that a new one can stand for: of many things if that is of many."""
    runs = [run for run in (_noun_of(tokens, index) for index in range(1, len(tokens))) if run]
    several = _is_plural(new[-1])
    fitting = [run for run in runs if _is_plural(run[-1]) is several]
    return (fitting[0][0].start, fitting[0][-1].end) if len(fitting) == 1 else None


def _noun_of(tokens: Sequence[Token], start: int) -> Sequence[Token]:
    """The noun that begins at ``start``: behind an auxiliary, a preposition, or a verb of the one who asks."""
    before = tokens[start - 1].low
    asker = start > 1 and tokens[start - 2].low in _ASKERS
    if not tokens[start].is_content(ENGLISH) or not (
        before in _BEFORE_NOUNS or before in ENGLISH.prepositions or asker
    ):
        return ()
    end = _run_end(tokens, start, ENGLISH)
    for index in range(start, end):
        if _is_plural(tokens[index]):
            return tokens[start : index + 1]
    # Behind an auxiliary the verb comes last, unless there is the noun alone.
    return tokens[start : max(end - 1, start + 1)] if before in _ACTING else ()


def _is_plural(token: Token) -> bool:
    return re.search(r"[^sui]s\Z", token.low) is not None and len(token.low) > _SHORTEST_PLURAL


def _preposition_before(tokens: Sequence[Token], position: int, words: FollowUpWords) -> int:
    for token, following in pairwise(tokens):
        if following.start == position and token.low in words.prepositions:
            return token.start
    return position


def _prepositional(tokens: Sequence[Token], preposition: str, words: FollowUpWords) -> tuple[int, int] | None:
    """The last phrase that begins with the same preposition."""
    for index in reversed(range(len(tokens) - 1)):
        if tokens[index].low == preposition:
            end = index + 1
            while end + 1 < len(tokens) and (tokens[end + 1].is_content(words) or tokens[end].low in words.determiners):
                end += 1
            return tokens[index].start, tokens[end].end
    return None


def _asks_for_name(tokens: Sequence[Token], words: FollowUpWords) -> bool:
    """Whether a question asks who or which: then its answer is what comes next is about."""
    # "Which port does Quern use" asks for something of Quern, and goes on about Quern.
    acting = any(each.low in _ACTING for each in tokens[:4])
    return any(each.low in words.identity for each in tokens[:3]) and not acting


def _answer_names(answer: str, words: FollowUpWords) -> list[str]:
    """The names in the first two sentences of an answer."""
    names: list[str] = []
    for start, end in split_sentences(answer)[:2]:
        tokens = tokens_of(answer[start:end])
        runs = _name_runs(tokens, words, begins=True)
        # A single word at the beginning of a sentence may be any word: such names come last.
        runs.sort(key=lambda run: run[0].first and len(run) == 1)
        names += [answer[start:end][run[0].start : run[-1].end] for run in runs]
    return list(dict.fromkeys(names))


def _names(question: str, tokens: Sequence[Token], words: FollowUpWords) -> list[str]:
    """The names in a question; what belongs to one goes with it ("Nordwerk's revenue")."""
    found: list[str] = []
    for run in _name_runs(tokens, words):
        end = run[-1].end
        if re.match(r"['’]s ", question[end:]):
            behind = [each for each in tokens if each.start > end]
            end = behind[0].end if behind and behind[0].is_content(words) else end
        found.append(question[run[0].start : end])
    return found


def _plural(tokens: Sequence[Token], words: FollowUpWords) -> str:
    """The first English noun of many things."""
    return next((each.text for each in tokens if each.is_content(words) and _is_plural(each)), "")


def _name_runs(tokens: Sequence[Token], words: FollowUpWords, *, begins: bool = False) -> list[list[Token]]:
    """Neighbouring words that look like one name. With ``begins`` a sentence may begin with one."""
    runs: list[list[Token]] = []
    previous: Token | None = None
    for token in tokens:
        starts = begins and token.first and token.text[0].isupper()
        named = (token.is_name or starts) and token.is_content(words) and token.low not in _MONTHS
        if named and previous is not None and runs and runs[-1][-1] is previous and token.start == previous.end + 1:
            runs[-1].append(token)
        elif named:
            runs.append([token])
        previous = token
    return runs


def _noun_phrases(question: str, tokens: Sequence[Token], words: FollowUpWords, *, whole: bool) -> list[str]:
    """What stands behind articles, with what it belongs to, in order; with the articles where it is ``whole``."""
    runs = [_without_relation(each, words) for each in _phrase_runs(tokens, words, chained=True)]
    return [question[run[0 if whole else 1].start : run[-1].end] for run in runs]


def _without_relation(run: list[Token], words: FollowUpWords) -> list[Token]:
    """What something such as "the dose of" belongs to, where that is named: it is what a chat goes on about."""
    chain = next((index for index, each in enumerate(run) if each.low in _CHAINS and index), None)
    if chain is None or chain + 1 >= len(run) or not all(each.low in words.relations for each in run[1:chain]):
        return run
    tail = run[chain + 1 :]
    named = [index for index, each in enumerate(tail) if each.is_name]
    if not named:
        return run
    first = named[0]
    end = next((index for index in range(first, len(tail)) if not tail[index].is_name), len(tail))
    return tail[first - 1 if first else 0 : end] if first else [tail[0], *tail[:end]]


def _phrase_runs(tokens: Sequence[Token], words: FollowUpWords, *, chained: bool = False) -> list[list[Token]]:
    runs: list[list[Token]] = []
    index = 0
    while index < len(tokens) - 1:
        if tokens[index].low not in words.determiners or not tokens[index + 1].is_content(words):
            index += 1
            continue
        end = _run_end(tokens, index, words)
        while chained and end + 1 < len(tokens) and tokens[end].low in _CHAINS:
            behind = end + 1 if tokens[end + 1].low in words.determiners else end
            longer = _run_end(tokens, behind, words)
            if longer == behind + 1:
                break
            end = longer
        runs.append(_without_verb(tokens[:index], tokens[index:end], words))
        index = end
    return runs


def _run_end(tokens: Sequence[Token], start: int, words: FollowUpWords) -> int:
    """Where the telling words behind ``tokens[start]`` end."""
    end = start + 1
    while end < len(tokens) and tokens[end].is_content(words):
        end += 1
    return end


def _without_verb(before: Sequence[Token], run: Sequence[Token], words: FollowUpWords) -> list[Token]:
    """A noun phrase without the verb that stands behind it in a question."""
    kept = list(run)
    if words.capital_nouns:
        while len(kept) > 2 and not kept[-1].text[0].isupper():
            kept.pop()
        return kept
    if len(kept) < 3 or kept[-1].is_name:
        return kept
    auxiliary = before[-1].low if before else ""
    last = kept[-1].low
    if auxiliary in _ACTING or (auxiliary in _WAS and (last.endswith("ed") or last in PARTICIPLES)):
        kept.pop()
    return kept
