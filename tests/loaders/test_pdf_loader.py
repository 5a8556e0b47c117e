"""PDF files: pages, titles, bookmarks, and every way in which a PDF can be broken."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from app.domain.errors import FailureReason
from app.loaders.pdf import page_headings
from app.loaders.pdfium import OutlineEntry
from tests.loaders.conftest import Load, Refused
from tests.loaders.pdf_writer import Page, Run, pdf_bytes, write_pdf

TEN = [Page([Run(72, 700, f"Text of page {number}.")]) for number in range(1, 11)]


def test_each_page_is_a_section(tmp_path: Path, load: Load) -> None:
    document = load(write_pdf(tmp_path / "ten.pdf", TEN))
    assert document.page_count == 10
    assert [placed.section.page for placed in document.sections] == list(range(1, 11))
    assert document.sections[6].section.text == "Text of page 7."
    assert document.media_type == "application/pdf"


def test_empty_pages_keep_the_numbers_of_others(tmp_path: Path, load: Load) -> None:
    pages = [TEN[0], Page(), TEN[2]]
    document = load(write_pdf(tmp_path / "gap.pdf", pages))
    assert [placed.section.page for placed in document.sections] == [1, 3]
    assert document.page_count == 3


@pytest.mark.parametrize(
    ("info", "title"),
    [({"Title": "Grüße aus der Küche"}, "Grüße aus der Küche"), ({"Title": "untitled"}, "my file"), (None, "my file")],
)
def test_the_title_is_the_stated_one_if_it_is_sensible(
    tmp_path: Path, load: Load, info: dict[str, str] | None, title: str
) -> None:
    assert load(write_pdf(tmp_path / "my file.pdf", TEN[:1], info=info)).title == title


def test_the_title_of_the_first_page_is_not_the_files(tmp_path: Path, load: Load) -> None:
    pages = [Page([Run(72, 700, "Annual Report"), Run(72, 680, "of a company that sold more than before.")])]
    document = load(write_pdf(tmp_path / "ACME 2024.pdf", pages, info={"Title": "acme-10k.htm"}))
    assert document.title == "ACME 2024"
    assert document.sections[0].section.headings == ("Annual Report",)


def test_metadata_is_kept(tmp_path: Path, load: Load) -> None:
    path = write_pdf(tmp_path / "a.pdf", TEN[:1], info={"Author": "A. Writer", "Subject": "Ducks"})
    assert load(path).metadata == {"author": "A. Writer", "subject": "Ducks"}


def test_bookmarks_are_the_headings_of_their_pages(tmp_path: Path, load: Load) -> None:
    outline = [(0, "Part one", 2), (1, "Chapter 1", 2), (1, "Chapter 2", 5), (0, "Part two", 8), (1, "Chapter 3", 9)]
    document = load(write_pdf(tmp_path / "book.pdf", TEN, outline=outline))
    assert [placed.section.headings for placed in document.sections] == [
        (),
        ("Part one",),
        *[("Part one", "Chapter 1")] * 2,
        *[("Part one", "Chapter 2")] * 3,
        ("Part two",),
        ("Part two", "Chapter 3"),
        ("Part two", "Chapter 3"),
    ]


def test_bookmarks_may_point_anywhere() -> None:
    entries = [
        OutlineEntry(0, "Late", 900),
        OutlineEntry(3, "Back", 1),
        OutlineEntry(0, "", 2),
        OutlineEntry(0, "B", 3),
    ]
    headings = page_headings(entries, 4)
    assert len(headings) == 4
    assert headings[3] == ("B",)


def encrypted_bytes(password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_bytes(TEN[:1]))))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_password_is_asked_to_be_removed(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "secret.pdf"
    path.write_bytes(encrypted_bytes("secret"))
    error = refused(path)
    assert error.reason is FailureReason.ENCRYPTED
    assert "Remove the password and add it again" in str(error)


def test_an_owner_password_alone_hinders_nobody(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_bytes(""))
    assert load(path).text == "Text of page 1."


def test_pages_of_pictures_hold_no_text(tmp_path: Path, refused: Refused) -> None:
    error = refused(write_pdf(tmp_path / "scan.pdf", [Page(), Page()]))
    assert error.reason is FailureReason.NO_TEXT
    assert "nor was any found in the pictures on its 2 pages" in str(error)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.99])
def test_of_a_truncated_file_is_read_what_is_there(tmp_path: Path, load: Load, part: float) -> None:
    whole = pdf_bytes(TEN)
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole[: int(len(whole) * part)])
    document = load(path)
    assert "Text of page 1." in document.text


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.4 nothing of a PDF follows", b"no PDF at all", b"\x00" * 500])
def test_what_is_no_pdf_is_damaged(tmp_path: Path, refused: Refused, data: bytes) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(data)
    assert refused(path).reason is FailureReason.DAMAGED


def test_a_broken_page_does_not_cost_the_others(tmp_path: Path, load: Load) -> None:
    data = pdf_bytes(TEN[:3])
    # The second page's object turns into something else of the same length.
    start = data.index(b"7 0 obj\n<< /Type /Page ")
    broken = data[:start] + data[start:].replace(b"/Type /Page ", b"/Type /Pate ", 1).replace(
        b"/Contents", b"/Cantents", 1
    )
    path = tmp_path / "broken page.pdf"
    path.write_bytes(broken)
    text = load(path).text
    assert "Text of page 1." in text
    assert "Text of page 3." in text


def test_lines_end_with_newlines_only(tmp_path: Path, load: Load) -> None:
    path = write_pdf(tmp_path / "lines.pdf", [Page([Run(72, 700, "one"), Run(72, 680, "two"), Run(72, 620, "three")])])
    assert load(path).text.split("\n") == ["one", "two", "three"]


def test_a_filing_is_read_page_by_page(test_data: Path, load: Load) -> None:
    document = load(test_data / "retrieval" / "financebench" / "pdfs" / "ULTABEAUTY_2023Q4_EARNINGS.pdf")
    assert document.title == "Ulta Beauty Announces Fourth Quarter Fiscal 2022 Results"
    assert document.page_count == 9
    assert re.search(r"Net sales increased", document.sections[0].section.text)
    assert not re.search("[\r\x00\x02\ufffe\u00ad]", document.text)
