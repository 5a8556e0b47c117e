"""Searching 10,000, 100,000 and 1,000,000 chunks: latency, recall, memory, opening, scopes, changes beside searches.

The first questions after opening read from the disk what later ones find in memory; they are a figure of their own,
with the library's file put out of the system's memory before (on Linux). Then search is made ready as the window does
while the first question is typed.
Libraries are made once and kept in ``build/bench/scale``: a million chunks take about ten minutes and 6 GB of disk, a
run over all sizes some four minutes after that. ``FOOTNOTE_BENCH_CHUNKS=10000,100000`` leaves the million out.
"""

from __future__ import annotations

import itertools
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from app.domain.cancellation import CancelToken
from app.domain.passages import Scope
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.retriever import Retriever
from app.retrieval.vector_index import VectorIndex
from app.services.search_readiness import SearchReadiness
from app.storage.library_store import LibraryStore, open_library
from tests.benchmarks.report import Report
from tests.benchmarks.retrieval_sets import json_lines, load_metrics
from tests.benchmarks.scale_library import MODEL, embedded_vectors, filled_library, prepared, put_document
from tests.benchmarks.scale_texts import CHUNKS_PER_DOCUMENT, Texts, Vectors
from tests.benchmarks.shelf import REPOSITORY, Defaults, default_embedder

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder

FOLDER = REPOSITORY / "build" / "bench" / "scale"
SIZES = (10_000, 100_000, 1_000_000)
P95_GOALS = {100_000: 15.0, 1_000_000: 35.0}
RECALL_GOAL = 0.97
MEMORY_GOAL_MB = 1_000.0
OPEN_GOAL_SECONDS = 2.0
SCOPE_GOAL = 1.1
STALL_GOAL_MS = 100.0
CHANGED_DOCUMENTS = 25
WARM_UP = 30
FIRST = 60
COMPUTED_BESIDE = 50
EXACT_PAGE = 16_384


class Bench:
    """One library, opened, and two retrievers over it, so that neither remembers the other's questions."""

    def __init__(self, home: Path, embedder: Embedder) -> None:
        self.database = open_library(home / "library.db")
        self.store = LibraryStore(self.database)
        self.embedder = embedder
        self.vectors = VectorIndex(self.store, home / "index", MODEL, embedder.dimension)
        self.keywords = KeywordIndex(self.store, home / "index")
        self.retrievers: list[Retriever] = []

    def open(self) -> float:
        """Open both indexes. Returns the seconds until searches are answered."""
        started = time.perf_counter()
        self.vectors.open()
        self.keywords.open()
        return time.perf_counter() - started

    def wait(self) -> None:
        """Let the work in the background end."""
        self.vectors.wait()
        self.keywords.wait()

    def retriever(self) -> Retriever:
        """A new one, which remembers nothing."""
        made = Retriever(self.store, lambda: self.embedder, self.vectors, self.keywords, Defaults(), follow=True)
        self.retrievers.append(made)
        return made

    def close(self) -> None:
        """Close all but the embedder."""
        for retriever in self.retrievers:
            retriever.close()
        self.vectors.close()
        self.keywords.close()
        self.database.close()


def run(report: Report) -> None:
    """Report every size that the environment asks for."""
    data = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (data / "retrieval" / "scifact").is_dir():
        report.note(f"no reference data at {data}: set FOOTNOTE_TEST_DATA")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = data / "retrieval" / "scifact"
    texts = Texts([row["text"] for row in json_lines(folder / "corpus.jsonl")])
    asked = {row["_id"]: row["text"] for row in json_lines(folder / "queries.jsonl")}
    judged = load_metrics(data).read_qrels(str(folder / "qrels" / "test.tsv"))
    queries = [asked[each] for each in judged]
    with default_embedder() as embedder:
        vectors = Vectors(embedded_vectors(FOLDER, texts, embedder, report.note))
        for chunks in _sizes(report):
            home = filled_library(FOLDER, chunks, texts, vectors, report.note)
            _report_size(report, chunks, home, embedder, queries)
            _report_changes(report, chunks, home, embedder, queries, texts, vectors)


def _sizes(report: Report) -> list[int]:
    chosen = os.environ.get("FOOTNOTE_BENCH_CHUNKS", "")
    sizes = [int(each) for each in chosen.split(",") if each] or list(SIZES)
    report.note(f"{sizes} chunks (FOOTNOTE_BENCH_CHUNKS chooses; a million takes minutes, and ten more the first time)")
    report.note(f"load of the machine before: {psutil.getloadavg()[0]:.1f} on {psutil.cpu_count()} cores")
    return sizes


