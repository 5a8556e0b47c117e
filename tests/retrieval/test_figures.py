"""Questions that ask for figures find passages that hold some."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.passages import Passage
from app.retrieval.figures import FIGURES_BONUS, MANY, asks_for_figures, figures_bonuses


def passage(text: str) -> Passage:
    return Passage(1, 1, Path("a.txt"), "", "", 0, len(text), text, 0.5)


@pytest.mark.parametrize(
    "query", ["How much did it cost?", "Net income of 2021", "what share is due, in %", "What is the quick ratio?"]
)
def test_these_ask_for_figures(query: str) -> None:
    assert asks_for_figures(query)


@pytest.mark.parametrize("query", ["Who wrote the report?", "Why does how we sleep matter?", "narration", ""])
def test_these_do_not(query: str) -> None:
    assert not asks_for_figures(query)


def test_a_table_gains_more_than_a_sentence_and_never_more_than_the_bonus() -> None:
    table, longer = passage("1,204 (3.5) " * (MANY // 2)), passage("7 " * 10 * MANY)
    sentence, words = passage("In 2021 sales rose by 4 %."), passage("Sales rose.")
    assert figures_bonuses([table, longer, sentence, words]) == [
        FIGURES_BONUS,
        FIGURES_BONUS,
        pytest.approx(FIGURES_BONUS * 2 / MANY),
        0,
    ]
