"""Footnotes: numbers by order of appearance, quotes at exact offsets of the document."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.domain.passages import Passage
from app.grounding.footnotes import FootnoteWriter
from app.grounding.markers import MarkerParser

DOCUMENT = (
    "Intro.\n\nThe harbour was opened in 1887. A storm destroyed the pier in 1903.\n\n"
    "The ferry runs every hour. A ticket costs four crowns."
)


def at(text: str, number: int) -> Passage:
    start = DOCUMENT.index(text)
    return Passage(number, 7, Path("/docs/bay.txt"), "Bay", "hash", start, start + len(text), text, 1.0, page=2)


PASSAGES = {
    "p1": at("The harbour was opened in 1887. A storm destroyed the pier in 1903.", 1),
    "p2": at("The ferry runs every hour. A ticket costs four crowns.", 2),
}


def write(answer: str) -> FootnoteWriter:
    parser, writer = MarkerParser(PASSAGES), FootnoteWriter(PASSAGES)
    for character in answer:
        writer.add(parser.feed(character))
    writer.add(parser.finish())
    return writer


def test_numbers_follow_the_order_of_appearance_and_quotes_are_exact() -> None:
    writer = write("Tickets cost four crowns [p2]. The harbour opened in 1887 [p1].")
    sentences, citations = writer.finish()

    assert writer.text == "Tickets cost four crowns [1]. The harbour opened in 1887 [2]."
    assert [(each.text, each.citations) for each in sentences] == [
        ("Tickets cost four crowns [1].", (1,)),
        ("The harbour opened in 1887 [2].", (2,)),
    ]
    assert [each.quote for each in citations] == ["A ticket costs four crowns.", "The harbour was opened in 1887."]
    assert all(DOCUMENT[each.start : each.end] == each.quote for each in citations)
    assert all((each.number, each.page) in {(1, 2), (2, 2)} for each in citations)


def test_two_places_of_one_passage_are_two_footnotes_and_the_same_place_is_one() -> None:
    writer = write("The harbour opened in 1887 [p1]. A storm destroyed the pier [p1]. It opened in 1887 [p1].")

    assert writer.text.count("[1]") == 2
    assert writer.text.count("[2]") == 1


def test_one_marker_may_name_several_passages() -> None:
    writer = write("The harbour of 1887 has an hourly ferry [p1, p2].")
    sentences, citations = writer.finish()

    assert sentences[0].citations == (1, 2)
    assert [each.quote for each in citations] == ["The harbour was opened in 1887.", "The ferry runs every hour."]


def test_a_marker_before_its_sentence_is_settled_with_the_whole_sentence() -> None:
    writer = write("[p1] says that a storm destroyed the pier.")

    assert writer.citations[0].quote == PASSAGES["p1"].text
    assert writer.finish()[1][0].quote == "A storm destroyed the pier in 1903."


def test_a_marker_after_the_full_stop_belongs_to_the_sentence_before_it() -> None:
    writer = write("The pier fell to a storm in 1903. [p1] Tickets cost four crowns. [p2]")
    sentences, citations = writer.finish()

    assert [each.citations for each in sentences] == [(1,), (2,)]
    assert [each.quote for each in citations] == ["A storm destroyed the pier in 1903.", "A ticket costs four crowns."]


def test_numbers_in_code_are_no_footnotes() -> None:
    writer = write("A storm destroyed it [p1]. Use `a[1]` here.")

    assert [each.citations for each in writer.finish()[0]] == [(1,), ()]


def test_nothing_written_gives_nothing() -> None:
    assert write("").finish() == ((), ())


@given(
    st.lists(
        st.sampled_from(["The ferry", " runs", "[p1]", "[p2]", ". ", "A ", "1887", "\n", "[p9]", "[1]"]), max_size=20
    )
)
def test_every_footnote_is_used_and_quotes_its_document(parts: list[str]) -> None:
    writer = write("".join(parts))
    sentences, citations = writer.finish()

    assert [each.number for each in citations] == list(range(1, len(citations) + 1))
    assert {number for each in sentences for number in each.citations} == {each.number for each in citations}
    assert all(DOCUMENT[each.start : each.end] == each.quote for each in citations)
    for sentence in sentences:
        assert writer.text[sentence.start : sentence.end] == sentence.text
        assert all(f"[{number}]" in sentence.text for number in sentence.citations)


def test_lines_of_code_claim_nothing() -> None:
    writer = write("The harbour opened in 1887 [p1].\n\n```python\nYEAR = 1887  # opened\n\nrun()\n```\nIt is old.")
    sentences, _ = writer.finish()
    claims = {sentence.text: claim.text for sentence, claim in zip(sentences, writer.claims(), strict=True)}
    assert claims["It is old."] == "It is old."
    assert {said for text, said in claims.items() if "YEAR" in text or "run" in text} == {""}