def _report_size(report: Report, chunks: int, home: Path, embedder: Embedder, queries: Sequence[str]) -> None:
    name = f"{chunks:,} chunks"
    embedder.embed_query(queries[0])  # the model is loaded, and not counted as the index's memory
    _build(report, name, home, embedder)
    before = _resident_megabytes()
    bench = Bench(home, embedder)
    opened = bench.open()
    report.figure(f"{name}: open", opened, "s", goal=OPEN_GOAL_SECONDS, higher_is_better=False)
    status = bench.vectors.status()
    report.note(f"{status.vectors} vectors in {status.segments} segments, {status.quantised} of them quantised")
    retriever = bench.retriever()
    _report_first(report, name, home, retriever, queries[:FIRST])
    began = time.process_time()
    taken = _milliseconds(retriever.search, queries)
    busy = 1_000 * (time.process_time() - began) / len(queries)
    embedding = statistics.median(_milliseconds(embedder.embed_query, queries[:100]))
    p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
    report.figure(f"{name}: hybrid query p50", p50, "ms", baseline=embedding)
    report.figure(
        f"{name}: hybrid query p95", p95, "ms", baseline=embedding, goal=P95_GOALS.get(chunks), higher_is_better=False
    )
    report.figure(f"{name}: processor time a query, all threads", busy, "ms")
    resident = _resident_megabytes() - before
    label = f"{name}: resident index after all queries"
    report.figure(label, resident, "MB", goal=MEMORY_GOAL_MB, higher_is_better=False)
    _report_scope(report, name, bench, queries)
    _report_recall(report, name, bench, queries)
    _report_computing(report, name, bench, queries)
    bench.close()


def _report_first(report: Report, name: str, home: Path, retriever: Retriever, queries: Sequence[str]) -> None:
    """With the disk, then what getting ready costs, and searches after it."""
    file = home / "library.db"
    _forget(file)
    first = _milliseconds(retriever.search, [f"first {query}" for query in queries])
    report.figure(f"{name}: hybrid query p95, the first after opening", statistics.quantiles(first, n=20)[-1], "ms")
    _forget(file)
    began = time.perf_counter()
    SearchReadiness(file, lambda: True, retriever.search).prepare(CancelToken())
    report.figure(f"{name}: making search ready", time.perf_counter() - began, "s")
    ready = _milliseconds(retriever.search, [f"second {query}" for query in queries])
    report.figure(
        f"{name}: hybrid query p95, the first after it was made ready",
        statistics.quantiles(ready, n=20)[-1],
        "ms",
        baseline=statistics.quantiles(first, n=20)[-1],
    )


