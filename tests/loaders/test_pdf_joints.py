"""Characters of one line stay together and in order: powers, kerned formulas, numbers in right-to-left text."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.documents import PlacedSection
from app.loaders.pdf_geometry import boxes_for_span
from tests.loaders.conftest import Load
from tests.loaders.pdf_writer import Page, Run, write_pdf

# Letters of the content stream that mean Arabic ones; Helvetica's widths place them.
ARABIC = {
    "A": "\u0645",
    "B": "\u0646",
    "C": "\u0648",
    "E": "\u0628",
    "M": "\u064b",
    "F": "\u0627",
    "G": "\u0644",
    "L": "\u0644\u0627",
}


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


def test_a_percent_sign_left_of_a_number_in_right_to_left_text_comes_after_it(tmp_path: Path, load: Load) -> None:
    runs = [Run(200, 700, "AB"), Run(180, 700, "50"), Run(169, 700, "%"), Run(140, 700, "ABE")]
    assert "50%" in read(tmp_path, load, runs, arabic=True).section.text


def test_a_glyph_that_means_lam_and_alef_is_read_as_such(tmp_path: Path, load: Load) -> None:
    # One after the other from the right: meem, the ligature, noon; and further left an alef and a lam of their own.
    drawn = [(200, "A"), (193, "L"), (186, "B"), (170, "F"), (163, "G")]
    placed = read(tmp_path, load, [Run(x, 700, text) for x, text in drawn], arabic=True)
    assert placed.section.text == "\u0645\u0644\u0627\u0646 \u0627\u0644"
    assert left_of(placed, tmp_path / "page.pdf", "\u0644\u0627") == pytest.approx(193, abs=1)


def test_the_right_cell_of_a_right_to_left_row_comes_first(load: Load, test_data: Path) -> None:
    # A form in Persian: questions on the right, answers on the left.
    text = load(test_data / "formats" / "files" / "docling__right_to_left_03.pdf").text
    assert "\u062a\u0627\u0631\u064a\u062e \u067e\u0630\u064a\u0631\u0634 1403/10/04" in text
    assert "\u0646\u0627\u0645 \u0627\u0633\u062a\u0627\u0646\u062f\u0627\u0631\u062f \u0634\u0645\u0634\u0647" in text


def test_latin_words_in_a_wide_right_to_left_line_keep_their_order(tmp_path: Path, load: Load) -> None:
    runs = [Run(400, 700, "ABEABE"), Run(200, 700, "see"), Run(250, 700, "here"), Run(100, 700, "BAEBAEBAE")]
    assert "see here" in read(tmp_path, load, runs, arabic=True).section.text
