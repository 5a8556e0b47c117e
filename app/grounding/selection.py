"""Chooses the sentences that answer a question, or finds that none does.

Two sums of a few measures decide. ``standing`` ranks the sentences. ``evidence`` says how much speaks for the document
of the best sentence holding an answer at all, and has to reach ``ENOUGH``. The measures are cosines of question and
sentence, of question and sentence with its context (a sentence like "It has no locks" says nothing without its title),
of sentence and *aspect*, which is what the question asks about the document's topic (``aspects``), of question and
passage; the shares of the question's words; and whether the sentence holds the kind of fact asked for.

Where the numbers come from: questions of our own on passages of our own, 482 short ones (``tuning.jsonl``) and 284
that need longer answers or ask for what a passage on their very topic doesn't say (``long_answers.jsonl``, both in
``tests/grounding/data``). The weights of ``evidence`` are those of a logistic regression (ridge 1, long questions
weighted more, divided by the weight of the similarity in context, rounded); in ten-fold cross-validation over passages
the area under the curve is .96 on the short questions and .91 on the long ones (.92 and .88 for a sum without the
aspect). ``ENOUGH`` refuses 97% and 81% of the questions without an answer and lets 79% and 89% of the others through.
The aspect instead of the whole question in ``standing`` puts a sentence of the answer first for three quarters instead
of three fifths of the long questions.

The default embedding model can't tell texts in other scripts than the Latin one apart; there words alone decide (on
questions of XQuAD in Chinese they separate answerable from unanswerable with an AUC of .96, embeddings with .79).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.grounding.aspects import aspect
from app.grounding.candidates import Candidate, CandidateFinder, GivenPassage
from app.grounding.questions import AnswerKind
from app.retrieval.query_language import LATIN, query_script

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder

MOST_SENTENCES = 4
WORTH_A_LOOK = 0.8
MOST_CANDIDATES = 20
MOST_FINALISTS = 8
ENOUGH = 1.18
_ENOUGH_WORDS = 0.35
_NEXT = 0.1
_GAP = 3
_BREADTH = 3


@dataclass(frozen=True, slots=True)
class _Length:
    """How long an answer becomes: all sentences ``close`` to the best, others up to ``far`` until it has ``words``."""

    close: float
    far: float
    words: int


_EXPLAINING = _Length(close=0.3, far=0.7, words=50)
"""Answers that people write to open questions about a passage have some fifty words (57 is CLAPNQ's published mean)."""

_FACT = _Length(close=0.25, far=0.45, words=30)
_ROW = _Length(close=0.1, far=0.1, words=0)
"""Rows of one table are alike; those about other things say nothing of what is asked."""

_CERTAIN = _Length(close=0.3, far=0.3, words=0)
"""Where words alone decide, what stands further off than this has nothing in common with the question."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate, its standing, and its cosines with the question: alone, in its context, and with the aspect."""

    candidate: Candidate
    standing: float
    alone: float = 0.0
    in_context: float = 0.0
    aspect: float = 0.0

    @property
    def document(self) -> int | str:
        """The document it stands in."""
        return self.candidate.passage.document


@dataclass(frozen=True, slots=True)
class Selection:
    """The sentences of an answer, in reading order, none where nothing answers; and the best evidence there was.

    ``nearest`` is the best sentence, unless it is too far from the question to be worth a look.
    """

    sentences: tuple[Candidate, ...]
    evidence: float
    nearest: Candidate | None = None


def select_sentences(question: str, passages: Sequence[GivenPassage], embedder: Embedder) -> Selection:
    """Choose at most ``MOST_SENTENCES`` sentences. Passages come best first.

    Blocks while at most ``MOST_CANDIDATES + MOST_FINALISTS`` texts and the question are embedded.
    """
    finder = CandidateFinder(question, passages)
    found = finder.candidates()
    headers = _headers(found)
    by_meaning = query_script(question) == LATIN
    scored = score(question, _promising(found), embedder) if by_meaning else [_by_words(each) for each in found]
    answers = [each for each in scored if each.candidate is not headers.get(each.candidate.passage.id)]
    if not answers:
        return Selection((), 0.0)
    best = max(answers, key=lambda each: each.standing)
    near = [each for each in scored if each.document == best.document]
    evidence = _evidence(best, near) if by_meaning else max(map(_evidence_of_words, scored))
    if evidence < ENOUGH:
        return Selection((), evidence, best.candidate if evidence >= WORTH_A_LOOK else None)
    length = _length(best.candidate, finder.kind) if by_meaning else _CERTAIN
    header = headers.get(best.candidate.passage.id) if best.candidate.is_row else None
    return Selection(_around(best, near, length, header), evidence, best.candidate)


def score(question: str, candidates: Sequence[Candidate], embedder: Embedder) -> list[Scored]:
    """Score candidates: all of them with their context, then the best of these alone as well. The rest is left out."""
    if not candidates:
        return []
    vector = embedder.embed_query(question)
    in_context = (embedder.embed_passages([_with_context(each) for each in candidates]) @ vector).tolist()
    ranked = sorted(zip(candidates, in_context, strict=True), key=lambda pair: -_standing(pair[0], pair[1], pair[1]))
    finalists = ranked[:MOST_FINALISTS]
    sentences = embedder.embed_passages([_plain(each.text) for each, _ in finalists])
    asked = [aspect(question, each.passage.context) for each, _ in finalists]
    aspects = {each: vector if each == question else embedder.embed_query(each) for each in dict.fromkeys(asked)}
    return [
        _scored(each, float(sentence @ vector), within, float(sentence @ aspects[about]))
        for (each, within), sentence, about in zip(finalists, sentences, asked, strict=True)
    ]


def _plain(text: str) -> str:
    return " ".join(text.split())


def _with_context(each: Candidate) -> str:
    return f"{each.context}. {_plain(each.text)}" if each.context else _plain(each.text)


def _scored(each: Candidate, alone: float, in_context: float, about: float) -> Scored:
    if each.replies:
        alone, about = max(alone, in_context), max(about, in_context)
    return Scored(each, _standing(each, about, in_context), alone, in_context, about)


def _standing(each: Candidate, about: float, in_context: float) -> float:
    by_words = 0.1 * each.in_passage + 0.2 * each.in_context + 0.05 * each.fits - 0.15 * each.is_row
    return 1.2 * about + in_context + 0.3 * each.passage_similarity + by_words


def _evidence(best: Scored, near: Sequence[Scored]) -> float:
    """``near`` are the sentences of the best one's document: an answer seldom stands in a text about other things."""
    broad = sorted((each.alone for each in near), reverse=True)[:_BREADTH]
    about = max(each.aspect for each in near)
    return best.in_context + 0.3 * best.candidate.in_passage + 0.6 * about + 0.35 * sum(broad) / len(broad)


def _by_words(each: Candidate) -> Scored:
    return Scored(each, 2 * each.in_sentence + 0.6 * each.in_passage + 0.05 * each.fits)


def _evidence_of_words(each: Scored) -> float:
    """By words alone, on the scale of ``_evidence``."""
    return ENOUGH * (each.candidate.in_sentence + each.candidate.in_passage) / _ENOUGH_WORDS


def _promising(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Keep the candidates that are worth embedding, by words and by rank of their passage."""
    if len(candidates) <= MOST_CANDIDATES:
        return list(candidates)
    ranked = sorted(
        candidates,
        key=lambda each: -(each.in_context + each.passage_similarity + 0.3 * each.fits + 0.5 / (1 + each.rank)),
    )
    return ranked[:MOST_CANDIDATES]


def _length(best: Candidate, kind: AnswerKind) -> _Length:
    """Fewer sentences where one fact is asked for."""
    if best.is_row:
        return _ROW
    return _EXPLAINING if kind in (AnswerKind.OPEN, AnswerKind.REASON) else _FACT


def _around(best: Scored, near: Sequence[Scored], length: _Length, header: Candidate | None) -> tuple[Candidate, ...]:
    """Take the best sentence and those of its document that come close to it; above rows, what their columns mean.

    The sentence that follows the best one may be a little further off, as it often goes on with the answer.
    """
    chosen: list[Candidate] = []
    said = 0
    for each in sorted(near, key=lambda each: _distance(each, best))[:MOST_SENTENCES]:
        if _distance(each, best) > (length.far if said < length.words else length.close):
            break
        chosen.append(each.candidate)
        said += len(each.candidate.text.split())
    if header is not None and header not in chosen:
        chosen = [header, *chosen[: MOST_SENTENCES - 1]]
    return tuple(sorted(chosen, key=lambda each: each.place))


def _headers(candidates: Sequence[Candidate]) -> dict[str, Candidate]:
    """By passage, the row without figures above its other rows: it answers nothing, but says what they mean."""
    rows: dict[str, list[Candidate]] = {}
    for each in candidates:
        if each.is_row:
            rows.setdefault(each.passage.id, []).append(each)
    firsts = {name: min(found, key=lambda row: row.place) for name, found in rows.items() if len(found) > 1}
    return {name: first for name, first in firsts.items() if not any(map(str.isdigit, first.text))}


def _distance(each: Scored, best: Scored) -> float:
    """How far a sentence stands behind the best one, which is nearest to itself."""
    if each is best:
        return -math.inf
    behind = each.candidate.place - best.candidate.place - len(best.candidate.text)
    return best.standing - each.standing - (_NEXT if 0 <= behind <= _GAP else 0.0)