def _forget(file: Path) -> None:
    """Have the system forget what it has in memory of a file that nobody is writing."""
    if hasattr(os, "posix_fadvise"):
        with file.open("rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _resident_megabytes() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def _build(report: Report, name: str, home: Path, embedder: Embedder) -> None:
    """Make the indexes where they are not there yet, in the background as the program does."""
    bench, started = Bench(home, embedder), time.perf_counter()
    opened = bench.open()
    if bench.vectors.status().waiting or bench.keywords.status().rebuilding:
        bench.wait()
        report.note(f"{name}: indexes made in {time.perf_counter() - started:.0f} s, searchable after {opened:.1f} s")
    bench.close()


def _report_scope(report: Report, name: str, bench: Bench, queries: Sequence[str]) -> None:
    """The same questions with and without a scope, in turns, so that both meet the same load."""
    records = bench.store.documents()
    share = Scope(document_ids=frozenset(record.id for record in records[::100]))
    plain, scoped = bench.retriever(), bench.retriever()
    without: list[float] = []
    within: list[float] = []
    for number, query in enumerate(queries):
        one = (without, lambda query: plain.search(query))
        two = (within, lambda query: scoped.search(query, scope=share))
        for taken, work in (one, two) if number % 2 else (two, one):
            taken += _milliseconds(work, [query])
    for figure, part in (("p50", statistics.median), ("p95", lambda taken: statistics.quantiles(taken, n=20)[-1])):
        report.figure(
            f"{name}: 1% of the documents in scope, {figure}",
            part(within),
            "ms",
            baseline=part(without),
            goal=SCOPE_GOAL,
            goal_is_ratio=True,
            higher_is_better=False,
        )


def _report_computing(report: Report, name: str, bench: Bench, queries: Sequence[str]) -> None:
    """Beside a thread that computes in Python, as cutting files into passages does: it holds the interpreter."""
    plain, beside = bench.retriever(), bench.retriever()
    still = _milliseconds(plain.search, queries[:COMPUTED_BESIDE])
    ended = threading.Event()

    def compute() -> None:
        while not ended.is_set():
            sum(range(100))

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        taken = _milliseconds(beside.search, queries[:COMPUTED_BESIDE])
    finally:
        ended.set()
        thread.join()
    report.figure(
        f"{name}: query p50 beside a thread that computes",
        statistics.median(taken),
        "ms",
        baseline=statistics.median(still),
    )


def _report_recall(report: Report, name: str, bench: Bench, queries: Sequence[str]) -> None:
    """How many of the ten nearest by comparing with every stored vector the index finds."""
    asked = np.stack([bench.embedder.embed_query(query) for query in queries])
    scores, ids = np.full((len(asked), 10), -2.0, dtype=np.float32), np.zeros((len(asked), 10), dtype=np.int64)
    after = 0
    while True:
        page, vectors = bench.store.vectors_matrix(MODEL, after, EXACT_PAGE)
        if not len(page):
            break
        after = int(page[-1])
        all_scores = np.hstack((scores, asked @ vectors.astype(np.float32).T))
        all_ids = np.hstack((ids, np.broadcast_to(page, (len(asked), len(page)))))
        best = np.argpartition(-all_scores, 10, axis=1)[:, :10]
        scores, ids = np.take_along_axis(all_scores, best, axis=1), np.take_along_axis(all_ids, best, axis=1)
    hits = [
        len({chunk_id for chunk_id, _ in bench.vectors.search(query, 10)} & set(ids[row].tolist()))
        for row, query in enumerate(asked)
    ]
    report.figure(f"{name}: vector recall@10", statistics.mean(hits) / 10, "", goal=RECALL_GOAL)


def _report_changes(
    report: Report,
    chunks: int,
    home: Path,
    embedder: Embedder,
    queries: Sequence[str],
    texts: Texts,
    vectors: Vectors,
) -> None:
    """Delete, add and update documents beside searches. The library ends as it was."""
    name = f"{chunks:,} chunks"
    bench = Bench(home, embedder)
    bench.open()
    retriever = bench.retriever()
    _milliseconds(lambda query: retriever.search(f"warm {query}"), queries[:WARM_UP])
    still = _milliseconds(lambda query: retriever.search(f"{query} still"), queries[:100])
    changes: list[float] = []
    beside: list[float] = []
    with _changing(bench, chunks // CHUNKS_PER_DOCUMENT, texts, vectors, changes) as ended:
        for number in itertools.count():
            beside += _milliseconds(retriever.search, [f"{queries[number % len(queries)]} {number}"])
            if ended():
                break
    bench.close()
    report.note(
        f"{len(changes)} deletes, additions and updates of {CHUNKS_PER_DOCUMENT} chunks beside {len(beside)} queries"
    )
    report.figure(
        f"{name}: query p95 beside changes",
        statistics.quantiles(beside, n=20)[-1],
        "ms",
        baseline=statistics.quantiles(still, n=20)[-1],
    )
    report.figure(
        f"{name}: longest query beside changes",
        max(beside),
        "ms",
        baseline=max(still),
        goal=STALL_GOAL_MS,
        higher_is_better=False,
    )
    report.figure(f"{name}: taking a change into the indexes, p95", statistics.quantiles(changes, n=20)[-1], "ms")


@contextmanager
def _changing(
    bench: Bench, documents: int, texts: Texts, vectors: Vectors, changes: list[float]
) -> Iterator[Callable[[], bool]]:
    """Documents come and go on a thread, the indexes follow; yields whether it has ended."""
    ids = {record.path.stem: record.id for record in bench.store.documents()}
    numbers = list(range(0, documents, max(1, documents // CHANGED_DOCUMENTS)))[:CHANGED_DOCUMENTS]
    # Read and split before: the program does that in other processes.
    new = [[prepared(number, texts, vectors, edition=edition) for edition in (1, 0)] for number in numbers]

    def change() -> None:
        for number, editions in zip(numbers, new, strict=True):
            works: list[Callable[[], object]] = [partial(bench.store.remove, ids[str(number)])]
            works += [partial(put_document, bench.store, each) for each in editions]
            for work in works:
                work()
                started = time.perf_counter()
                bench.vectors.refresh()
                bench.keywords.refresh()
                changes.append(1_000 * (time.perf_counter() - started))

    thread = threading.Thread(target=change, name="changes")
    thread.start()
    try:
        yield lambda: not thread.is_alive()
    finally:
        thread.join()


def _milliseconds(work: Callable[[str], object], queries: Sequence[str]) -> list[float]:
    taken = []
    for query in queries:
        started = time.perf_counter()
        work(query)
        taken.append(1_000 * (time.perf_counter() - started))
    return taken
