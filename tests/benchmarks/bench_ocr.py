"""OCR: pages a second, memory and token recall on printed pages made into scans; Tesseract beside it where it is."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from app.loaders import pdfium
from app.loaders.ocr_reader import DOTS_PER_INCH
from app.loaders.parser_pool import ParserPool
from app.loaders.pdfium_pictures import rendered
from tests.benchmarks.report import Report

REPOSITORY = Path(__file__).resolve().parent.parent.parent
# Born-digital pages of several makers: one column and two, tables, small print, formulas.
PAGES = (
    ("docling__multi_page.pdf", 1),
    ("docling__picture_classification.pdf", 1),
    ("docling__amt_handbook_sample.pdf", 0),
    ("pdfjs__bug886717.pdf", 0),
    ("pdfjs__issue6132.pdf", 0),
    ("unstructured__copy-protected.pdf", 1),
    ("unstructured__multi-column-2p.pdf", 0),
)
TURNS = (0, 1, 2, 3)
GOAL_RECALL = 0.95
GOAL_MEGABYTES = 1024
# Of both threads together.
GOAL_SECONDS_A_PAGE = 4.0


@dataclass(frozen=True, slots=True)
class Sample:
    """A page as a picture, and the words it holds."""

    name: str
    picture: Image.Image
    words: Counter[str]


def run(report: Report) -> None:
    """Scan pages of the reference files, and read them."""
    data = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data")) / "formats" / "files"
    if not data.is_dir():
        report.note(f"no files below {data}: skipped")
        return
    samples = [_sample(data / name, index) for name, index in PAGES]
    with tempfile.TemporaryDirectory() as folder, ParserPool(1) as pool:
        _ocr(report, samples, Path(folder), pool)
        _robustness(report, samples[:3], Path(folder), pool)
        _tesseract(report, samples, Path(folder))


def _sample(path: Path, index: int) -> Sample:
    with pdfium.opened_document(path) as document, pdfium.opened_page(document, index) as (page, text_page):
        text, _ = pdfium.page_text(text_page)
        pixels = rendered(page, DOTS_PER_INCH, 30_000_000)
    grey = Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1])).convert("L")
    photocopied = io.BytesIO()
    grey.save(photocopied, "JPEG", quality=60)
    return Sample(path.stem, Image.open(photocopied), _words(text))


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def _ocr(report: Report, samples: list[Sample], folder: Path, pool: ParserPool) -> None:
    _read(pool, samples[0].picture, folder)  # starts the process, loads the networks
    begun, worked = time.perf_counter(), _processor_seconds()
    texts = [_read(pool, sample.picture, folder) for sample in samples]
    seconds = (time.perf_counter() - begun) / len(samples)
    worked = (_processor_seconds() - worked) / len(samples)
    report.figure("OCR, a full page at 200 dpi", seconds, "s")
    report.figure(
        "OCR, processor time of a page (two threads)", worked, "s", goal=GOAL_SECONDS_A_PAGE, higher_is_better=False
    )
    report.figure("OCR, pages a second", 1 / seconds, "pages/s")
    report.figure("OCR, token recall", _mean_recall(texts, samples), "", goal=GOAL_RECALL)
    report.figure("OCR, token precision", _mean_precision(texts, samples), "")
    peak = _peak_megabytes()
    if peak:
        report.figure("OCR, peak memory of the parser", peak, "MB", goal=GOAL_MEGABYTES, higher_is_better=False)


def _robustness(report: Report, samples: list[Sample], folder: Path, pool: ParserPool) -> None:
    for turns in TURNS[1:]:
        texts = [_read(pool, sample.picture.rotate(90 * turns, expand=True), folder) for sample in samples]
        report.figure(f"OCR, token recall, turned by {90 * turns}°", _mean_recall(texts, samples), "", goal=GOAL_RECALL)
    texts = [_read(pool, sample.picture.rotate(3, fillcolor=255, expand=True), folder) for sample in samples]
    report.figure("OCR, token recall, slanted by 3°", _mean_recall(texts, samples), "", goal=GOAL_RECALL)
    texts = [_read(pool, sample.picture.reduce(2), folder) for sample in samples]
    report.figure("OCR, token recall at 100 dpi", _mean_recall(texts, samples), "")


def _read(pool: ParserPool, picture: Image.Image, folder: Path) -> str:
    path = folder / "page.png"
    picture.save(path, compress_level=1)
    return pool.parse(path).text


def _mean_recall(texts: list[str], samples: list[Sample]) -> float:
    shares = [(_words(text) & s.words).total() / s.words.total() for text, s in zip(texts, samples, strict=True)]
    return sum(shares) / len(shares)


def _mean_precision(texts: list[str], samples: list[Sample]) -> float:
    pairs = zip(map(_words, texts), samples, strict=True)
    shares = [(found & sample.words).total() / max(1, found.total()) for found, sample in pairs]
    return sum(shares) / len(shares)


def _processor_seconds() -> float:
    """What the parser has used: other programs on the machine don't disturb this figure."""
    used = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return float(sum(each.user + each.system for each in used))


def _peak_megabytes() -> float:
    """The largest peak of this process's children, 0 where the system doesn't tell."""
    peaks = [0.0]
    for child in psutil.Process().children(recursive=True):
        status = Path(f"/proc/{child.pid}/status")
        found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
        peaks.append(int(found[1]) / 1024 if found else 0.0)
    return max(peaks)


def _tesseract(report: Report, samples: list[Sample], folder: Path) -> None:
    program = shutil.which("tesseract")
    if program is None:
        report.note("tesseract is not installed: not measured beside")
        return
    texts = []
    begun = time.perf_counter()
    for sample in samples:
        sample.picture.save(folder / "page.png", compress_level=1)
        command = [program, str(folder / "page.png"), "-", "--dpi", str(int(DOTS_PER_INCH))]
        texts.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    report.figure("Tesseract, a full page at 200 dpi", (time.perf_counter() - begun) / len(samples), "s")
    report.figure("Tesseract, token recall", _mean_recall(texts, samples), "")
    report.figure("Tesseract, token precision", _mean_precision(texts, samples), "")
