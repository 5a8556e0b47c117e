"""Rectangles of spans: the text under them is the span, however the page is turned, cropped or set."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.domain.char_map import CharMap
from app.domain.documents import Box
from app.domain.errors import DocumentError, FailureReason
from app.loaders import pdfium
from app.loaders.pdf_geometry import boxes_for_span
from tests.loaders.pdf_oracle import text_under
from tests.loaders.pdf_writer import Page, Rectangle, Run, write_pdf

LINES = ["The quick brown fox jumps over the lazy", "dog while seven wizards boldly quote", "four pages from a judge."]


def paragraph(x: float, y: float, lines: Sequence[str], leading: float = 14) -> list[Run]:
    return [Run(x, y - leading * number, line) for number, line in enumerate(lines)]


def read_page(path: Path, page: int = 1) -> tuple[str, CharMap]:
    with pdfium.opened_document(path) as document, pdfium.opened_page(document, page - 1) as (_, text_page):
        return pdfium.page_text(text_page)


def boxes_of(path: Path, quote: str, page: int = 1) -> tuple[Box, ...]:
    """The boxes of ``quote``, whose white space may stand for any white space of the page."""
    text, char_map = read_page(path, page)
    found = re.search(r"\s+".join(map(re.escape, quote.split())), text)
    assert found, f"{quote!r} is not in {text!r}"
    return boxes_for_span(path, page, char_map[found.start() : found.end()])


def squeezed(text: str) -> str:
    return "".join(text.split())


def upright(rotation: int, media_box: Rectangle, x: float, y: float, lines: Sequence[str]) -> list[Run]:
    """Lines that read normally once the page is turned; ``x`` and ``y`` from the top left corner as displayed."""
    left, bottom, right, top = media_box
    runs = []
    for number, line in enumerate(lines):
        down = y + 14 * number
        place = {
            0: (left + x, top - down),
            90: (left + down, bottom + x),
            180: (right - x, bottom + down),
            270: (right - down, top - x),
        }[rotation]
        runs.append(Run(*place, line, angle=rotation))
    return runs


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop_box", [None, (20, 230, 540, 860)], ids=["whole", "cropped"])
@pytest.mark.parametrize("media_box", [(0, 0, 612, 892), (-50, 100, 562, 992)], ids=["from origin", "shifted"])
def test_text_under_the_boxes_is_the_quote(
    tmp_path: Path,
    rotation: int,
    crop_box: tuple[float, float, float, float] | None,
    media_box: tuple[float, float, float, float],
) -> None:
    page = Page(upright(rotation, media_box, 300, 250, LINES), media_box, crop_box, rotation)
    path = write_pdf(tmp_path / "turned.pdf", [page])
    quote = "lazy dog while seven wizards boldly quote four"

    boxes = boxes_of(path, quote)

    assert text_under(path, 1, boxes) == squeezed(quote)
    assert len(boxes) == 3
    assert all(box.right - box.left > box.bottom - box.top for box in boxes), "each lies along its line"
    assert boxes[0].bottom <= boxes[1].top
    assert boxes[1].bottom <= boxes[2].top


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_text_that_lies_on_its_side_is_marked_along_its_lines(tmp_path: Path, rotation: int) -> None:
    path = write_pdf(tmp_path / "sideways.pdf", [Page(paragraph(72, 700, LINES), rotation=rotation)])

    boxes = boxes_of(path, "while seven wizards")

    assert text_under(path, 1, boxes) == "whilesevenwizards"
    assert len(boxes) == 1


@pytest.mark.parametrize("angle", [30, 45, 200])
def test_slanted_text_is_marked_glyph_by_glyph(tmp_path: Path, angle: int) -> None:
    path = write_pdf(tmp_path / "slanted.pdf", [Page([Run(300, 400, "draft", 40, angle)])])

    boxes = boxes_of(path, "draft")

    assert len(boxes) == 5


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_stand_where_the_page_shows_the_text(tmp_path: Path, rotation: int) -> None:
    # One word near the top left corner of the unrotated, cropped page: 10 points from its left, 20 from its top.
    crop = (100.0, 200.0, 400.0, 700.0)
    path = write_pdf(tmp_path / "corner.pdf", [Page([Run(110, 680, "Htop")], crop_box=crop, rotation=rotation)])
    width, height = 300, 500

    (box,) = boxes_of(path, "Htop")

    inked = (10 + 0.9, 20 - 8.6, 10 + 24.9, 20 + 2.6)  # Helvetica 12: H starts .9 in, is 8.6 high; p reaches 2.5 down
    left, top, right, bottom = inked
    expected = {
        0: (left, top, right, bottom),
        90: (height - bottom, left, height - top, right),
        180: (width - right, height - bottom, width - left, height - top),
        270: (top, width - right, bottom, width - left),
    }[rotation]
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx(expected, abs=1.0)


def test_two_columns_are_marked_column_by_column(tmp_path: Path) -> None:
    left = paragraph(72, 700, ["Left column begins here", "and ends with apples"])
    right = paragraph(330, 700, ["pears open the right one", "and plums close it"])
    path = write_pdf(tmp_path / "columns.pdf", [Page([*left, *right])])
    quote = "ends with apples pears open the right"

    boxes = boxes_of(path, quote)

    assert text_under(path, 1, boxes) == squeezed(quote)
    assert len(boxes) == 2
    assert boxes[0].right < 300 < boxes[1].left
    assert boxes[1].top < boxes[0].top, "the second column starts higher"


def test_cells_far_apart_on_a_line_get_a_box_each(tmp_path: Path) -> None:
    row = [Run(72, 700, "Revenue"), Run(300, 700, "1,234"), Run(450, 700, "5,678")]
    path = write_pdf(tmp_path / "row.pdf", [Page(row)])

    boxes = boxes_of(path, "Revenue 1,234 5,678")

    assert len(boxes) == 3
    assert text_under(path, 1, boxes) == "Revenue1,2345,678"


def test_words_and_superscripts_share_the_box_of_their_line(tmp_path: Path) -> None:
    runs = [Run(72, 700, "Energy is mc"), Run(139, 705, "2", 7), Run(146, 700, "they say, 'always'.")]
    path = write_pdf(tmp_path / "superscript.pdf", [Page(runs)])

    assert len(boxes_of(path, "Energy is mc2 they say, 'always'.")) == 1


@pytest.mark.parametrize(
    ("shown", "mapping", "quote"),
    [
        ("see A here", {"A": "\U0001f600"}, "\U0001f600"),
        ("see A here", {"A": "\U0001f600"}, "here"),
        ("oAce work", {"A": "ffi"}, "office"),
        ("oAce work", {"A": "ffi"}, "work"),
        ("aBc dB work", {"B": "\U00020000\U00020001"}, "work"),
    ],
    ids=["emoji", "after an emoji", "ligature", "after a ligature", "after two ideographs of one glyph"],
)
def test_glyphs_that_mean_several_units_keep_their_place(
    tmp_path: Path, shown: str, mapping: dict[str, str], quote: str
) -> None:
    path = write_pdf(tmp_path / "meaning.pdf", [Page([Run(72, 700, shown)])], to_unicode=mapping)

    assert text_under(path, 1, boxes_of(path, quote)) == quote


def test_part_of_a_ligature_is_marked_by_its_whole_glyph(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "ligature.pdf", [Page([Run(72, 700, "oAce")])], to_unicode={"A": "ffi"})

    assert text_under(path, 1, boxes_of(path, "ff")) == "ffi"


def test_glyphs_without_meaning_do_not_shift_what_follows(tmp_path: Path) -> None:
    runs = [Run(72, 700, "one A two"), Run(72, 686, "three A four")]
    path = write_pdf(tmp_path / "unknown.pdf", [Page(runs)], to_unicode={"A": "\x00"})

    assert text_under(path, 1, boxes_of(path, "four")) == "four"


def test_word_divided_at_a_line_end_has_a_box_on_each_line(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "divided.pdf", [Page(paragraph(72, 700, ["we met an ele-", "phant today"]))])
    text, _ = read_page(path)

    boxes = boxes_of(path, "ele- phant")

    assert "ele-\nphant" in text
    assert len(boxes) == 2
    assert text_under(path, 1, boxes) == "ele-phant"


def test_soft_hyphens_vanish_inside_a_line_and_show_at_its_end(tmp_path: Path) -> None:
    # The glyph of "~" means a soft hyphen.
    runs = paragraph(72, 700, ["inter~national co~", "operation"])
    path = write_pdf(tmp_path / "soft.pdf", [Page(runs)], to_unicode={"~": "\u00ad"})
    text, char_map = read_page(path)

    assert text == "international co-\noperation"
    assert len(char_map) == len(text)
    assert text_under(path, 1, boxes_of(path, "co- operation")).replace("\u00ad", "-") == "co-operation"


def test_a_sign_without_a_meaning_parts_words(tmp_path: Path) -> None:
    runs = paragraph(72, 700, ["forgery~proof ledgers", "~first of all"])
    path = write_pdf(tmp_path / "sign.pdf", [Page(runs)], to_unicode={"~": "\x10"})
    text, char_map = read_page(path)

    assert text == "forgery proof ledgers\nfirst of all"
    assert len(char_map) == len(text)
    assert text_under(path, 1, boxes_of(path, "proof")) == "proof"


@pytest.mark.parametrize("rotation", [0, 90])
def test_what_a_form_is_filled_with_is_text_that_has_a_place(tmp_path: Path, rotation: int) -> None:
    page = Page([Run(72, 700, "Name:")], rotation=rotation, field=Run(200, 500, "Ada Lovelace"))
    path = write_pdf(tmp_path / "form.pdf", [page])
    text, _ = read_page(path)

    (box,) = boxes_of(path, "Ada Lovelace")

    assert "Name:" in text
    expected = (200, 792 - 509) if rotation == 0 else (500, 200)
    assert (box.left, box.top) == pytest.approx(expected, abs=4)


def test_text_outside_the_crop_box_has_no_box(tmp_path: Path) -> None:
    page = Page([Run(72, 700, "inside"), Run(72, 30, "printer's mark")], crop_box=(50, 100, 500, 750))
    path = write_pdf(tmp_path / "marks.pdf", [page])

    assert boxes_of(path, "printer's mark") == ()
    assert len(boxes_of(path, "inside")) == 1


def test_spans_without_glyphs_have_no_boxes(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "one.pdf", [Page([Run(72, 700, "word")])])

    assert boxes_for_span(path, 1, (-1, -1)) == ()
    assert boxes_for_span(path, 1, ()) == ()
    assert boxes_for_span(path, 1, (5000,)) == ()


def test_missing_file_and_missing_page_are_told(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "one.pdf", [Page([Run(72, 700, "word")])])

    for wrong, page in ((tmp_path / "gone.pdf", 1), (path, 7)):
        with pytest.raises(DocumentError) as caught:
            boxes_for_span(wrong, page, (0,))
        assert caught.value.reason is FailureReason.DAMAGED


def test_boxes_can_be_asked_for_from_several_threads(tmp_path: Path) -> None:
    pages = [Page(paragraph(72, 700, [f"page {number} says", *LINES])) for number in range(1, 9)]
    path = write_pdf(tmp_path / "many.pdf", pages)
    _, char_map = read_page(path)
    spans = [(1 + number % 8, tuple(char_map)[: 20 + number]) for number in range(48)]
    alone = [boxes_for_span(path, page, span) for page, span in spans]

    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(lambda each: boxes_for_span(path, *each), spans))

    assert together == alone


@pytest.mark.parametrize(
    "name", ["NETFLIX_2015_10K.pdf", "BOEING_2018_10K.pdf", "FOOTLOCKER_2022_8K_dated_2022-08-19.pdf"]
)
def test_filings_have_the_quote_under_its_boxes(test_data: Path, name: str) -> None:
    path = test_data / "retrieval" / "financebench" / "pdfs" / name
    pick = random.Random(name)
    checked = 0
    for page in pick.sample(range(1, 31), 12):
        text, char_map = read_page(path, page)
        sentences = list(re.finditer(r"[A-Z][^.]{30,300}\.", text))
        for found in pick.sample(sentences, min(3, len(sentences))):
            boxes = boxes_for_span(path, page, char_map[found.start() : found.end()])
            assert text_under(path, page, boxes) == squeezed(found.group()), (page, found.group())
            checked += 1
    assert checked >= 20
