"""The answerer's measures and the weights that come with them."""

from __future__ import annotations

import math

import pytest

from app.grounding.candidates import CandidateFinder, GivenPassage
from app.grounding.linear_model import LinearModel, answer_model
from app.grounding.measures import evidence_measures, sentence_measures
from app.grounding.questions import AnswerKind
from app.grounding.reading import ReadSentence, read
from app.retrieval.embedder import Embedder

PASSAGES = [
    GivenPassage(
        "p1", "Otters sleep afloat on their backs. They wrap themselves in kelp. Pups are born white.", "Otter", 0.5, 1
    ),
    GivenPassage("p2", "The harbour closes at nine. Ferries leave every hour.", "", None, 2),
]


def reading(question: str, passages: list[GivenPassage], embedder: Embedder) -> list[ReadSentence]:
    return read(question, CandidateFinder(question, passages).candidates(), embedder)


def test_every_measure_has_its_weight_and_every_weight_its_measure(int8_embedder: Embedder) -> None:
    sentences = reading("how do otters sleep", PASSAGES, int8_embedder)
    measured = sentence_measures(sentences)
    standings = {each: answer_model("sentence").score(row) for each, row in zip(sentences, measured, strict=True)}
    evidence = evidence_measures(sentences[0], standings, AnswerKind.OPEN)

    assert set(measured[0]) == set(answer_model("sentence").weights)
    assert set(evidence) == set(answer_model("evidence").weights)
    assert all(math.isfinite(value) for row in [*measured, evidence] for value in row.values())


def test_a_measure_without_a_weight_is_an_error() -> None:
    with pytest.raises(KeyError):
        LinearModel({"alone": 1.0}, 0.5).score({"aspect": 1.0})
    assert LinearModel({"alone": 2.0}, 0.5).score({"alone": 1.0}) == pytest.approx(2.5)


def test_words_of_the_title_are_not_what_is_asked(int8_embedder: Embedder) -> None:
    [first, *_] = reading("how do otters sleep", PASSAGES, int8_embedder)

    assert first.words.shape == (2,)
    assert first.asked.tolist() == [False, True]
    assert first.asked_words[0] > 0.8  # "sleep" stands in the sentence


@pytest.mark.parametrize("question", ["?", "   ", "what is it", "how", "🦦", "der die das"])
def test_a_question_without_a_telling_word_is_read(question: str, int8_embedder: Embedder) -> None:
    sentences = reading(question, PASSAGES, int8_embedder)

    measured = sentence_measures(sentences)
    standings = dict.fromkeys(sentences, 0.0)
    evidence = evidence_measures(sentences[0], standings, AnswerKind.OPEN)
    assert all(math.isfinite(value) for row in [*measured, evidence] for value in row.values())


def test_a_row_is_named_by_all_words_of_its_first_cell() -> None:
    table = "Plot | Rent\nHalf plot | 78\nRaised bed | 22"

    found = CandidateFinder("what does a half plot cost", [GivenPassage("p1", table)]).candidates()

    assert [(each.text, each.named, each.header) for each in found] == [
        ("Plot | Rent", True, ""),
        ("Half plot | 78", True, "Plot | Rent"),
        ("Raised bed | 22", False, "Plot | Rent"),
    ]
