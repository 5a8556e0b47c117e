"""Checks every sentence of an answer against the passages it was given.

Three questions decide, from hard to soft. Does a name, number or code of the sentence stand nowhere in the passages, or
not where the rest of the sentence stands? Is what stands there said of somebody else? And do the words and the meaning
of the sentence stand there at all? Words are compared with the best span of up to three neighbouring sentences (the
lexical alignment, weighted by rarity), meaning by the cosine of embeddings. Below a floor in both nothing counts as
supported, however well it ranks among the passages.

Limits were set on ``tests/grounding/data/support.jsonl``: sentences written for the tuning passages, and altered ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain.citations import AnswerSentence, Support
from app.domain.errors import UserFacingError
from app.domain.passages import Passage
from app.domain.turn_options import Strictness
from app.grounding.footnotes import Claim
from app.grounding.support_claims import is_claim, plain
from app.grounding.support_evidence import Evidence, Match, evidence_of
from app.grounding.support_facts import Finding, altered_facts, is_swapped

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder

WORDS_ENOUGH = 0.72
"""Share of a sentence's words, by weight, from which it is supported whatever its vector says."""

FLOOR_WORDS = 0.30
FLOOR_MEANING = 0.35
"""Below both nothing is supported, not even in part."""

ENOUGH = 0.98
PARTLY = 0.72
"""Limits of words + meaning."""

UNRELATED = "No passage says this."
ELSEWHERE = "The passage that is cited does not say this; another one does."
INCOMPLETE = "The passages say only a part of this."
SWAPPED = "The passage says this of somebody or something else."
FROM_KNOWLEDGE = "From general knowledge; your documents do not say it."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the passages say to a sentence."""

    support: Support
    reason: str = ""


class SupportChecker:
    """Gives sentences their support. Without an embedder words alone decide. Thread-safe.

    ``open_embedder`` may load the model; it is called only where words leave a doubt.
    """

    def __init__(self, open_embedder: Callable[[], Embedder] | None = None) -> None:
        self._open_embedder = open_embedder

    def check(
        self,
        question: str,
        sentences: Sequence[AnswerSentence],
        claims: Sequence[Claim],
        passages: Mapping[str, Passage],
        strictness: Strictness = Strictness.STRICT,
    ) -> tuple[AnswerSentence, ...]:
        """``sentences`` with their support; ``claims`` are what they say, in the same order. Blocks."""
        verdicts = self.verdicts(question, claims, passages, strictness)
        return tuple(
            replace(sentence, support=verdict.support, reason=verdict.reason)
            for sentence, verdict in zip(sentences, verdicts, strict=True)
        )

    def verdicts(
        self,
        question: str,
        claims: Sequence[Claim],
        passages: Mapping[str, Passage],
        strictness: Strictness = Strictness.STRICT,
    ) -> list[Verdict]:
        """What the passages (by id) say to each claim. What claims nothing stays unchecked."""
        evidence = evidence_of(question, passages)
        found = [
            self._lexical(plain(each.text), each.passage_ids, evidence)
            if each.general or is_claim(each.text, cites=bool(each.passage_ids))
            else None
            for each in claims
        ]
        meanings = self._meanings(found)
        return [
            _verdict(claim, match, meanings.get(index), evidence, strictness) if match else Verdict(Support.UNCHECKED)
            for index, (claim, match) in enumerate(zip(claims, found, strict=True))
        ]

    @staticmethod
    def _lexical(sentence: str, passage_ids: Sequence[str], evidence: Evidence) -> Match:
        """The best place among the cited passages, or anywhere if that is clearly better."""
        anywhere = evidence.match(sentence)
        cited = evidence.match(sentence, passage_ids) if passage_ids else anywhere
        return replace(cited, better=anywhere) if anywhere.words > cited.words + 0.1 else cited

    def _meanings(self, found: Sequence[Match | None]) -> dict[int, float]:
        """The best cosine of a sentence and its spans, for the sentences that words leave in doubt."""
        doubtful = [(index, match) for index, match in enumerate(found) if match and match.words < WORDS_ENOUGH]
        if not doubtful or self._open_embedder is None:
            return {}
        texts = [text for _, match in doubtful for text in (match.sentence, *match.spans())]
        try:
            vectors = self._open_embedder().embed_passages(texts)
        except UserFacingError:  # the search model is not there: words alone decide
            return {}
        meanings: dict[int, float] = {}
        row = 0
        for index, match in doubtful:
            count = len(match.spans())
            best = vectors[row + 1 : row + 1 + count] @ vectors[row] if count else [0.0]
            meanings[index] = float(max(best))
            row += 1 + count
        return meanings


def _verdict(claim: Claim, match: Match, meaning: float | None, evidence: Evidence, strictness: Strictness) -> Verdict:
    verdict = _judged(match, meaning, evidence)
    if verdict.support is Support.SUPPORTED and match.better is not None and match.words < WORDS_ENOUGH:
        verdict = Verdict(Support.PARTLY, ELSEWHERE) if match.better.words >= WORDS_ENOUGH else verdict
    own_knowledge = claim.general or (strictness is Strictness.OPEN and not claim.passage_ids)
    if own_knowledge and verdict.support is not Support.SUPPORTED:
        return Verdict(Support.GENERAL, FROM_KNOWLEDGE)
    return verdict


def _judged(match: Match, meaning: float | None, evidence: Evidence) -> Verdict:
    place = match.better if match.better is not None and match.words < FLOOR_WORDS else match
    if place.words >= 1.0 and place.exact:
        return Verdict(Support.SUPPORTED)
    cosine = 0.0 if meaning is None else meaning
    if place.words < FLOOR_WORDS and cosine < FLOOR_MEANING:
        return Verdict(Support.UNSUPPORTED, UNRELATED)
    finding: Finding | None = altered_facts(place, evidence)
    if finding is not None:
        return Verdict(Support.PARTLY, finding.reason)
    if is_swapped(place):
        return Verdict(Support.PARTLY, SWAPPED)
    if place.words >= WORDS_ENOUGH or place.words + cosine >= ENOUGH:
        return Verdict(Support.SUPPORTED)
    # Without a model of meaning, words decide by half of the same limits.
    if place.words + cosine >= PARTLY or (meaning is None and place.words >= PARTLY / 2):
        return Verdict(Support.PARTLY, INCOMPLETE)
    return Verdict(Support.UNSUPPORTED, UNRELATED)
