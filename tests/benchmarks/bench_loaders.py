"""Reading PDF files: our parser processes against pypdf and bare PDFium; the cost of a process and of boxes."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.domain.char_map import CharMap
from app.domain.documents import ParsedDocument
from app.loaders.parser_pool import ParserPool
from app.loaders.pdf_geometry import boxes_for_span
from tests.benchmarks.report import Report

REPOSITORY = Path(__file__).resolve().parent.parent.parent
GOAL_START_SECONDS = 0.3
GOAL_AGAINST_PYPDF = 5.0
PYPDF_FILE = "NETFLIX_2015_10K.pdf"


def run(report: Report) -> None:
    """Read the filings of the reference data, every page."""
    data = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    files = sorted((data / "retrieval" / "financebench" / "pdfs").glob("*.pdf"))
    if not files:
        report.note(f"no filings below {data}: skipped")
        return
    _first_file(report)
    _filings(report, files)
    _boxes(report, next(file for file in files if file.name == PYPDF_FILE))


def _first_file(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "note.txt"
        path.write_text("A note.")
        seconds = []
        for _ in range(5):
            with ParserPool(1) as pool:
                seconds.append(_timed(lambda pool=pool: pool.parse(path)))  # type: ignore[misc]  # mypy can't type it
    report.figure(
        "parser process: start and a small text file, median",
        statistics.median(seconds),
        "s",
        goal=GOAL_START_SECONDS,
        higher_is_better=False,
    )


def _filings(report: Report, files: list[Path]) -> None:
    with ParserPool(1) as pool:
        pool.parse(files[0])
        documents: list[ParsedDocument] = []
        seconds = _timed(lambda: documents.extend(pool.parse(file) for file in files))
    pages = sum(document.page_count or 0 for document in documents)
    bare = _timed(lambda: [_bare_pdfium(file) for file in files])
    name = "PDF, one process: pages"
    report.figure(name, pages / seconds, "pages/s", baseline=pages / bare)
    report.note("baseline: PDFium's text alone, in this process, without character maps")
    with ParserPool(2) as pool, ThreadPoolExecutor(2) as threads:
        list(threads.map(pool.parse, files[:2]))
        both = _timed(lambda: list(threads.map(pool.parse, files)))
    report.figure("PDF, two processes: pages", pages / both, "pages/s", baseline=pages / seconds)
    report.note("baseline: one process")
    _against_pypdf(report, next(file for file in files if file.name == PYPDF_FILE))
    maps = sum(_map_bytes(document) for document in documents)
    report.figure("character map of a page", maps / pages, "bytes")


def _against_pypdf(report: Report, path: Path) -> None:
    """One after the other, three times, so that what else the machine does hits both; the median counts."""
    with ParserPool(1) as pool:
        pages = pool.parse(path).page_count or 0
        rounds = [(_timed(lambda: pool.parse(path)), _timed(lambda: _pypdf(path))) for _ in range(3)]
    ours, theirs = (statistics.median(each[place] for each in rounds) for place in (0, 1))
    report.figure(
        f"PDF, one filing of {pages} pages",
        pages / ours,
        "pages/s",
        baseline=pages / theirs,
        goal=GOAL_AGAINST_PYPDF,
        goal_is_ratio=True,
    )
    report.note("baseline: pypdf")


def _map_bytes(document: ParsedDocument) -> int:
    found = (placed.section.char_map for placed in document.sections)
    return sum(len(each.to_bytes()) for each in found if isinstance(each, CharMap))


def _boxes(report: Report, path: Path) -> None:
    with ParserPool(1) as pool:
        document = pool.parse(path)
    seconds = []
    for placed in document.sections[10:30]:
        if placed.section.char_map is not None and placed.section.page is not None:
            span, page = placed.section.char_map[:300], placed.section.page
            seconds.append(_timed(lambda page=page, span=span: boxes_for_span(path, page, span)))  # type: ignore[misc]  # mypy can't type it
    report.figure("boxes of 300 characters, median", statistics.median(seconds) * 1000, "ms")


def _bare_pdfium(path: Path) -> int:
    import pypdfium2

    length = 0
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            text_page = page.get_textpage()
            length += len(text_page.get_text_range())
            text_page.close()
            page.close()
    return length


def _pypdf(path: Path) -> int:
    from pypdf import PdfReader

    return sum(len(page.extract_text()) for page in PdfReader(path).pages)


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
