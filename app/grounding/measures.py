"""What is measured of sentences that may answer a question, and of all there is for an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from app.grounding.linear_model import probability
from app.grounding.questions import AnswerKind
from app.grounding.reading import ReadSentence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NOTHING_BESIDE = 0.2
_NO_SECOND = -4.0
_BREADTH = 3
_FAR = 0.4


def sentence_measures(read: Sequence[ReadSentence]) -> list[dict[str, float]]:
    """Of each sentence how near it is to the question, and how near those beside it are.

    Where it stands and how long it is are left out on purpose: they tell how a writer of questions spreads answers.
    """
    documents: dict[int | str, list[ReadSentence]] = {}
    for each in sorted(read, key=lambda one: one.candidate.place):
        documents.setdefault(each.document, []).append(each)
    beside = {each: found for held in documents.values() for each, found in zip(held, _beside(held), strict=True)}
    return [_own(each) | beside[each] for each in read]


def _own(each: ReadSentence) -> dict[str, float]:
    candidate = each.candidate
    return _near(each) | {
        "in_context": each.in_context,
        "passage": candidate.passage_similarity,
        "shared_in_context": candidate.in_context,
        "shared_in_passage": candidate.in_passage,
        "fits": float(candidate.fits),
        "row": float(candidate.is_row),
        "named_row": float(candidate.named),
        "replies": float(candidate.replies),
        "asked_words": _mean(each.asked_words),
        "least_asked_word": _least(each.asked_words),
    }


def _near(each: ReadSentence) -> dict[str, float]:
    return {"alone": each.alone, "aspect": each.aspect, "words": _mean(each.words)}


def _beside(held: Sequence[ReadSentence]) -> list[dict[str, float]]:
    """Of the sentences of a document those before and after; at its ends what its sentences have on average."""
    near = [_near(each) for each in held]
    usual = {name: sum(each[name] for each in near) / len(near) for name in near[0]}
    around = [usual, *near, usual]
    return [
        {f"{side}_{name}": value for side, of in (("before", before), ("after", after)) for name, value in of.items()}
        for before, after in zip(around, around[2:], strict=False)
    ]


def evidence_measures(
    best: ReadSentence, standings: Mapping[ReadSentence, float], kind: AnswerKind
) -> dict[str, float]:
    """How much speaks for an answer in the document of ``best``. ``standings`` are the log-odds of all sentences."""
    near = [each for each in standings if each.document == best.document]
    return (
        _of_standings(best, near, standings)
        | _of_texts(best, near, [each for each in standings if each.document != best.document])
        | _of_words(best, near)
        | _of_kind(best, near, kind)
    )


def _of_standings(
    best: ReadSentence, near: Sequence[ReadSentence], standings: Mapping[ReadSentence, float]
) -> dict[str, float]:
    ranked = sorted((standings[each] for each in near), reverse=True)
    return {
        "best": standings[best],
        "second": ranked[1] if len(ranked) > 1 else _NO_SECOND,
        "sum": math.log(sum(map(probability, ranked))),
        "sum_of_all": math.log(sum(map(probability, standings.values()))),
    }


def _of_texts(best: ReadSentence, near: Sequence[ReadSentence], others: Sequence[ReadSentence]) -> dict[str, float]:
    alone = sorted((each.alone for each in near), reverse=True)[:_BREADTH]
    elsewhere = max((each.in_context for each in others), default=_NOTHING_BESIDE)
    return {
        "alone": best.alone,
        "in_context": best.in_context,
        "aspect": best.aspect,
        "most_alone": alone[0],
        "most_in_context": max(each.in_context for each in near),
        "most_aspect": max(each.aspect for each in near),
        "broad": sum(alone) / len(alone),
        "before_other_documents": best.in_context - elsewhere,
        "passage": best.candidate.passage_similarity,
        "named_row": float(best.candidate.named),
        "shared": best.candidate.in_sentence,
        "shared_in_context": best.candidate.in_context,
        "shared_in_passage": best.candidate.in_passage,
    }


def _of_words(best: ReadSentence, near: Sequence[ReadSentence]) -> dict[str, float]:
    """How near the document, its nearest sentence and the best one come to each word of the question."""
    import numpy as np

    every = np.array([each.words for each in near])
    document, asked = every.max(axis=0), every[:, best.asked]
    return {
        "document_words": _mean(document),
        "document_least_word": _least(document),
        "document_two_least": _mean(np.sort(document)[:2]),
        "document_asked": _mean(document[best.asked]),
        "document_least_asked": _least(document[best.asked]),
        "document_far_words": float((document < _FAR).sum()),
        "nearest_words": max(map(_mean, every)),
        "nearest_asked": max(map(_mean, asked)),
        "nearest_least_asked": max(map(_least, asked)),
        "best_words": _mean(best.words),
        "best_least_word": _least(best.words),
        "best_asked": _mean(best.asked_words),
        "best_least_asked": _least(best.asked_words),
        "asked_count": float(min(int(best.asked.sum()), 6)),
        "word_count": float(min(len(best.words), 8)),
    }


def _of_kind(best: ReadSentence, near: Sequence[ReadSentence], kind: AnswerKind) -> dict[str, float]:
    fact = kind is not AnswerKind.OPEN
    return {
        "lacks_kind": float(fact and not any(each.candidate.fits for each in near)),
        "best_lacks_kind": float(fact and not best.candidate.fits),
    }


def _mean(values: NDArray[np.float32]) -> float:
    return float(values.mean()) if values.size else 0.0


def _least(values: NDArray[np.float32]) -> float:
    return float(values.min()) if values.size else 0.0
