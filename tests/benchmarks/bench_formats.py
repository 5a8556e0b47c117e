"""Every file of the format corpus, scored by the corpus's own scorer and, file by file, against its bar.

Read as the program reads them, but with running headers kept and divided words left divided, as the references have
them; what is attached to a mail is left out of its text here, since the references hold messages alone. A file meets
its bar with 95 of 100 words of its reference read (97 for PDF), and 90 of 100 words read in the reference.

That is counted twice: by the references as they are, and with their known mistakes mended, where a word that we read
and the file holds counts as rightly read although its reference leaves it out (see ``format_references``). Files that
miss either bar are named in ``build/bench/formats-missed.txt`` with the words that are missing and those too many.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.documents import ParsedDocument
from app.domain.errors import DocumentError, FailureReason
from app.loaders.parser_limits import MEBIBYTE, ParserLimits
from app.loaders.parser_pool import ParserPool
from tests.benchmarks.format_references import held, mended, own_words, words
from tests.benchmarks.report import Report
from tests.benchmarks.retrieval_sets import json_lines, load_metrics
from tests.benchmarks.shelf import REPOSITORY

if TYPE_CHECKING:
    import psutil

RESULTS = REPOSITORY / "build" / "bench"
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
    with ParserPool(2, LIMITS) as pool, ThreadPoolExecutor(2) as threads, peak_of_children() as peak:
        read = list(threads.map(lambda row: _read(pool, folder / "files" / row["file"]), manifest))
    (RESULTS / "formats-read.jsonl").write_text("\n".join(json.dumps(each) for each in read), encoding="utf-8")
    scores = load_metrics(data).formats(str(folder), read)
    report.note(json.dumps({name: score for name, score in scores.items() if name != "token_recall_by_ext"}))
    _report_outcomes(report, scores, len(manifest))
    report.figure("slowest file", max(each["seconds"] for each in read), "s", goal=60, higher_is_better=False)
    report.figure("most memory of a parser", max(peak) / MEBIBYTE, "MB", goal=1024, higher_is_better=False)
    _report_bars(report, folder, manifest, {each["file"]: each["text"] for each in read})


def _read(pool: ParserPool, path: Path) -> dict[str, Any]:
    started = time.monotonic()
    try:
        status, text = "ok", _own_text(pool.parse(path))
    except DocumentError as error:
        status, text = STATUS.get(error.reason, "error"), ""
    return {"file": path.name, "status": status, "text": text, "seconds": time.monotonic() - started}


def _own_text(document: ParsedDocument) -> str:
    """The text without that of files attached to a mail."""
    sections = (placed.section for placed in document.sections)
    return "\n\n".join(each.text for each in sections if not any(h.startswith("Attachment: ") for h in each.headings))


@contextmanager
def peak_of_children() -> Iterator[list[int]]:
    """Watch processes started in the block; the list is filled with their greatest resident sizes, in bytes.

    Linux keeps each process's peak, so that looking every now and then misses hardly anything; elsewhere the size at
    each look is taken.
    """
    import psutil

    peaks: dict[int, int] = {}
    found = [0]
    done = threading.Event()
    others = {child.pid for child in psutil.Process().children(recursive=True)}

    def watch() -> None:
        while not done.wait(0.02):
            for child in psutil.Process().children(recursive=True):
                if child.pid not in others:
                    peaks[child.pid] = max(peaks.get(child.pid, 0), _peak(child))

    watcher = threading.Thread(target=watch, name="watch memory")
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()
        found.extend(peaks.values())


def _peak(process: psutil.Process) -> int:
    import psutil

    try:
        status = Path(f"/proc/{process.pid}/status")
        held = re.search(r"VmHWM:\s+(\d+)", status.read_text(encoding="utf-8")) if status.exists() else None
        return int(held[1]) * 1024 if held else int(process.memory_info().rss)
    except (OSError, psutil.Error):
        return 0  # it has just ended


def _report_outcomes(report: Report, scores: dict[str, Any], files: int) -> None:
    report.figure("files that end as expected of them", scores["passed"], "files", goal=files)
    report.figure("token recall, mean", scores["token_recall"], "", goal=0.95)
    report.figure("token precision, mean", scores["token_precision"], "", goal=PRECISION)
    for file, expected, status in scores["failed"]:
        report.note(f"{file}: expected {expected}, was {status}")


def _report_bars(report: Report, folder: Path, manifest: list[dict[str, Any]], texts: dict[str, str]) -> None:
    verdicts = [
        _judged(row, (folder / row["truth"]).read_text(encoding="utf-8"), texts[row["file"]], folder)
        for row in manifest
        if row.get("truth")
    ]
    counted = [verdict for verdict in verdicts if verdict is not None]
    for name, place in (("as they are", 0), ("mended", 1)):
        met = [verdict.met[place] for verdict in counted]
        report.figure(f"files that meet their bar, references {name}", sum(met) / len(met), "", goal=SHARE_GOAL)
        pdf = [verdict.met[place] for verdict in counted if verdict.file.endswith(".pdf")]
        report.note(f"{sum(met)} of {len(met)} files; of them PDF: {sum(pdf)} of {len(pdf)}")
    missed = [verdict.story for verdict in counted if not all(verdict.met)]
    (RESULTS / "formats-missed.txt").write_text("\n".join(missed), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Whether ``file`` meets its bar by its reference as it is, and mended; and how it misses it."""

    file: str
    met: tuple[bool, bool]
    story: str


def _judged(row: dict[str, Any], reference: str, text: str, folder: Path) -> _Verdict | None:
    given, path = _words(reference), folder / "files" / row["file"]
    if not given:
        return None  # it holds no text
    least = 0.97 if row["ext"] == "pdf" else 0.95
    truth, own = words(mended(reference, row, path)), own_words(text)
    known = truth | held(path)
    met = (_meets(given, given, _words(text), least), _meets(truth, known, own, least))
    shares = [_share(given, _words(text)), _share(_words(text), given), _share(truth, own), _share(own, known)]
    told = " ".join(f"{share:.3f}" for share in shares)
    lost, added = (_shown(given - _words(text)), _shown(_words(text) - given))
    return _Verdict(row["file"], met, f"{row['file']} {told} mended: {met[1]}\n  missing: {lost}\n  added: {added}")


def _share(wanted: Counter[str], found: Counter[str]) -> float:
    return (wanted & found).total() / max(1, wanted.total())


def _meets(truth: Counter[str], known: Counter[str], text: Counter[str], recall: float) -> bool:
    return _share(truth, text) >= recall and _share(text, known) >= PRECISION


def _shown(counted: Counter[str]) -> str:
    return " ".join(f"{word}×{count}" for word, count in counted.most_common(20))


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))
