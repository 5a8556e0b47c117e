"""Passages of files that a question names come before equal ones of other files."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.domain.passages import Passage
from app.retrieval.diversity import spread_over_pages
from app.retrieval.named_files import NAME_BONUS, name_bonuses


def passage(name: str, score: float = 0.5) -> Passage:
    return Passage(1, 1, Path("/reports") / name, "", "", 0, 1, "a", score)


REPORTS = [passage(f"{name}.pdf") for name in ("AMAZON_2017_10K", "AMAZON_2019_10K", "BOEING_2018_10K", "notes")]


def gains(query: str, *passages: Passage) -> list[float]:
    return name_bonuses(query, passages or REPORTS)


def test_the_file_with_company_and_year_gains_most() -> None:
    wanted, other_year, other_company, other = gains("What were Amazon's inventories in FY2017?")
    assert wanted == NAME_BONUS
    assert wanted > other_year > other_company == other == 0


def test_a_word_that_all_names_share_tells_little() -> None:
    first, second, third = gains("report 2021 of Pfizer", *map(passage, ("report-a.md", "report-b.md", "pfizer.md")))
    assert first == second < third


def test_a_question_that_names_no_file_changes_nothing() -> None:
    assert gains("Who is the chief executive?") == [0, 0, 0, 0]


def test_within_one_file_its_name_decides_nothing() -> None:
    assert gains("Amazon 2017", REPORTS[0], REPORTS[0]) == [0, 0]


def test_no_passages_no_gains() -> None:
    assert name_bonuses("Amazon", []) == []


@given(st.text(), st.lists(st.text("ab1_-é ", min_size=1, max_size=12), max_size=5))
def test_gains_are_small_and_never_negative(query: str, names: list[str]) -> None:
    passages = [passage(f"{name}.txt") for name in names]
    assert all(0 <= gain <= NAME_BONUS + 1e-9 for gain in name_bonuses(query, passages))


def test_the_gain_orders_and_leaves_scores_alone() -> None:
    best, named = passage("b.pdf", 0.52), passage("a.pdf", 0.5)
    assert list(spread_over_pages([best, named], [0.0, NAME_BONUS])) == [named, best]
    assert named.score == 0.5
