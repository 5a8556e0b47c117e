"""Numbers and names made comparable."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.grounding.support_names import KnownWords, names, unknown_words
from app.grounding.support_numbers import codes, numbers


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("eighty-two", "82"),
        ("forty six", "46"),
        ("one hundred and five", "105"),
        ("two and a half million", "2.5 million"),
        ("18,038", "18038"),
        ("18.038", "18038"),
        ("1\u202f200", "1200"),
        ("0,4", "0.4"),
        ("thirteenth", "13th"),
        ("the 1980s", "1980"),
        ("€48,500", "48500 euros"),
        ("two thousand", "2k"),
        ("zwölf", "12"),
        ("31.12.1999", "1999"),
    ],
)
def test_two_ways_to_say_a_number_are_equal(one: str, other: str) -> None:
    values = [frozenset(value for each in numbers(text) for value in each.values) for text in (one, other)]
    assert values[0] & values[1]


@pytest.mark.parametrize(("one", "other"), [("82", "92"), ("1.5 million", "1.5 billion"), ("2.5", "25"), ("15", "150")])
def test_different_numbers_differ(one: str, other: str) -> None:
    assert numbers(one)[0].values.isdisjoint(numbers(other)[0].values)


def test_a_range_shares_its_scale() -> None:
    first, second = numbers("between ten and twenty-five thousand animals")
    assert Fraction(10_000) in first.values
    assert second.values == {Fraction(25_000)}


def test_small_words_are_no_claim() -> None:
    assert [each.claimed for each in numbers("One of the first two")] == [False, False, True]


def test_codes_are_no_numbers() -> None:
    text = "Fault E15 on the A380 in the 1980s"
    assert codes(text) == ["e15", "a380"]
    assert [text[each.start : each.end] for each in numbers(text)] == ["1980s"]


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    for each in numbers(text):
        assert each.values
        assert 0 <= each.start < each.end <= len(text)
    for name in names(text):
        assert 0 <= name.start < name.end <= len(text)


@given(st.integers(0, 999_999_999))
def test_figures_with_and_without_separators_are_equal(value: int) -> None:
    assert not numbers(f"{value:,}")[0].values.isdisjoint(numbers(str(value))[0].values)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Egyptian", "a war in Egypt"),
        ("WHO", "the World Health Organization"),
        ("U.S.", "the United States"),
        ("Dec", "31 December"),
        ("Curie’s", "Marie Curie"),
        ("Emile", "Émile Nouguier"),
        ("Franco-Prussian", "the Franco-Prussian war"),
    ],
)
def test_a_name_is_known_in_its_other_forms(name: str, text: str) -> None:
    known = KnownWords()
    known.add(text)
    (found,) = names(f"it was {name} again")
    assert unknown_words(found, known) == []


@pytest.mark.parametrize(("name", "text"), [("Andes", "this and that"), ("Mars", "in March"), ("WHO", "health rules")])
def test_a_name_is_not_known_by_what_looks_like_it(name: str, text: str) -> None:
    known = KnownWords()
    known.add(text)
    (found,) = names(f"it was {name} again")
    assert unknown_words(found, known)


def test_german_nouns_are_no_names_but_full_names_are() -> None:
    found = names("Das Haus gehörte Marie Curie und einem Arzt.", nouns_are_capital=True)
    assert [each.words for each in found] == [("marie", "curie")]
