"""Characters of one line stay together and in order: powers, kerned formulas, numbers in right-to-left text."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.documents import PlacedSection
from app.loaders.pdf_geometry import boxes_for_span
from tests.loaders.conftest import Load
from tests.loaders.pdf_writer import Page, Run, write_pdf

# Letters of the content stream that mean Arabic ones; Helvetica's widths place them.
ARABIC = {"A": "\u0645", "B": "\u0646", "C": "\u0648", "E": "\u0628", "M": "\u064b"}


def read(tmp_path: Path, load: Load, runs: list[Run], arabic: bool = False) -> PlacedSection:
    path = write_pdf(tmp_path / "page.pdf", [Page(runs)], to_unicode=ARABIC if arabic else None)
    return load(path).sections[0]


def left_of(placed: PlacedSection, path: Path, text: str) -> float:
    """Where ``text`` is drawn, in points from the left edge."""
    start = placed.section.text.index(text)
    assert placed.section.char_map is not None
    return boxes_for_span(path, 1, placed.section.char_map[start : start + len(text)])[0].left


@pytest.mark.parametrize(
    ("runs", "read_as"),
    [
        ([Run(72, 700, "x"), Run(78.2, 705, "2", 8), Run(86, 700, "+ 1")], "x2 + 1"),
        ([Run(72, 700, "CO"), Run(90.2, 697, "2", 8), Run(98, 700, "is a gas")], "CO2 is a gas"),
        ([Run(72, 706, "3", 7), Run(76.2, 700, "It is seen in spring.")], "3 It is seen in spring."),
        ([Run(72, 700, "one"), Run(72, 688, "two", 8)], "one\ntwo"),
    ],
)
def test_raised_and_lowered_signs_stay_on_their_line(tmp_path: Path, load: Load, runs: list[Run], read_as: str) -> None:
    placed = read(tmp_path, load, runs)
    assert placed.section.text == read_as


def test_spaces_between_words_stay(tmp_path: Path, load: Load) -> None:
    assert read(tmp_path, load, [Run(72, 680, "I"), Run(78.5, 680, "was king.")]).section.text == "I was king."


def test_kerned_letters_of_a_formula_stay_one_word(load: Load, test_data: Path) -> None:
    # TeX's italics for formulas have no space, by which PDFium could judge how wide one is.
    text = load(test_data / "formats" / "files" / "unstructured__fr_olap.pdf").text
    assert "{Soda} × {S2-08} × {France}" in text
    assert "F rance" not in text
    assert "P epsi" not in text


def test_a_latin_word_in_right_to_left_text_keeps_the_space_behind_it(tmp_path: Path, load: Load) -> None:
    # To the eye, from the left: ABE, Python, its space, C, AB: the reader comes from the right.
    runs = [Run(200, 700, "AB"), Run(190.5, 700, "C"), Run(150, 700, "Python "), Run(125.7, 700, "ABE")]
    placed = read(tmp_path, load, runs, arabic=True)
    assert "Python " in placed.section.text
    assert "\u0648Python" in placed.section.text.replace(" \u0648", "\u0648")
    assert left_of(placed, tmp_path / "page.pdf", "Python") == pytest.approx(150, abs=2)


def test_a_full_stop_left_of_a_number_in_right_to_left_text_comes_after_it(tmp_path: Path, load: Load) -> None:
    runs = [Run(203, 700, "ABE"), Run(176.6, 700, "2023"), Run(173, 700, ","), Run(146, 700, "EBA")]
    text = read(tmp_path, load, runs, arabic=True).section.text
    assert "2023," in text
    assert ",2023" not in text
