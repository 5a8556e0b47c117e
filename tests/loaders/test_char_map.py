"""Character maps behave like the plain sequence of indexes they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.char_map import CharMap

INDEXES = st.lists(st.one_of(st.just(-1), st.integers(0, 40)), max_size=60)
# As loaders make them: mostly ascending, with gaps.
RUNS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 5)), max_size=12)


def spread(steps: list[tuple[int, int, int]]) -> tuple[list[int], list[tuple[int, int, int]]]:
    plain: list[int] = []
    runs = []
    index = 0
    for gap, jump, length in steps:
        plain += [-1] * gap
        index += jump
        runs.append((len(plain), index, length))
        plain += range(index, index + length)
        index += length
    return plain, runs


@given(INDEXES)
def test_it_equals_the_plain_sequence(indexes: list[int]) -> None:
    made = CharMap.from_indexes(indexes)

    assert list(made) == indexes
    assert len(made) == len(indexes)
    assert made == tuple(indexes)


@given(RUNS)
def test_runs_mean_the_same_as_their_indexes(steps: list[tuple[int, int, int]]) -> None:
    plain, runs = spread(steps)

    made = CharMap(len(plain), runs)

    assert made == CharMap.from_indexes(plain)
    assert hash(made) == hash(CharMap.from_indexes(plain))
    assert list(made) == plain


@given(INDEXES, st.slices(60))
def test_slices_are_those_of_the_plain_sequence(indexes: list[int], place: slice) -> None:
    assert CharMap.from_indexes(indexes)[place] == tuple(indexes[place])


@given(INDEXES)
def test_it_survives_storage(indexes: list[int]) -> None:
    made = CharMap.from_indexes(indexes)

    assert CharMap.from_bytes(made.to_bytes()) == made


def test_places_outside_raise_as_in_any_sequence() -> None:
    made = CharMap.from_indexes([4, 5, -1])

    assert (made[0], made[-1], made[-3]) == (4, -1, 4)
    for place in (3, -4):
        with pytest.raises(IndexError):
            made[place]


@pytest.mark.parametrize("data", [b"", b"\x01\x00\x00\x00\x02\x00\x00\x00", b"\x01\x00"])
def test_what_is_no_stored_map_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        CharMap.from_bytes(data)


def test_a_page_of_plain_text_takes_a_few_bytes() -> None:
    assert len(CharMap.from_indexes(range(3000)).to_bytes()) < 20
