"""Whatever a model writes for a footnote, and however it arrives: never a wrong link, never a lost word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.passages import Passage
from app.grounding.footnotes import FootnoteWriter
from app.grounding.markers import GENERAL, MAX_HELD, WORD_JOINER, Marker, MarkerParser, Piece

KNOWN = ("p1", "p2", "p3")
BARE = (1, 2, 3)
HABITS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "marker_habits.jsonl").read_text(encoding="utf-8").splitlines()
]
FRAGMENTS = st.sampled_from(
    [
        *(row["written"] for row in HABITS),
        *"[]【】()（）{}［］`~\\^†:;,.…-–| \n123pPg«»'\"*_#<>",
        "[p1]", "[p9]", "[p1", "p2]", "【p3】", "```", "```\n", "``", "~~~\n", "[g]", "[general knowledge]",
        "[[p1]]", "[12]", "[cite_start]", "source", "passage ", "word", "Wörter", "終わり", "\r\n", "\u2060", "](#p1)",
    ]
)  # fmt: skip
ANSWERS = st.lists(FRAGMENTS, max_size=14).map("".join)


def parsed(parts: list[str], *, general: bool = False) -> list[Piece]:
    parser = MarkerParser(KNOWN, BARE, general=general)
    return [piece for part in parts for piece in parser.feed(part)] + parser.finish()


def shown(pieces: list[Piece]) -> str:
    written = [f"«{','.join(each.passage_ids)}»" if isinstance(each, Marker) else each for each in pieces]
    return "".join(written).replace(WORD_JOINER, "")


def test_there_are_at_least_forty_habits() -> None:
    assert len({row["habit"] for row in HABITS}) == len(HABITS) >= 40


@pytest.mark.parametrize("row", HABITS, ids=lambda row: row["habit"])
def test_a_habit_is_understood_wherever_the_stream_is_cut(row: dict[str, str]) -> None:
    written = row["written"]
    assert shown(parsed([written])) == row["shown"]
    assert shown(parsed(list(written))) == row["shown"]
    for cut in range(1, len(written)):
        assert shown(parsed([written[:cut], written[cut:]])) == row["shown"]


@settings(max_examples=300)
@given(answer=ANSWERS, data=st.data(), general=st.booleans())
def test_no_way_of_cutting_changes_the_result(answer: str, data: st.DataObject, *, general: bool) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=8)))
    parts = [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    assert shown(parsed(parts, general=general)) == shown(parsed([answer], general=general))


@settings(max_examples=300)
@given(answer=ANSWERS, general=st.booleans())
def test_only_passages_that_were_given_are_cited(answer: str, *, general: bool) -> None:
    for piece in parsed(list(answer), general=general):
        if isinstance(piece, Marker):
            assert set(piece.passage_ids) <= ({*KNOWN, GENERAL} if general else set(KNOWN))
            assert len(set(piece.passage_ids)) == len(piece.passage_ids)


@settings(max_examples=300)
@given(words=st.lists(st.from_regex(r"[a-zäöü]{4,9}", fullmatch=True), min_size=1, max_size=9), data=st.data())
def test_no_word_between_markers_is_lost(words: list[str], data: st.DataObject) -> None:
    words = [word for word in words if word not in {"source", "sources", "passage", "passages", "general"}]
    markers = [
        data.draw(
            st.sampled_from(["[p1]", "[p9]", " 【p2】", " (p3)", "[1]", " [p1, p9]", "[[p2]]", " {p1}", ".", ", "])
        )
        for _ in words
    ]
    answer = "".join(f"{word}{marker} " for word, marker in zip(words, markers, strict=True))
    text = "".join(each for each in parsed(list(answer)) if isinstance(each, str))
    assert re.findall(r"[a-zäöü]{4,}", text) == words


@settings(max_examples=200)
@given(answer=ANSWERS)
def test_without_brackets_around_letters_nothing_at_all_is_lost(answer: str) -> None:
    plain = re.sub(r"[\[\]【】［］〔〕(){}（）]", "", answer)
    assert "".join(each for each in parsed(list(plain)) if isinstance(each, str)) == plain or "`" in plain


@settings(max_examples=200)
@given(answer=ANSWERS)
def test_every_number_shown_is_a_footnote_with_an_exact_quote(answer: str) -> None:
    texts = {name: f"This is what {name} says about the word. It ends so." for name in KNOWN}
    passages = {
        name: Passage(n, n, Path(f"/{name}"), name, "hash", 10 * n, 10 * n + len(text), text, 1.0)
        for n, (name, text) in enumerate(texts.items(), start=1)
    }
    writer = FootnoteWriter(passages)
    parser = MarkerParser(KNOWN, BARE)
    for part in answer:
        writer.add(parser.feed(part))
    writer.add(parser.finish())
    sentences, citations = writer.finish()
    cited = {number for sentence in sentences for number in sentence.citations}
    assert cited == {each.number for each in citations} == set(range(1, len(citations) + 1))
    for each in citations:
        start = each.start - 10 * each.document_id
        assert each.quote == texts[f"p{each.document_id}"][start : start + len(each.quote)]


@settings(max_examples=200)
@given(answer=ANSWERS, general=st.booleans())
def test_little_waits_for_its_end(answer: str, *, general: bool) -> None:
    parser = MarkerParser(KNOWN, BARE, general=general)
    for character in answer:
        parser.feed(character)
        assert parser.held <= MAX_HELD
