"""Reasoning between think tags, however the pieces are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat_models.wire.think_tags import ThinkTagSplitter


def split(pieces: list[str]) -> tuple[str, str]:
    splitter = ThinkTagSplitter()
    found = [part for piece in pieces for part in splitter.feed(piece)] + splitter.finish()
    assert all(text for _, text in found)
    return "".join(text for thought, text in found if thought), "".join(text for thought, text in found if not thought)


CASES = [
    ("<think>\nhm\n</think>\n\nYes <think>x</think>", ("hm\n", "Yes <think>x</think>")),
    ("\n<think>hm</think>Yes", ("hm", "Yes")),
    ("Yes <think>no</think>", ("", "Yes <think>no</think>")),
    ("<thin", ("", "<thin")),
    ("<think>cut off </thi", ("cut off </thi", "")),
    ("<think></think>\n\n", ("", "")),
    ("<table>", ("", "<table>")),
    ("  plain", ("", "  plain")),
    ("", ("", "")),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_whole_and_by_character(text: str, expected: tuple[str, str]) -> None:
    assert split([text]) == expected
    assert split(list(text)) == expected


@given(st.sampled_from([text for text, _ in CASES]), st.lists(st.integers(0, 40), max_size=6))
def test_every_cut_gives_the_same(text: str, cuts: list[int]) -> None:
    bounds = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    assert split([text[a:b] for a, b in itertools.pairwise(bounds)]) == split([text])
