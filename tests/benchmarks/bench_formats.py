"""Every file of the format corpus, scored by the corpus's own scorer and, file by file, against its bar.

Read as the program reads them, but with running headers kept and divided words left divided, as the references have
them. A file meets its bar with 95 of 100 words of its reference read (97 for PDF), and 90 of 100 words read in the
reference.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app.domain.errors import DocumentError, FailureReason
from app.loaders.parser_limits import MEBIBYTE, ParserLimits
from app.loaders.parser_pool import ParserPool
from tests.benchmarks.report import Report
from tests.benchmarks.retrieval_sets import json_lines, load_metrics
from tests.benchmarks.shelf import REPOSITORY

LIMITS = ParserLimits(seconds=60, memory_bytes=1024 * MEBIBYTE, tidy_pages=False)
STATUS = {
    FailureReason.ENCRYPTED: "password",
    FailureReason.UNSUPPORTED: "unsupported",
    FailureReason.EMPTY: "empty",
    FailureReason.NO_TEXT: "empty",
    FailureReason.CRASHED: "crash",
    FailureReason.OUT_OF_MEMORY: "crash",
    FailureReason.TIMEOUT: "timeout",
}
PRECISION = 0.90
SHARE_GOAL = 0.97


def run(report: Report) -> None:
    """Read all files in two processes, then score."""
    data = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    folder = data / "formats"
    if not folder.is_dir():
        report.note(f"no format corpus at {folder}: set FOOTNOTE_TEST_DATA")
        return
    manifest = json_lines(folder / "manifest.jsonl")
    with ParserPool(2, LIMITS) as pool, ThreadPoolExecutor(2) as threads:
        read = list(threads.map(lambda row: _read(pool, folder / "files" / row["file"]), manifest))
    (REPOSITORY / "build" / "bench" / "formats-read.jsonl").write_text(
        "\n".join(json.dumps(each) for each in read), encoding="utf-8"
    )
    _report_outcomes(report, load_metrics(data).formats(str(folder), read), len(manifest))
    report.figure("slowest file", max(each["seconds"] for each in read), "s", goal=60, higher_is_better=False)
    _report_bars(report, folder, manifest, {each["file"]: each["text"] for each in read})


def _read(pool: ParserPool, path: Path) -> dict[str, Any]:
    started = time.monotonic()
    try:
        status, text = "ok", pool.parse(path).text
    except DocumentError as error:
        status, text = STATUS.get(error.reason, "error"), ""
    return {"file": path.name, "status": status, "text": text, "seconds": time.monotonic() - started}


def _report_outcomes(report: Report, scores: dict[str, Any], files: int) -> None:
    report.figure("files that end as expected of them", scores["passed"], "files", goal=files)
    report.figure("token recall, mean", scores["token_recall"], "")
    report.figure("token precision, mean", scores["token_precision"], "")
    for file, expected, status in scores["failed"]:
        report.note(f"{file}: expected {expected}, was {status}")


def _report_bars(report: Report, folder: Path, manifest: list[dict[str, Any]], texts: dict[str, str]) -> None:
    met: dict[str, list[bool]] = {"PDF": [], "other": []}
    for row in manifest:
        truth = _words((folder / row["truth"]).read_text(encoding="utf-8")) if row.get("truth") else Counter[str]()
        if truth:
            kind = "PDF" if row["ext"] == "pdf" else "other"
            met[kind].append(_meets(truth, _words(texts[row["file"]]), 0.97 if kind == "PDF" else 0.95))
    every = [*met["PDF"], *met["other"]]
    report.figure("files that meet their bar of words", sum(every) / len(every), "", goal=SHARE_GOAL)
    for kind, results in met.items():
        report.note(f"{kind}: {sum(results)} of {len(results)} files")


def _meets(truth: Counter[str], text: Counter[str], recall: float) -> bool:
    shared = (truth & text).total()
    return shared >= recall * truth.total() and shared >= PRECISION * text.total()


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))
