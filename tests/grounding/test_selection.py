"""Which sentences an answer is made of: those that say what is asked, not those that repeat the topic."""

from __future__ import annotations

import pytest

from app.grounding.aspects import aspect
from app.grounding.candidates import GivenPassage
from app.grounding.selection import MOST_SENTENCES, select_sentences
from app.retrieval.embedder import Embedder

LOCKS = (
    "The Corinth canal is a canal that cuts the isthmus of Corinth. "
    "Ships up to seventeen metres wide may pass. "
    "Storks nest on its eastern bank."
)


@pytest.mark.parametrize(
    ("question", "context", "left"),
    [
        ("how wide is the corinth canal", "Corinth Canal", "how wide is the"),
        ("Why do lighthouses flash?", "Lighthouse", "Why do flash?"),
        ("what is a lighthouse", "Lighthouse", "what is a lighthouse"),
        ("how wide is the corinth canal", "", "how wide is the corinth canal"),
        ("how wide is the corinth canal", "scan 0012", "how wide is the corinth canal"),
        ("", "Lighthouse", ""),
    ],
)
def test_the_aspect_is_what_the_title_does_not_say(question: str, context: str, left: str) -> None:
    assert aspect(question, context) == left


def test_a_sentence_that_only_repeats_the_topic_is_not_the_answer(int8_embedder: Embedder) -> None:
    passage = GivenPassage("p1", LOCKS, "Corinth canal", similarity=0.6, document=1)

    found = select_sentences("how many metres wide may ships be on the corinth canal", [passage], int8_embedder)

    assert [each.text for each in found.sentences] == ["Ships up to seventeen metres wide may pass."]


def test_a_question_about_the_topic_alone_is_answered_by_the_sentence_about_it(int8_embedder: Embedder) -> None:
    passage = GivenPassage("p1", LOCKS, "Corinth canal", similarity=0.6, document=1)

    found = select_sentences("what is the corinth canal", [passage], int8_embedder)

    assert found.sentences[0].text.startswith("The Corinth canal is a canal")


def test_what_a_passage_on_the_very_topic_does_not_say_is_refused(int8_embedder: Embedder) -> None:
    passage = GivenPassage("p1", LOCKS, "Corinth canal", similarity=0.6, document=1)

    found = select_sentences("who paid for digging the corinth canal", [passage], int8_embedder)

    assert found.sentences == ()
    assert found.evidence < 0


def test_all_sentences_come_from_one_document(int8_embedder: Embedder) -> None:
    text = "The toll for yachts is paid in cash. The toll for ferries is paid by card."
    passages = [GivenPassage(f"p{each}", f"{text} Rule {each}.", "Tolls", 0.6, document=each) for each in (1, 2, 3)]

    found = select_sentences("how is the toll for yachts and ferries paid", passages, int8_embedder)

    assert 1 < len(found.sentences) <= MOST_SENTENCES
    assert len({each.passage.document for each in found.sentences}) == 1


def test_a_question_for_a_fact_gets_fewer_sentences_than_an_open_one(int8_embedder: Embedder) -> None:
    text = (
        "Yachts pay a toll of ninety euros for each passage through the canal, whatever their size or flag may be. "
        "The toll is paid in cash at the eastern gate before the bridge is lowered for the boat. "
        "Boats that wait longer than an hour at the gate get a tenth of the toll back from the canal office. "
        "The bridge keeper writes each payment into a book that lies open in his hut."
    )
    passage = GivenPassage("p1", text, "Tariff", similarity=0.6, document=1)

    fact = select_sentences("how much toll do yachts pay for the passage", [passage], int8_embedder)
    explained = select_sentences("explain how the toll for the passage is paid", [passage], int8_embedder)

    assert fact.sentences[0].text.startswith("Yachts pay a toll of ninety euros")
    assert 0 < len(fact.sentences) < len(explained.sentences) <= MOST_SENTENCES


def test_a_row_of_a_table_comes_with_its_header_and_without_the_others(int8_embedder: Embedder) -> None:
    table = (
        "Plot | Rent in euros | Deposit in euros\nGreenhouse bench | 140 | 60\nHalf plot | 78 | 60\nRaised bed | 22 | 9"
    )
    passage = GivenPassage("p1", table, "Plot prices", similarity=0.6, document=1)

    found = select_sentences("what is the rent in euros of a half plot", [passage], int8_embedder)

    assert [each.text for each in found.sentences] == [
        "Plot | Rent in euros | Deposit in euros",
        "Half plot | 78 | 60",
    ]


def test_a_row_of_two_short_cells_answers_too(int8_embedder: Embedder) -> None:
    table = "Plot | Rent in euros\nGreenhouse bench | 140\nHalf plot | 78\nRaised bed | 22"
    passage = GivenPassage("p1", table, "Plot prices", similarity=0.6, document=1)

    found = select_sentences("what is the rent in euros of a half plot", [passage], int8_embedder)

    assert [each.text for each in found.sentences] == ["Plot | Rent in euros", "Half plot | 78"]


@pytest.mark.parametrize("text", ["", "# Heading", "Why?"])
def test_without_a_sentence_the_evidence_is_a_number_below_any(text: str, int8_embedder: Embedder) -> None:
    found = select_sentences("what is the toll", [GivenPassage("p1", text)], int8_embedder)

    assert found.sentences == ()
    assert -100 < found.evidence < 0
