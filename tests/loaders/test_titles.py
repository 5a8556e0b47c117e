"""Which stated titles are worth showing."""

from __future__ import annotations

import pytest

from app.loaders.titles import sensible_title


@pytest.mark.parametrize(
    ("stated", "shown"),
    [
        ("Annual report 2022", "Annual report 2022"),
        ("  Annual\n report\x00 ", "Annual report"),
        ("Microsoft Word - Budget for spring.docx", "Budget for spring"),
        ("Über Größe", "Über Größe"),
        ("契約書", "契約書"),
        ("10-K", ""),
        ("0001018724-18-000005", ""),
        ("Microsoft Word - file1.doc", ""),
        ("report_v2_final.pdf", ""),
        ("Untitled", ""),
        ("untitled 3", ""),
        ("Document1", ""),
        ("PowerPoint Presentation", ""),
        ("Slide 1", ""),
        ("\ufffd\ufffd\ufffdreport", ""),
        ("", ""),
    ],
)
def test_placeholders_numbers_and_file_names_are_no_titles(stated: str, shown: str) -> None:
    assert sensible_title(stated) == shown


def test_long_titles_are_cut() -> None:
    assert len(sensible_title("word " * 100)) <= 200
