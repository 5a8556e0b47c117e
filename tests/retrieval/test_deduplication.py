"""Text that says the same is shown once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.domain.passages import Passage
from app.retrieval.context_budget import joined, tokens_of, within_budget
from app.retrieval.deduplication import fold_duplicates

BASE = "The committee may end a membership after two written warnings, and the plot returns to the association."


def passage(chunk_id: int, text: str, *, document_id: int = 0, start: int = 0, tokens: int = 0) -> Passage:
    document = document_id or chunk_id
    return Passage(
        chunk_id=chunk_id,
        document_id=document,
        path=Path(f"/{document}.txt"),
        title=str(document),
        file_hash="",
        start=start,
        end=start + len(text),
        text=text,
        score=1 / chunk_id,
        token_count=tokens,
    )


def ids(passages: list[Passage]) -> list[int]:
    return [each.chunk_id for each in passages]


def never(one: Passage, other: Passage) -> bool:
    return False


def test_equal_and_nearly_equal_texts_are_one() -> None:
    found = [passage(1, BASE), passage(2, BASE), passage(3, BASE.upper() + "!"), passage(4, "Something else.")]
    assert ids(fold_duplicates(found, 10, never)) == [1, 4]


def test_a_small_edit_is_the_same_and_a_rewrite_is_not() -> None:
    long = " ".join(f"{BASE} Sentence about {word}." for word in ("water", "bees", "roses"))
    assert ids(fold_duplicates([passage(1, long), passage(2, long + " Really.")], 10, never)) == [1]
    assert len(fold_duplicates([passage(1, long), passage(2, long[: len(long) // 2])], 10, never)) == 2


def test_figures_make_a_difference() -> None:
    found = [passage(1, BASE + " Fee: 40 euro."), passage(2, BASE + " Fee: 45 euro.")]
    assert ids(fold_duplicates(found, 10, never)) == [1, 2]


def test_the_newer_file_takes_the_better_ones_place() -> None:
    found = [passage(1, BASE), passage(2, "Something else."), passage(3, BASE)]
    [first, second] = fold_duplicates(found, 10, lambda one, other: one.chunk_id > other.chunk_id)
    assert (first.chunk_id, first.score) == (3, found[0].score)
    assert second.chunk_id == 2


def test_repetition_inside_a_file_keeps_the_best_hit() -> None:
    found = [passage(1, BASE, document_id=7), passage(2, BASE, document_id=7)]
    assert ids(fold_duplicates(found, 10, lambda one, other: True)) == [1]


def test_folding_stops_when_there_are_enough() -> None:
    found = [passage(number, f"Text number {number} about topic {number}.") for number in range(1, 30)]
    assert ids(fold_duplicates(found, 5, never)) == [1, 2, 3, 4, 5]


@given(st.lists(st.integers(0, 120), max_size=12), st.integers(0, 300))
def test_a_budget_is_kept_and_used_from_the_top(sizes: list[int], budget: int) -> None:
    found = [passage(number, "x" * (4 * size), tokens=size) for number, size in enumerate(sizes, start=1)]
    chosen = within_budget(found, budget)
    assert sum(tokens_of(each) for each in chosen) <= budget
    assert ids(chosen) == sorted(ids(chosen))
    for skipped in found:
        if skipped not in chosen:
            better = sum(tokens_of(each) for each in chosen if each.chunk_id < skipped.chunk_id)
            assert better + tokens_of(skipped) > budget


def test_touching_passages_are_joined_in_place_of_the_best() -> None:
    text = "First part. \n\nSecond part. \n\nFar away and unrelated."
    first = passage(1, text[:11], document_id=5, tokens=3)
    second = replace(passage(2, text[14:26], document_id=5, start=14, tokens=3), page=2)
    far = passage(3, text[29:], document_id=5, start=40, tokens=4)
    other = passage(4, text[:11], document_id=6, tokens=3)
    [whole, apart, elsewhere] = joined([second, far, first, other], lambda _: text)
    assert (whole.chunk_id, whole.text, whole.start, whole.end) == (2, text[:26], 0, 26)
    assert (whole.page, whole.token_count) == (None, 6)
    assert (apart.chunk_id, elsewhere.chunk_id) == (3, 4)
    [same] = joined([whole, first], lambda _: text)
    assert same.token_count == 6


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60), st.data())
def test_two_texts_are_one_where_nine_in_ten_neighbouring_words_agree(words: list[str], data: st.DataObject) -> None:
    edited = list(words)
    for _ in range(data.draw(st.integers(0, 5))):
        edited[data.draw(st.integers(0, len(edited) - 1))] = data.draw(st.sampled_from("abxyz"))
    pairs, others = ({*pairwise(["", *each])} for each in (words, edited))
    alike = 10 * len(pairs & others) >= 9 * len(pairs | others)
    found = fold_duplicates([passage(1, " ".join(words)), passage(2, " ".join(edited))], 2, never)
    assert ids(found) == ([1] if alike else [1, 2])
