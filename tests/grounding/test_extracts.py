"""Summaries without a model: telling sentences from every stretch, word for word, each thing once."""

from __future__ import annotations

from app.grounding.extracts import FEWEST, MOST, extracts
from tests.grounding.conftest import WordEmbedder

PLACES = ["harbour", "pier", "ferry", "market", "chapel", "mill", "bridge", "cellar", "garden", "school", "tower"]


def test_sentences_come_from_every_stretch_in_reading_order(embedder: WordEmbedder) -> None:
    texts = [
        f"The {place} of Sabra was rebuilt in {1700 + number}. The {place} cost {number + 3} crowns in that year."
        for number, place in enumerate(PLACES)
    ]

    found = extracts(texts, embedder)

    assert FEWEST <= len(found) <= MOST
    assert [each.passage for each in found] == sorted(each.passage for each in found)
    assert found[-1].passage >= len(texts) * 2 // 3
    for each in found:
        assert " ".join(texts[each.passage][each.start : each.end].split()) == each.text


def test_what_is_no_sentence_of_its_own_is_left_out(embedder: WordEmbedder) -> None:
    texts = [
        "Annual report of the mill of Sabra and its owners\n\n"
        "Who would have thought that the mill could be saved at all? "
        "The mill of Sabra was saved by its monks in the year 1740.\n\n"
        "1.2 See the register of the mill, which lies in the town hall.\n\n"
        "and of the wheels that were brought from the harbour in carts."
    ]
    assert [each.text for each in extracts(texts, embedder)] == [
        "The mill of Sabra was saved by its monks in the year 1740."
    ]


def test_what_is_said_twice_counts_once(embedder: WordEmbedder) -> None:
    said = "The mill of Sabra was saved by its monks in the year 1740."
    texts = [said, "The ferry crosses the bay once every hour of the day.", said, said, said, said]
    assert [each.text for each in extracts(texts, embedder)].count(said) == 1


def test_no_text_gives_no_summary(embedder: WordEmbedder) -> None:
    assert extracts([], embedder) == []
    assert extracts(["Heading", "12 | 13 | 14"], embedder) == []
