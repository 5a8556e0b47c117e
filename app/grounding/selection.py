"""Chooses the sentences that answer a question, or finds that none does.

Two sums of a few measures decide. ``standing`` ranks the sentences; ``evidence`` says how much speaks for there being
an answer at all, and has to reach ``ENOUGH``. The measures are the similarity of question and sentence, of question
and sentence with its context (a sentence like "It has no locks" says nothing without its title), of question and
passage, the shares of the question's words, and whether the sentence holds the kind of fact asked for. Weights and
limits were set on the passages and questions in ``tests/grounding/data``: there ``ENOUGH`` refuses six of seven
questions that the passages don't answer and lets five of six of the others through.

The default embedding model can't tell texts in other scripts than the Latin one apart; there words alone decide (on
questions of XQuAD in Chinese they separate answerable from unanswerable with an AUC of .96, embeddings with .79).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.grounding.candidates import Candidate, CandidateFinder, GivenPassage
from app.grounding.questions import AnswerKind
from app.retrieval.query_language import LATIN, query_script

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder

MOST_SENTENCES = 4
WORTH_A_LOOK = 0.8
MOST_CANDIDATES = 20
MOST_FINALISTS = 8
ENOUGH = 1.12
_ENOUGH_WORDS = 0.35
_CLOSE = 0.5
_CLOSE_FACT = 0.2
_CLOSE_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its two sums."""

    candidate: Candidate
    standing: float
    evidence: float


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
    if query_script(question) == LATIN:
        scored = score(question, _promising(finder.candidates()), embedder)
    else:
        scored = [_by_words(each) for each in finder.candidates()]
    if not scored:
        return Selection((), 0.0)
    evidence = max(each.evidence for each in scored)
    best = max(scored, key=lambda each: each.standing)
    if evidence < ENOUGH:
        return Selection((), evidence, best.candidate if evidence >= WORTH_A_LOOK else None)
    return Selection(_around(best, scored, finder.kind), evidence, best.candidate)


def score(question: str, candidates: Sequence[Candidate], embedder: Embedder) -> list[Scored]:
    """Score candidates: all of them with their context, then the best of these alone as well. The rest is left out."""
    if not candidates:
        return []
    vector = embedder.embed_query(question)
    in_context = (embedder.embed_passages([_with_context(each) for each in candidates]) @ vector).tolist()
    ranked = sorted(zip(candidates, in_context, strict=True), key=lambda pair: -_standing(pair[0], pair[1], pair[1]))
    finalists = ranked[:MOST_FINALISTS]
    alone = (embedder.embed_passages([_plain(each.text) for each, _ in finalists]) @ vector).tolist()
    return [_scored(each, similarity, within) for (each, within), similarity in zip(finalists, alone, strict=True)]


def _plain(text: str) -> str:
    return " ".join(text.split())


def _with_context(each: Candidate) -> str:
    return f"{each.context}. {_plain(each.text)}" if each.context else _plain(each.text)


def _scored(each: Candidate, alone: float, in_context: float) -> Scored:
    if each.replies:
        alone = max(alone, in_context)
    evidence = alone + 0.5 * in_context + 0.3 * each.passage_similarity + 0.3 * each.in_passage
    return Scored(each, _standing(each, alone, in_context), evidence)


def _standing(each: Candidate, alone: float, in_context: float) -> float:
    by_words = 0.1 * each.in_passage + 0.2 * each.in_context + 0.05 * each.fits - 0.15 * each.is_row
    return alone + in_context + 0.3 * each.passage_similarity + by_words


def _by_words(each: Candidate) -> Scored:
    """Score by words alone, on the scale of ``_scored``."""
    standing = 2 * each.in_sentence + 0.6 * each.in_passage + 0.05 * each.fits
    return Scored(each, standing, ENOUGH * (each.in_sentence + each.in_passage) / _ENOUGH_WORDS)


def _promising(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Keep the candidates that are worth embedding, by words and by rank of their passage."""
    if len(candidates) <= MOST_CANDIDATES:
        return list(candidates)
    ranked = sorted(
        candidates,
        key=lambda each: -(each.in_context + each.passage_similarity + 0.3 * each.fits + 0.5 / (1 + each.rank)),
    )
    return ranked[:MOST_CANDIDATES]


def _around(best: Scored, scored: Sequence[Scored], kind: AnswerKind) -> tuple[Candidate, ...]:
    """Take the best sentence and those of its document that come close to it; fewer where one fact is asked for."""
    margin = _CLOSE if kind is AnswerKind.OPEN else _CLOSE_FACT
    least = max(best.standing - margin, _CLOSE_SHARE * best.standing)
    document = best.candidate.passage.document
    near = [each for each in scored if each.candidate.passage.document == document and each.standing >= least]
    near.sort(key=lambda each: -each.standing)
    return tuple(sorted((each.candidate for each in near[:MOST_SENTENCES]), key=lambda each: each.place))
