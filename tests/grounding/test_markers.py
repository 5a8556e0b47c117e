"""Footnote markers in a stream: every habit of models, any way of cutting, and no harm to ordinary text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.grounding.markers import MAX_HELD, WORD_JOINER, Marker, MarkerParser

KNOWN = ("p1", "p2", "p3")


def shown(parts: list[str], *, bare: tuple[int, ...] = ()) -> str:
    """Parse the parts of a stream; markers appear as «p1,p2» and the word joiner as ~."""
    parser = MarkerParser(KNOWN, bare)
    pieces = [piece for part in parts for piece in parser.feed(part)] + parser.finish()
    written = [f"«{','.join(piece.passage_ids)}»" if isinstance(piece, Marker) else piece for piece in pieces]
    return "".join(written).replace(WORD_JOINER, "~")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("So it is [p1].", "So it is «p1»."),
        ("So it is.[p1]", "So it is.«p1»"),
        ("So[p1]it is", "So«p1»it is"),
        ("A [p1][p2] b", "A «p1»«p2» b"),
        ("A [p1] [p2] b", "A «p1» «p2» b"),
        ("A [p1, p3] b", "A «p1,p3» b"),
        ("A [p1,p3] b", "A «p1,p3» b"),
        ("A [p1; p3] b", "A «p1,p3» b"),
        ("A [p1 p3] b", "A «p1,p3» b"),
        ("A [p1 and p3] b", "A «p1,p3» b"),
        ("A [p1/p3] b", "A «p1,p3» b"),
        ("A [p1-p3] b", "A «p1,p2,p3» b"),
        ("A [p1–3] b", "A «p1,p2,p3» b"),
        ("A [P2] b", "A «p2» b"),
        ("A [ p2 ] b", "A «p2» b"),
        ("A [p 2] b", "A «p2» b"),
        ("A 【p1】 b", "A «p1» b"),
        ("A 【p1†L3-L5】 b", "A «p1» b"),
        ("A ［p1］ b", "A «p1» b"),
        ("A [[p1]] b", "A «p1» b"),
        ("A [^p1] b", "A «p1» b"),
        ("A [#p1] b", "A «p1» b"),
        (r"A \[p1\] b", "A «p1» b"),
        ("A `[p1]` b", "A «p1» b"),
        ("A ``[p1]`` b", "A «p1» b"),
        ("A `[p1][p2]` b", "A «p1,p2» b"),
        ("A `p1` b", "A «p1» b"),
        ("A (p1) b", "A «p1» b"),
        ("A (p1, p2) b", "A «p1,p2» b"),
        ("A (see p1) b", "A «p1» b"),
        ("A [passage p1] b", "A «p1» b"),
        ("A [passage 2] b", "A «p2» b"),
        ("A [Source: p1] b", "A «p1» b"),
        ("A [source p1, source p2] b", "A «p1,p2» b"),
        ("A [p1, page 4] b", "A «p1» b"),
        ("A [p1, p. 4] b", "A «p1» b"),
        ("A [p1](#p1) b", "A «p1» b"),
        ("A [p1](https://example.org/x) b", "A «p1» b"),
        ("A [p1](so there) b", "A «p1»(so there) b"),
        ("A [p1: it grew] b", "A «p1» (it grew) b"),
        ("A **[p1]** b", "A **«p1»** b"),
        ("A [p1]: b", "A «p1»: b"),
        ("人口多[p1]。", "人口多«p1»。"),
    ],
)
def test_habits_of_models_are_understood(answer: str, expected: str) -> None:
    assert shown([answer]) == expected
    assert shown(list(answer)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "array[p] = x[i]",
        "call f(p1) and g_(p2)",
        "see (page 3) and (p. 3) and (p12)",
        "[see the annex] and [passage of time] and [p. 3]",
        "in code `array[p1]` or `[p1] + [x]`",
        "```python\nprint(a[p1])\n[p1]\n```\nafter",
        "~~~\n[p1]\n~~~",
        "a link [report](https://example.org)",
        "[ ] open, [x] done",
        "half a marker [p1",
        "half a marker [p",
        "a lonely ` and a [",
        "``` [x] ``` in a line",
        "\\alpha and \\[x^2\\]",
        "p1 without brackets",
        "(see also Fig. 3)",
        "",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert shown([text]) == text
    assert shown(list(text)) == text


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("So it is [p9].", "So it is."),
        ("So it is [p9] and on.", "So it is and on."),
        ("So it is[p9].", "So it is."),
        ("So it is. [p9]", "So it is."),
        ("So it is [p1, p9].", "So it is «p1»."),
        ("So it is 【p9】 [p2].", "So it is «p2»."),
        ("So it is [p9]x", "So it is x"),
    ],
)
def test_unknown_ids_are_dropped_and_leave_no_gap(answer: str, expected: str) -> None:
    assert shown([answer]) == expected
    assert shown(list(answer)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("A [p1][p1] b", "A «p1» b"),
        ("A [p1] [p1]. b", "A «p1». b"),
        ("A [p1][p2, p1] b", "A «p1»«p2» b"),
        ("A [p1] b [p1]", "A «p1» b «p1»"),
    ],
)
def test_a_marker_written_twice_in_a_row_counts_once(answer: str, expected: str) -> None:
    assert shown([answer]) == expected


def test_typewriter_quotation_marks_do_not_hide_a_marker() -> None:
    text = "`` It 's so '' , she said [p1] , `` or not '' [p2]"

    assert shown(list(text)) == "`` It 's so '' , she said «p1» , `` or not '' «p2»"


def test_bracketed_numbers_stay_but_cannot_be_taken_for_our_footnotes() -> None:
    assert shown(["see [12] and [1, 2]"]) == "see [~12] and [~1, 2]"
    assert shown(["`a[12]`"]) == "`a[12]`"


def test_bare_numbers_stand_for_passages_where_the_caller_says_so() -> None:
    assert shown(["A [1]. B [2][3]. C [7]."], bare=(1, 2, 3)) == "A «p1». B «p2»«p3». C [~7]."
    assert shown(["a[1] and [2](x) and [3]: y"], bare=(1, 2, 3)) == "a[~1] and [~2](x) and [~3]: y"


HARD = "[|]|p1|p9|[p1]|[p2|(p1)|【p3】|`|``|```|\n| |, |a|[1]|[^|\\[|\\]|(#p1)|:|†|see |source |x[p1]|.|~~~|[[p1]]|-|12"
FRAGMENTS = st.sampled_from([*HARD.split("|"), "\n```\n", "(", ")", "and "])


@given(st.lists(FRAGMENTS, max_size=14).map("".join), st.data())
def test_the_result_does_not_depend_on_how_the_stream_was_cut(answer: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=8)))
    parts = [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]

    whole = shown([answer], bare=(1,))

    assert shown(parts, bare=(1,)) == whole
    assert shown(list(answer), bare=(1,)) == whole


@given(st.text(alphabet="abc .,;:\n'\"!?-", max_size=80))
def test_plain_prose_passes_unchanged(text: str) -> None:
    assert shown(list(text)) == text


@given(st.lists(FRAGMENTS, max_size=80).map("".join) | st.text(max_size=400))
def test_little_is_held_back(answer: str) -> None:
    parser = MarkerParser(KNOWN)
    for end in range(len(answer)):
        parser.feed(answer[end])
        assert parser.held <= MAX_HELD
    parser.finish()
    assert parser.held == 0
