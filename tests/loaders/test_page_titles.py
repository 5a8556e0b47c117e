"""The title of a page stands over its text and goes with all of its chunks."""

from __future__ import annotations

import pytest

from app.loaders.page_titles import LONGEST_TITLE, page_title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            "NETFLIX, INC.\nCONSOLIDATED BALANCE SHEETS\n(in thousands)\n2015 2014",
            "NETFLIX, INC. CONSOLIDATED BALANCE SHEETS",
        ),
        (
            "\n  Note 5 – Earnings   Per Share \nBasic earnings per share are computed using the method of last year.",
            "Note 5 – Earnings Per Share",
        ),
        ("Überblick\n\nIm Jahr wuchs der Umsatz.", "Überblick"),
        ("第一章 绪论\n本文讨论。", "第一章 绪论"),
        ("and so the company did not pay dividends in that year.\nRISKS", ""),
        ("1,204 5,678 9,012\n3,456 7,890", ""),
        ("Year Ended December 31,\n2017 2016", ""),
        ("", ""),
    ],
)
def test_lines_like_a_title_at_the_top_of_a_page(text: str, title: str) -> None:
    assert page_title(text) == title


def test_a_title_is_never_long() -> None:
    assert (
        len(page_title("\n".join(["A heading that is rather long and goes on for quite a while indeed"] * 4)))
        <= LONGEST_TITLE
    )
