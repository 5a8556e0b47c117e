"""Splitting into sentences: exact offsets, and the cuts a reader would make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.grounding.sentences import split_sentences


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("One. Two! Three?", ["One.", "Two!", "Three?"], id="plain"),
        pytest.param("", [], id="empty"),
        pytest.param(" \n\t ", [], id="blank"),
        pytest.param("No mark at the end", ["No mark at the end"], id="no mark"),
        pytest.param("Dr. Ito met Mrs. Ruiz. They spoke.", ["Dr. Ito met Mrs. Ruiz.", "They spoke."], id="titles"),
        pytest.param("J. R. R. Tolkien wrote. He taught.", ["J. R. R. Tolkien wrote.", "He taught."], id="initials"),
        pytest.param("It costs 3.50 euros. Buy it.", ["It costs 3.50 euros.", "Buy it."], id="decimal"),
        pytest.param("See Fig. 3 and pp. 4–6. Then go.", ["See Fig. 3 and pp. 4–6.", "Then go."], id="before numbers"),
        pytest.param("Use salt, e.g. Sea salt. Stir.", ["Use salt, e.g. Sea salt.", "Stir."], id="e.g."),
        pytest.param(
            "He lived in the U.S. The law passed.", ["He lived in the U.S.", "The law passed."], id="U.S. last"
        ),
        pytest.param("The U.S. Senate voted. It passed.", ["The U.S. Senate voted.", "It passed."], id="U.S. within"),
        pytest.param("Acme Inc. grew. Fast.", ["Acme Inc. grew.", "Fast."], id="Inc. before lower case"),
        pytest.param("Pay Acme Inc. The rest waits.", ["Pay Acme Inc.", "The rest waits."], id="Inc. last"),
        pytest.param("Vitamin C. It helps.", ["Vitamin C.", "It helps."], id="single letter last"),
        pytest.param('"Really?" he asked. Yes.', ['"Really?" he asked.', "Yes."], id="question inside a quotation"),
        pytest.param('He said "Go." They went.', ['He said "Go."', "They went."], id="closing quotation mark"),
        pytest.param("(See the map.) Turn left.", ["(See the map.)", "Turn left."], id="closing bracket"),
        pytest.param("Well ... maybe. Wait… What?", ["Well ... maybe.", "Wait…", "What?"], id="ellipsis"),
        pytest.param("Sales of it rose. iPhone too.", ["Sales of it rose.", "iPhone too."], id="camel case starts"),
        pytest.param("Visit example.org/a.b now. Bye.", ["Visit example.org/a.b now.", "Bye."], id="address"),
        pytest.param("Version 2.0.1 is out. Get it.", ["Version 2.0.1 is out.", "Get it."], id="version"),
        pytest.param("Am 3. Oktober kam z.B. Ida. Gut.", ["Am 3. Oktober kam z.B. Ida.", "Gut."], id="German"),
        pytest.param("¿Dónde? ¡Aquí! Bien.", ["¿Dónde?", "¡Aquí!", "Bien."], id="Spanish"),
        pytest.param(
            "东京是首都。人口多！真的吗？他说。", ["东京是首都。", "人口多！", "真的吗？", "他说。"], id="Chinese"
        ),
        pytest.param("「はい。」彼は言った。", ["「はい。」", "彼は言った。"], id="Japanese quotation"),
        pytest.param("राम गया। वह सोया॥ ठीक", ["राम गया।", "वह सोया॥", "ठीक"], id="Hindi"),
        pytest.param("هل جاء؟ نعم.", ["هل جاء؟", "نعم."], id="Arabic"),
        pytest.param(
            "`` Go '' , she said . ` No . ''  Yes", ["`` Go '' , she said .", "` No . ''", "Yes"], id="tokenised"
        ),
    ],
)
def test_prose_is_cut_where_a_reader_would(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("# Heading\nBody text.", ["# Heading", "Body text."], id="markdown heading"),
        pytest.param("Summary\n\nBody text.", ["Summary", "Body text."], id="heading and blank line"),
        pytest.param(
            "Introduction\nThis line is much longer than the heading\nand goes on here.",
            ["Introduction", "This line is much longer than the heading\nand goes on here."],
            id="plain heading",
        ),
        pytest.param("- one\n- two. More", ["- one", "- two.", "More"], id="bullets"),
        pytest.param("1. First\n2. Second", ["1. First", "2. Second"], id="numbers"),
        pytest.param("(a) First\n(b) Second", ["(a) First", "(b) Second"], id="letters"),
        pytest.param("| a | b |\n| 1 | 2 |", ["| a | b |", "| 1 | 2 |"], id="table"),
        pytest.param("name\tage\nIda\t9", ["name\tage", "Ida\t9"], id="tab separated"),
        pytest.param("int a = 1;\nreturn a;", ["int a = 1;", "return a;"], id="code"),
        pytest.param(
            "A sentence that was wrapped by the page\nand a second half of it. Next.",
            ["A sentence that was wrapped by the page\nand a second half of it.", "Next."],
            id="wrapped line",
        ),
    ],
)
def test_lines_that_stand_alone_are_sentences(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is so [1]. Next.", ["It is so [1].", "Next."]),
        ("It is so.[1] Next.", ["It is so.[1]", "Next."]),
        ("It is so. [1][2] Next.", ["It is so. [1][2]", "Next."]),
        ("It is so. [1, 2]", ["It is so. [1, 2]"]),
    ],
)
def test_a_footnote_marker_stays_with_the_sentence_before_it(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


@given(st.text(alphabet=st.sampled_from("aB1 .!?。।\n\t|-#\"'[](),;…"), max_size=120) | st.text(max_size=120))
def test_spans_are_ordered_trimmed_and_lose_nothing(text: str) -> None:
    spans = split_sentences(text)

    covered = ""
    position = 0
    for start, end in spans:
        assert position <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        assert not text[position:start].strip()
        covered += text[start:end]
        position = end
    assert not text[position:].strip()
    assert "".join(covered.split()) == "".join(text.split())


def test_a_long_text_without_line_breaks_is_split_in_good_time() -> None:
    text = "The value of x.y is 3.5 today. " * 5_000

    assert len(split_sentences(text)) == 5_000
