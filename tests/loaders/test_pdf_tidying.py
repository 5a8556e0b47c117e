"""Running headers, page numbers and divided words: what goes, what must stay, and that the rest keeps its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.domain.documents import ParsedDocument
from app.loaders.parser_limits import ParserLimits
from app.loaders.pdf_geometry import boxes_for_span
from app.loaders.registry import load_document, loaders
from tests.loaders.conftest import Load
from tests.loaders.pdf_oracle import text_under
from tests.loaders.pdf_writer import Page, Run, write_pdf

BODY = ["Chapter text of page {} begins here", "and it goes on with other words", "until the page is full."]


def body(number: int) -> list[Run]:
    return [Run(72, 600 - 14 * row, line.format(f"no{number}x")) for row, line in enumerate(BODY)]


def pages(count: int, extra: Callable[[int], Sequence[Run]]) -> list[Page]:
    return [Page([*extra(number), *body(number)]) for number in range(1, count + 1)]


def lines_of(document: ParsedDocument) -> list[str]:
    return [line.strip() for line in document.text.splitlines() if line.strip()]


def load_untidied(path: Path) -> ParsedDocument:
    limits = ParserLimits(tidy_pages=False)
    return load_document(path, limits, loaders(limits=limits))


def test_running_header_and_page_numbers_go_and_the_body_stays(tmp_path: Path, load: Load) -> None:
    header = "Annual report of the harbour office"
    made = pages(6, lambda number: [Run(72, 760, header), Run(300, 30, str(number + 10))])
    path = write_pdf(tmp_path / "report.pdf", made)

    lines = lines_of(load(path))

    assert lines.count(header) == 1, "what the header says can still be found, where it comes first"
    assert lines[0] == header
    assert not [line for line in lines if line.isdigit()]
    assert [line for line in lines if line != header] == [
        line.format(f"no{number}x") for number in range(1, 7) for line in BODY
    ]


def test_nothing_goes_with_the_option_off(tmp_path: Path) -> None:
    made = pages(6, lambda number: [Run(72, 760, "Annual report"), Run(300, 30, f"Page {number} of 6")])
    lines = lines_of(load_untidied(write_pdf(tmp_path / "report.pdf", made)))
    assert lines.count("Annual report") == 6
    assert "Page 3 of 6" in lines


@pytest.mark.parametrize(
    "footer",
    ["{0}", "- {0} -", "Page {0}", "Page {0} of 12", "Seite {0} von 12", "F-{0}", "Annual report 2019   {0}"],
)
def test_page_numbers_go_in_every_dress(tmp_path: Path, load: Load, footer: str) -> None:
    made = pages(8, lambda number: [Run(250, 30, footer.format(number + 4))])
    text = load(write_pdf(tmp_path / "numbered.pdf", made)).text
    assert footer.format(8) not in [line.strip() for line in text.splitlines()]


def test_roman_page_numbers_go(tmp_path: Path, load: Load) -> None:
    roman = ["i", "ii", "iii", "iv", "v", "vi"]
    made = pages(6, lambda number: [Run(300, 30, roman[number - 1])])
    assert not set(roman) & set(lines_of(load(write_pdf(tmp_path / "roman.pdf", made))))


def test_headers_of_left_and_right_pages_go(tmp_path: Path, load: Load) -> None:
    names = ("A history of knots", "The art of mooring")
    made = pages(8, lambda number: [Run(72, 760, names[number % 2])])
    lines = lines_of(load(write_pdf(tmp_path / "book.pdf", made)))
    assert [lines.count(name) for name in names] == [1, 1]


def test_page_numbers_right_after_the_text_go(tmp_path: Path, load: Load) -> None:
    made = pages(7, lambda number: [Run(300, 540 - 17 * number, str(number))])
    assert not [line for line in lines_of(load(write_pdf(tmp_path / "printed.pdf", made))) if line.isdigit()]


@pytest.mark.parametrize(
    "line",
    [
        lambda number: f"Table {number}",
        lambda number: ["First", "Second", "Third", "Fourth", "Fifth", "Last"][number - 1] + " things first",
        lambda number: str([1874, 3, 99, 12, 640, 7][number - 1]),
        lambda number: "Said twice only" if number in {2, 3} else f"Said once on {'abcdef'[number - 1] * 4}",
    ],
    ids=["numbered titles", "different titles", "figures", "twice"],
)
def test_lines_at_the_edge_that_are_not_repeated_stay(tmp_path: Path, load: Load, line: Callable[[int], str]) -> None:
    path = write_pdf(tmp_path / "titles.pdf", pages(6, lambda number: [Run(72, 760, line(number))]))
    assert {line(number) for number in range(1, 7)} <= set(lines_of(load(path)))


def test_what_is_repeated_in_the_body_stays(tmp_path: Path, load: Load) -> None:
    made = pages(6, lambda number: [Run(72, 400, "The answer is always the same.")])
    assert lines_of(load(write_pdf(tmp_path / "body.pdf", made))).count("The answer is always the same.") == 6


def test_headings_of_a_table_that_goes_on_stay(tmp_path: Path, load: Load) -> None:
    made = pages(
        12,
        lambda number: [
            Run(72, 770, "Annual report of the harbour office"),
            *([Run(72, 745, "Ship   Master   Tonnage")] if 4 <= number <= 7 else []),
        ],
    )
    lines = lines_of(load(write_pdf(tmp_path / "table.pdf", made)))
    assert lines.count("Annual report of the harbour office") == 1
    assert sum(line.startswith("Ship") for line in lines) >= 3


def test_two_pages_tell_nothing(tmp_path: Path, load: Load) -> None:
    made = pages(2, lambda number: [Run(72, 760, "Memo"), Run(300, 30, str(number))])
    assert lines_of(load(write_pdf(tmp_path / "memo.pdf", made))).count("Memo") == 2


def read_lines(tmp_path: Path, load: Load, lines: Sequence[str]) -> str:
    runs = [Run(72, 700 - 14 * row, line) for row, line in enumerate(lines)]
    return " ".join(load(write_pdf(tmp_path / "lines.pdf", [Page(runs)])).text.split())


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["we met an ele-", "phant today"], "an elephant today"),
        (["this is well-", "known to us, as well-known as rain"], "is well-known to us,"),
        (["a state-of-the-", "art machine"], "a state-of-the-art machine"),
        (["they are non-", "GAAP measures"], "are non-GAAP measures"),
        (["an e-", "mail came"], "an e-mail came"),
        (["risk-based and cost-based, then market-", "based prices"], "then market-based prices"),
        (["some years from 1999-", "2001 were dry"], "from 1999- 2001 were"),
        (["he went away -", "without a word"], "away - without a word"),
        (["long days and a term of office: the long-", "term plan"], "the long-term plan"),
    ],
)
def test_words_divided_at_line_ends(tmp_path: Path, load: Load, lines: Sequence[str], expected: str) -> None:
    assert expected in read_lines(tmp_path, load, lines)


def test_a_mended_word_has_its_places_on_both_lines(tmp_path: Path, load: Load) -> None:
    runs = [Run(72, 700, "we met an ele-"), Run(72, 686, "phant today")]
    path = write_pdf(tmp_path / "divided.pdf", [Page(runs)])
    document = load(path)
    section = document.sections[0].section
    start = section.text.index("elephant")
    assert section.char_map is not None

    boxes = boxes_for_span(path, 1, section.char_map[start : start + 8])

    assert len(boxes) == 2
    assert text_under(path, 1, boxes) == "elephant"


def test_spaces_between_single_chinese_signs_go(tmp_path: Path, load: Load) -> None:
    signs = {"A": "公", "B": "司", "C": "年", "D": "报"}
    path = write_pdf(tmp_path / "signs.pdf", [Page([Run(72, 700, "A B C D")])], to_unicode=signs)
    assert load(path).text == "公司年报"


def test_filing_loses_its_running_lines_and_nothing_else(test_data: Path, load: Load) -> None:
    path = test_data / "retrieval" / "financebench" / "pdfs" / "NETFLIX_2015_10K.pdf"
    before, after = load_untidied(path).text, load(path).text

    gone = Counter(before.replace("-\n", "").replace("-", "").split()) - Counter(after.replace("-", "").split())

    assert {word for word in gone if not word.isdigit()} == {"Table", "of", "Contents"}
    assert gone["Contents"] == 64
    assert sum(count for word, count in gone.items() if word.isdigit()) > 50
    assert all(count == 1 for word, count in gone.items() if word.isdigit()), "page numbers, once each"


def test_files_embedded_in_a_document_are_named(test_data: Path, load: Load) -> None:
    document = load(test_data / "formats" / "files" / "pdfjs__encrypted-attachment.pdf")
    assert "“attachment.pdf”" in document.metadata["warning"]
