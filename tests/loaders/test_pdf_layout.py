"""Reading order: columns, sidebars, tables, turned pages; every character keeps its glyph."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.domain.documents import PlacedSection
from app.loaders.pdf_geometry import boxes_for_span
from tests.loaders.conftest import Load
from tests.loaders.pdf_oracle import text_under
from tests.loaders.pdf_writer import Page, Run, write_pdf

LEFT = [
    "The harbour was quiet when we",
    "came in, and nobody stood on the",
    "quay to take the lines that were",
    "thrown across the water by hand,",
    "so we waited until the morning",
    "and drank what tea was left us.",
]
RIGHT = [
    "At dawn a boy of twelve or so",
    "climbed over the rail without a",
    "word and made us fast with knots",
    "that none of the crew had ever",
    "seen before, and then he smiled",
    "as if he had known us for years.",
]
THIRD = [
    "His mother kept the only shop in",
    "town, where flour and lamp oil",
    "were sold from the same shelf,",
    "and letters lay in a wooden box",
    "until somebody asked for them,",
    "which could take half the year.",
]


def column(x: float, lines: Sequence[str], size: float = 9, top: float = 700) -> list[Run]:
    return [Run(x, top - 14 * number, line, size) for number, line in enumerate(lines)]


def by_rows(*columns: list[Run]) -> list[Run]:
    """The same text as some makers draw it: line by line across all columns."""
    return [run for row in zip(*columns, strict=True) for run in row]


def read(tmp_path: Path, load: Load, *pages: Page) -> list[str]:
    document = load(write_pdf(tmp_path / "page.pdf", pages))
    return [" ".join(placed.section.text.split()) for placed in document.sections]


def prose(*columns: Sequence[str]) -> str:
    return " ".join(line for lines in columns for line in lines)


@pytest.mark.parametrize("shuffled", [False, True])
def test_two_columns_drawn_line_by_line_are_read_one_after_the_other(
    tmp_path: Path, load: Load, shuffled: bool
) -> None:
    runs = by_rows(column(72, LEFT), column(320, RIGHT))
    if shuffled:
        random.Random(5).shuffle(runs)
    assert read(tmp_path, load, Page(runs)) == [prose(LEFT, RIGHT)]


def test_three_columns_under_a_title_and_over_a_last_line(tmp_path: Path, load: Load) -> None:
    title = Run(72, 740, "The boy who knew every knot in the whole wide world", 20)
    last = Run(72, 600, "Printed in the year of the great flood by a friend of those who came in that night", 12)
    columns = by_rows(column(50, LEFT), column(225, RIGHT), column(400, THIRD))
    expected = f"{title.text} {prose(LEFT, RIGHT, THIRD)} {last.text}"
    assert read(tmp_path, load, Page([title, *columns, last])) == [expected]


def test_columns_that_are_drawn_one_after_the_other_stay_so(tmp_path: Path, load: Load) -> None:
    runs = [*column(72, LEFT), *column(320, RIGHT)]
    assert read(tmp_path, load, Page(runs)) == [prose(LEFT, RIGHT)]


def test_sidebar_stays_whole(tmp_path: Path, load: Load) -> None:
    aside = ["and here is what", "the mate wrote", "in his own small", "book that night"]
    runs = [*by_rows(column(72, LEFT[:4]), column(400, aside)), *column(72, LEFT[4:], top=644)]
    (text,) = read(tmp_path, load, Page(runs))
    assert prose(LEFT) in text
    assert prose(aside) in text


ROWS = [
    ("Net revenue from all segments", "12,345", "11,222"),
    ("Cost of goods and services sold", "6,001", "5,809"),
    ("Selling and administrative costs", "2,340", "2,111"),
    ("Research and development costs", "1,234", "1,098"),
    ("Operating income of the group", "2,770", "2,204"),
]


def cells(places: Sequence[float] = (72, 330, 430)) -> list[list[Run]]:
    return [[Run(x, 700 - 16 * row, ROWS[row][place]) for row in range(len(ROWS))] for place, x in enumerate(places)]


@pytest.mark.parametrize("drawn", ["by rows", "by columns"])
def test_tables_are_read_row_by_row(tmp_path: Path, load: Load, drawn: str) -> None:
    runs = by_rows(*cells()) if drawn == "by rows" else [run for each in cells() for run in each]
    document = load(write_pdf(tmp_path / "table.pdf", [Page(runs)]))
    lines = [" ".join(line.split()) for line in document.text.splitlines()]
    assert lines == [" ".join(row) for row in ROWS]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_lines_of_turned_text_come_in_their_order(tmp_path: Path, load: Load, rotation: int, angle: int) -> None:
    step = {0: (0, -14), 90: (14, 0), 180: (0, 14), 270: (-14, 0)}[angle]
    runs = [Run(300 + step[0] * row, 400 + step[1] * row, line, 9, angle) for row, line in enumerate(LEFT)]
    assert read(tmp_path, load, Page(runs, rotation=rotation)) == [prose(LEFT)]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_few_lines_of_turned_pages_stay_lines_in_their_order(
    tmp_path: Path, load: Load, rotation: int, angle: int, count: int
) -> None:
    step = {0: (0, -14), 90: (14, 0), 180: (0, 14), 270: (-14, 0)}[angle]
    runs = [Run(300 + step[0] * row, 400 + step[1] * row, line, 12, angle) for row, line in enumerate(LEFT[:count])]
    path = write_pdf(tmp_path / "page.pdf", [Page(runs, rotation=rotation)])
    (placed,) = load(path).sections
    assert placed.section.text.split("\n") == LEFT[:count]
    glyphs_match(path, placed)


@pytest.mark.parametrize(("rotation", "angle"), [(90, 90), (0, 90), (270, 270)])
@pytest.mark.parametrize("drawn", ["by rows", "by columns"])
def test_tables_that_lie_on_their_side_are_read_row_by_row(
    tmp_path: Path, load: Load, rotation: int, angle: int, drawn: str
) -> None:
    columns = [["Year", "2019", "2020", "2021"], ["Ducks", "120", "130", "150"], ["Geese", "80", "95", "110"]]
    places = [(row, column) for column in range(3) for row in range(4)]
    turn = 1 if angle == 90 else -1
    runs = [
        Run(300 + turn * 16 * row, 400 + turn * 80 * column, columns[column][row], 12, angle)
        for row, column in (places if drawn == "by columns" else sorted(places))
    ]
    path = write_pdf(tmp_path / "table.pdf", [Page(runs, rotation=rotation)])
    (placed,) = load(path).sections
    assert [" ".join(line.split()) for line in placed.section.text.split("\n")] == [
        "Year Ducks Geese", "2019 120 80", "2020 130 95", "2021 150 110",
    ]  # fmt: skip
    glyphs_match(path, placed)


def test_what_several_fields_of_a_form_hold_stands_on_lines_of_its_own(test_data: Path, load: Load) -> None:
    document = load(test_data / "formats" / "files" / "pdfjs__annotation-text-widget.pdf")
    lines = document.text.split("\n")
    assert lines.count("Lorem ipsum dolor sit amet, consectetur adipiscing elit.") == 3
    assert "Lorem ipsu" in lines


def test_footer_drawn_first_does_not_undo_the_order_of_a_table_with_tall_cells(tmp_path: Path, load: Load) -> None:
    runs = [
        Run(72, 40, "A footer that is drawn first"),
        *column(72, ["Cell one has", "two lines"]),
        *column(320, ["Cell two has", "two as well"]),
    ]
    assert read(tmp_path, load, Page(runs)) == [
        "A footer that is drawn first Cell one has two lines Cell two has two as well"
    ]


def test_what_nobody_can_see_is_left_out(tmp_path: Path, load: Load) -> None:
    runs = [
        *column(72, LEFT),
        Run(72, 5, "file_name.indd 3"),
        Run(700, 400, "beside the page"),
        Run(300, 200, "no size at all", 0.05),
    ]
    assert read(tmp_path, load, Page(runs, crop_box=(50, 50, 560, 760))) == [prose(LEFT)]


def glyphs_match(path: Path, placed: PlacedSection) -> None:
    section = placed.section
    assert section.char_map is not None
    assert len(section.char_map) == len(section.text)
    start = 0
    for line in section.text.split("\n"):
        boxes = boxes_for_span(path, section.page or 1, section.char_map[start : start + len(line)])
        assert text_under(path, section.page or 1, boxes) == "".join(line.split())
        start += len(line) + 1


def test_every_line_has_its_text_under_its_boxes_after_sorting(tmp_path: Path, load: Load) -> None:
    runs = [*by_rows(column(72, LEFT), column(320, RIGHT)), *[Run(r.x, r.y - 200, r.text) for c in cells() for r in c]]
    random.Random(11).shuffle(runs)
    path = write_pdf(tmp_path / "shuffled.pdf", [Page(runs)])
    document = load(path)
    (placed,) = document.sections
    assert prose(LEFT, RIGHT) in " ".join(placed.section.text.split())
    glyphs_match(path, placed)


def test_words_of_one_line_stay_on_it(test_data: Path, load: Load) -> None:
    document = load(test_data / "retrieval" / "financebench" / "pdfs" / "BOEING_2018_10K.pdf")
    page = next(placed for placed in document.sections if placed.section.page == 50)
    assert "(Dollars in millions, except per share data)" in page.section.text.split("\n")
