"""Chooses the sentences that answer a question, or finds that none does.

Two sums of measures decide (``measures``). ``standing`` is how likely a sentence belongs to the answer, ``evidence``
how likely the document of the best one holds an answer at all; both in log-odds, ``evidence`` less what is enough. Of
the best sentences an answer takes so many as promise the best F-measure against an answer of the usual length.

Where the weights come from: 4,806 questions of our own on passages of our own (``tests/grounding/data``), half of them
on what the passage on their very topic doesn't say. They are short (``tuning.jsonl``), need longer answers
(``long_answers.jsonl``), ask for details of articles (``articles.jsonl``), for what searches ask (``pages.jsonl``), or
things about tables, lists, letters and manuals (``everyday.jsonl``). Logistic regression fits the weights
(``tests/benchmarks/tune_answerer.py``, which tells how well they do on passages that they weren't fitted to); questions
of each kind of fact count as much with an answer as without, so that no kind is refused for its kind.

The default embedding model can't tell texts in other scripts than the Latin one apart; there words alone decide (on
questions of XQuAD in Chinese they separate answerable from unanswerable with an AUC of .96, embeddings with .79).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.grounding.candidates import Candidate, CandidateFinder, GivenPassage
from app.grounding.linear_model import answer_model, probability
from app.grounding.measures import evidence_measures, sentence_measures
from app.grounding.questions import AnswerKind
from app.grounding.reading import read
from app.retrieval.query_language import LATIN, query_script

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder

MOST_SENTENCES = 4
MOST_CANDIDATES = 20
WORTH_A_LOOK = -2.0
NO_EVIDENCE = -10.0
"""What stands for no sentence at all: less than any has."""

_ENOUGH_WORDS = 0.35
_WORDS_WORTH_A_LOOK = -0.3

_EXPLAINING_WORDS, _FACT_WORDS = 57, 30
"""How long people make answers: CLAPNQ's published mean to open questions; ours to questions for one fact."""

_SAME_ROW = 0.2
"""Rows of one table are alike; those further behind the best one say nothing of what is asked."""

_CERTAIN = 0.3
"""Where words alone decide, what stands further off than this has nothing in common with the question."""


@dataclass(frozen=True, slots=True)
class _Scored:
    candidate: Candidate
    standing: float

    @property
    def document(self) -> int | str:
        return self.candidate.passage.document


@dataclass(frozen=True, slots=True)
class Selection:
    """The sentences of an answer, in reading order, none where nothing answers; and the evidence there was.

    ``evidence`` is above 0 where it is enough. ``nearest`` is the best sentence, unless it is too far from the question
    to be worth a look.
    """

    sentences: tuple[Candidate, ...]
    evidence: float
    nearest: Candidate | None = None


def select_sentences(question: str, passages: Sequence[GivenPassage], embedder: Embedder) -> Selection:
    """Choose at most ``MOST_SENTENCES`` sentences. Passages come best first.

    Blocks while at most two texts for each of ``MOST_CANDIDATES`` and the question are embedded.
    """
    finder = CandidateFinder(question, passages)
    found = finder.candidates()
    named = {(each.passage.id, each.header) for each in found if each.header}
    headers = {(each.passage.id, each.text): each for each in found if (each.passage.id, each.text) in named}
    asked = [each for each in found if (each.passage.id, each.text) not in headers]
    if not asked:
        return Selection((), NO_EVIDENCE)
    if query_script(question) != LATIN:
        scored, evidence = _by_words(asked)
        return _selected(scored, evidence, _WORDS_WORTH_A_LOOK, lambda near: _close(near, _CERTAIN))
    scored, evidence = _by_meaning(question, promising(asked), finder.kind, embedder)
    words = _EXPLAINING_WORDS if finder.kind in (AnswerKind.OPEN, AnswerKind.REASON) else _FACT_WORDS
    return _selected(scored, evidence, WORTH_A_LOOK, lambda near: _answer(near, words, headers))


def _selected(
    scored: Sequence[_Scored],
    evidence: float,
    worth_a_look: float,
    choose: Callable[[Sequence[_Scored]], Sequence[Candidate]],
) -> Selection:
    """``choose`` is given the sentences of the best one's document, best first."""
    ranked = sorted(scored, key=lambda each: -each.standing)
    best = ranked[0].candidate
    if evidence < 0:
        return Selection((), evidence, best if evidence >= worth_a_look else None)
    chosen = choose([each for each in ranked if each.document == ranked[0].document])
    return Selection(tuple(sorted(chosen, key=lambda each: each.place)), evidence, best)


def _by_meaning(
    question: str, candidates: Sequence[Candidate], kind: AnswerKind, embedder: Embedder
) -> tuple[list[_Scored], float]:
    sentences = read(question, candidates, embedder)
    standing = answer_model("sentence").score
    standings = dict(zip(sentences, map(standing, sentence_measures(sentences)), strict=True))
    best = max(standings, key=standings.__getitem__)
    evidence = answer_model("evidence").score(evidence_measures(best, standings, kind))
    return [_Scored(each.candidate, value) for each, value in standings.items()], evidence


def _by_words(candidates: Sequence[Candidate]) -> tuple[list[_Scored], float]:
    evidence = max(each.in_sentence + each.in_passage for each in candidates) / _ENOUGH_WORDS - 1
    scored = [_Scored(each, 2 * each.in_sentence + 0.6 * each.in_passage + 0.05 * each.fits) for each in candidates]
    return scored, evidence


def promising(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Keep the candidates that are worth reading, by words and by rank of their passage."""
    if len(candidates) <= MOST_CANDIDATES:
        return list(candidates)
    ranked = sorted(
        candidates,
        key=lambda each: -(each.in_context + each.passage_similarity + 0.3 * each.fits + 0.5 / (1 + each.rank)),
    )
    return ranked[:MOST_CANDIDATES]


def _answer(near: Sequence[_Scored], words: int, headers: Mapping[tuple[str, str], Candidate]) -> Sequence[Candidate]:
    """So many of the best sentences as make the best answer; of a table the row, below what its columns mean."""
    best = near[0].candidate
    if best.is_row:
        rows = _close(near, _SAME_ROW)
        header = headers.get((best.passage.id, best.header))
        return rows if header is None else [header, *rows[: MOST_SENTENCES - 1]]
    counts = range(1, min(MOST_SENTENCES, len(near)) + 1)
    return [each.candidate for each in near[: max(counts, key=lambda count: _expected_f(near[:count], words))]]


def _expected_f(chosen: Sequence[_Scored], words: int) -> float:
    """The F-measure that an answer may expect against one of so many words, if standings are log-odds.

    The expected length that both share, twice, by the sum of their lengths (Lewis 1995,
    https://doi.org/10.1145/215206.215366, approximates the expectation likewise).
    """
    lengths = [len(each.candidate.text.split()) for each in chosen]
    shared = sum(length * probability(each.standing) for length, each in zip(lengths, chosen, strict=True))
    return 2 * shared / (sum(lengths) + words)


def _close(near: Sequence[_Scored], behind: float) -> list[Candidate]:
    """The sentences that stand no further behind the best."""
    return [each.candidate for each in near[:MOST_SENTENCES] if near[0].standing - each.standing <= behind]
