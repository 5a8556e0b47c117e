"""A sentence of an answer finds the words of the passage that it rests on, at exact offsets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.grounding.alignment import PassageAligner
from app.grounding.sentences import split_sentences

PASSAGE = (
    "The harbour of Vessel Bay was opened in 1887. It was paid for by the fishing guild,\nwhich had saved "
    "for 12 years. A storm destroyed the northern pier in 1903. The pier was rebuilt in granite; the work cost "
    "40,000 crowns. Today the harbour serves ferries and small sailing boats."
)


def quoted(sentence: str, passage: str = PASSAGE) -> str:
    found = PassageAligner(passage).align(sentence)
    return passage[found.start : found.end]


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        pytest.param(
            "A storm destroyed the northern pier in 1903.",
            "A storm destroyed the northern pier in 1903.",
            id="verbatim",
        ),
        pytest.param(
            "It was paid for by the fishing guild, which had saved for 12 years.",
            "It was paid for by the fishing guild,\nwhich had saved for 12 years.",
            id="verbatim but for a line break",
        ),
        pytest.param("THE NORTHERN PIER", "the northern pier", id="verbatim but for case"),
        pytest.param("the work cost 40,000 crowns", "the work cost 40,000 crowns.", id="end of a sentence"),
        pytest.param(
            "In 1903 the northern pier fell victim to a storm.",
            "A storm destroyed the northern pier in 1903.",
            id="other words",
        ),
        pytest.param(
            "Ferries use it today, as do sailing boats.",
            "Today the harbour serves ferries and small sailing boats.",
            id="other order",
        ),
        pytest.param(
            "The guild saved twelve years and paid for it.",
            "It was paid for by the fishing guild,\nwhich had saved for 12 years.",
            id="half the words",
        ),
        pytest.param(
            "The northern pier, destroyed by a storm in 1903, was rebuilt in granite for 40,000 crowns.",
            "A storm destroyed the northern pier in 1903. "
            "The pier was rebuilt in granite; the work cost 40,000 crowns.",
            id="two sentences",
        ),
    ],
)
def test_the_quote_is_what_the_sentence_rests_on(sentence: str, quote: str) -> None:
    assert quoted(sentence) == quote


def test_a_sentence_with_nothing_in_common_gets_the_whole_passage_and_a_low_score() -> None:
    found = PassageAligner(PASSAGE).align("Penguins breed in Antarctica.")

    assert (found.start, found.end) == (0, len(PASSAGE))
    assert found.score < 0.15


def test_word_for_word_scores_highest() -> None:
    aligner = PassageAligner(PASSAGE)

    exact = aligner.align("The harbour of Vessel Bay was opened in 1887.")
    free = aligner.align("They opened Vessel Bay in 1887.")

    assert exact.score == 1.0
    assert 0.3 < free.score < 1.0


def test_other_scripts_align() -> None:
    passage = "东京是日本的首都。大阪以美食闻名。京都有许多寺庙。"

    assert quoted("大阪的美食很有名", passage) == "大阪以美食闻名。"


@given(st.text(alphabet="abcDE123 .!\n'“’-", max_size=200), st.text(alphabet="abcDE123 .\n'", max_size=40))
def test_spans_lie_within_the_passage(passage: str, sentence: str) -> None:
    found = PassageAligner(passage).align(sentence)

    assert 0 <= found.start <= found.end <= len(passage)
    assert 0.0 <= found.score <= 1.0


@given(st.text(alphabet="abcdefgh DEF 123 .!\nß\u00a0“’-", min_size=20, max_size=200), st.data())
def test_any_sentence_of_a_passage_is_found_word_for_word(passage: str, data: st.DataObject) -> None:
    spans = [each for each in split_sentences(passage) if each[1] - each[0] > 12]
    if not spans:
        return
    start, end = data.draw(st.sampled_from(spans))
    sentence = " ".join(passage[start:end].split())
    if not any(each.isalnum() for each in sentence):
        return

    found = PassageAligner(passage).align(sentence)

    assert found.score == 1.0
    assert "".join(passage[found.start : found.end].split()).strip(".!-") in "".join(passage.split())
