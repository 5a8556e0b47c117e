"""Real and malformed files of many makers: none crashes or hangs a parser, each ends as expected of it, with its words.

Of every file that holds text and is no PDF, 95 in 100 words of the reference must be read, and 90 in 100 words read
must stand in the reference. Files whose reference is wrong or leaves out what a reader wants are excused below.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.documents import ParsedDocument
from app.domain.errors import DocumentError, FailureReason
from app.loaders.parser_limits import MEBIBYTE, ParserLimits
from app.loaders.parser_pool import ParserPool

# OCR has tests of its own; here it would take minutes.
LIMITS = ParserLimits(seconds=60, memory_bytes=1024 * MEBIBYTE, ocr=False)
RECALL, PRECISION = 0.95, 0.90
NEVER = {FailureReason.CRASHED, FailureReason.TIMEOUT, FailureReason.OUT_OF_MEMORY}
ALLOWED = {
    "text": set[FailureReason](),
    "password": {FailureReason.ENCRYPTED, FailureReason.UNSUPPORTED},
    "empty_ok": {FailureReason.EMPTY, FailureReason.NO_TEXT, FailureReason.UNSUPPORTED, FailureReason.DAMAGED},
    "error_ok": set(FailureReason) - NEVER,
}
# Each kind of trouble is here; among the many ordinary PDF files every fourth is.
EVERY = 4

EXCUSED = {
    "the reference read UTF-16 or UTF-32 as single bytes, or cp1252 as cp1250": (
        "unstructured__fake-email-utf-16-be.eml",
        "unstructured__fake-email-utf-16-le.eml",
        "unstructured__fake-email-utf-16.eml",
        "unstructured__fake-text-utf-16-be.txt",
        "unstructured__fake-text-utf-16-le.txt",
        "unstructured__fake-text-utf-32.txt",
        "unstructured__fake-html-cp1252.html",
    ),
    "the reference is Markdown with &lt; or \\_ for characters of the text": (
        "docling__omml_frac_superscript.docx",
        "docling__omml_func_log.docx",
        "docling__omml_multi_equation_paragraph.docx",
        "docling__omml_text_escapes_in_math.docx",
        "docling__escaped_characters.md",
        "docling__docx_page_header_footer_first_page.docx",
    ),
    "the reference leaves out speaker's notes, comments, subjects of inner messages, text boxes or a chart's figures": (
        "docling__docx_comments.docx",
        "docling__xlsx_comments.xlsx",
        "docling__odf_presentation_01.odp",
        "docling__powerpoint_sample.pptx",
        "docling__legacy_sample.ppt",
        "docling__pptx_chart.pptx",
        "unstructured__mime-multipart-digest.eml",
        "unstructured__vodafone.xlsx",
    ),
    "the reference leaves out what is said of a picture": (
        "docling__docx_grouped_images.docx",
        "unstructured__fake-html-with-base64-image.html",
        "docling__signature_stamp_01.md",
    ),
    "the reference holds words that nobody sees: marks for missing parts and drawn arrows, text twice": (
        "docling__kvp_data_example.html",
        "docling__textbox.docx",
        "unstructured__docx-shapes.docx",
    ),
    "the reference holds the addresses of links, which are no text of a page": (
        "docling__wiki_duck.html",
        "docling__hyperlink_02.html",
        "docling__html_inline_group_in_table_cell.html",
        "docling__html_rich_table_cells.html",
    ),
    "merged cells are read into every row and column they cover": ("unstructured__tables-with-incomplete-rows.docx",),
}


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(2, LIMITS) as shared:
        yield shared


Outcome = ParsedDocument | FailureReason
Read = dict[str, tuple[dict[str, Any], Outcome]]


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def read(pool: ParserPool, path: Path) -> Outcome:
    try:
        return pool.parse(path)
    except DocumentError as error:
        return error.reason


@pytest.fixture(scope="module")
def outcomes(pool: ParserPool, test_data: Path) -> Read:
    folder = test_data / "formats"
    ordinary = [row for row in rows(folder) if row["category"] == "normal"]
    troubled = [row for row in rows(folder) if row["category"] != "normal"]
    pages = [row for row in ordinary if row["ext"] == "pdf"][::EVERY]
    chosen = [*troubled, *pages, *(row for row in ordinary if row["ext"] != "pdf")]
    return {row["file"]: (row, read(pool, folder / "files" / row["file"])) for row in chosen}


def allowed(row: dict[str, Any], outcome: Outcome) -> bool:
    if isinstance(outcome, ParsedDocument):
        return bool(outcome.text.strip())
    if row["category"] == "image_only":
        return outcome is FailureReason.NO_TEXT
    no_password_known = row["expect"] == "password" and not row.get("password")
    return outcome in ALLOWED["error_ok" if no_password_known else row["expect"]]


def test_files_end_as_expected(outcomes: Read) -> None:
    wrong = {name: outcome for name, (row, outcome) in outcomes.items() if not allowed(row, outcome)}

    assert len(outcomes) > 230
    assert wrong == {}


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def own_text(document: ParsedDocument) -> str:
    """The text without that of files attached to a mail, which the references leave out."""
    sections = (placed.section for placed in document.sections)
    return "\n".join(each.text for each in sections if not any(h.startswith("Attachment: ") for h in each.headings))


def shares(folder: Path, row: dict[str, Any], outcome: Outcome) -> tuple[float, float]:
    """Recall and precision of words; repeats count."""
    truth = words((folder / row["truth"]).read_text(encoding="utf-8"))
    text = words(own_text(outcome)) if isinstance(outcome, ParsedDocument) else Counter[str]()
    shared = (truth & text).total()
    return shared / truth.total() if truth else 1.0, shared / text.total() if text else 0.0


def test_words_of_the_reference_are_read(outcomes: Read, test_data: Path) -> None:
    folder = test_data / "formats"
    scores = {
        name: shares(folder, row, outcome)
        for name, (row, outcome) in outcomes.items()
        if row.get("truth") and row["ext"] != "pdf"
    }
    excused = {name for names in EXCUSED.values() for name in names}

    missed = {name: score for name, score in scores.items() if score[0] < RECALL or score[1] < PRECISION}

    assert {name: score for name, score in missed.items() if name not in excused} == {}
    assert excused - missed.keys() == set()  # none is excused without need
    assert len(scores) - len(excused) >= 150


def test_words_of_pdf_files_are_read(outcomes: Read, test_data: Path) -> None:
    folder = test_data / "formats"
    pages = [(row, outcome) for row, outcome in outcomes.values() if row.get("truth") and row["ext"] == "pdf"]
    written = [(row, outcome) for row, outcome in pages if words((folder / row["truth"]).read_text(encoding="utf-8"))]
    scores = [shares(folder, row, outcome) for row, outcome in written]
    assert len(scores) > 10
    assert sum(recall for recall, _ in scores) / len(scores) >= 0.97
    assert sum(precision for _, precision in scores) / len(scores) >= 0.97
