"""Figures of ingestion itself: beside the bare engine, while questions are asked, and in a growing library."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from app.bootstrap import Services
from app.retrieval.embedder import Embedder
from app.settings.paths import AppPaths
from tests.benchmarks.report import Report

ENGINE_BATCH = 128
WATCH_SECONDS = 0.2
SMALL_FILES, SMALL_CHARACTERS, ABSTRACTS = 2_000, 400, 1_500
GOAL_RATIO_PDF, GOAL_RATIO_TEXT = 0.90, 0.85
GOAL_QUERY_RATIO = 3.0
GROWN_CHUNKS, MEASURED_DOCUMENTS, CHUNKS_PER_DOCUMENT = 100_000, 200, 10
GOAL_GROWTH = 1.5
MEBIBYTE = 1 << 20


@dataclass
class Watch:
    """Watches the memory of this process and its children. ``peak`` is in bytes."""

    peak: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[Watch]:
        """Watch for the length of the block."""
        watcher = threading.Thread(target=self._run)
        watcher.start()
        try:
            yield self
        finally:
            self._stop.set()
            watcher.join()

    def _run(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(WATCH_SECONDS):
            total = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue  # it has just ended
            self.peak = max(self.peak, total)


class MeasuredServices(Services):
    """Everything as the program makes it; what a benchmark must look at is open."""

    def engine(self) -> Embedder:
        """The embedding engine."""
        return self._embedder()

    def chunk_texts(self) -> list[str]:
        """What was embedded, in the order of chunk ids."""
        return [chunk.embed_text for chunk in self._store.chunks_without_vector("a model that embedded nothing")]


class Homes:
    """Empty libraries below ``folder``; the search model is converted once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    @contextmanager
    def opened(self) -> Iterator[MeasuredServices]:
        """Services of a new library, with the model loaded."""
        home = self._folder / f"home {self._count}"
        first = self._folder / "home 0" / "data" / "models"
        if self._count:
            shutil.copytree(first, home / "data" / "models", copy_function=os.link)
        self._count += 1
        services = MeasuredServices(AppPaths.from_environment({"FOOTNOTE_HOME": str(home)}), writer=True)
        try:
            services.library.search("warm up")
            services.engine().embed_passages(["warm up " * 20] * ENGINE_BATCH)
            yield services
        finally:
            services.close()


class Corpora:
    """Files to ingest: filings, small texts and abstracts, the latter two written to a folder."""

    def __init__(self, data: Path, folder: Path) -> None:
        rows = [json.loads(line) for line in (data / "retrieval" / "scifact" / "corpus.jsonl").open(encoding="utf-8")]
        texts = [" ".join(row["text"]) if isinstance(row["text"], list) else row["text"] for row in rows]
        self.filings = [
            data / "retrieval" / "financebench" / "pdfs" / f"NETFLIX_{year}_10K.pdf" for year in (2015, 2017)
        ]
        self.small = self._written(folder / "small", [text[:SMALL_CHARACTERS] for text in texts[:SMALL_FILES]])
        self.abstracts = self._written(folder / "abstracts", texts[-ABSTRACTS:])

    def _written(self, folder: Path, texts: Sequence[str]) -> list[Path]:
        folder.mkdir()
        for number, text in enumerate(texts):
            (folder / f"{number:05}.txt").write_text(text, encoding="utf-8")
        return [folder]


def report_pipeline(report: Report, data: Path, queries: Sequence[str]) -> None:
    """Every figure of this file."""
    with tempfile.TemporaryDirectory() as folder:
        corpora, homes = Corpora(data, Path(folder)), Homes(Path(folder))
        _questions_meanwhile(report, homes, corpora.filings, queries)
        _beside_engine(report, homes, "two filings (PDF)", corpora.filings, GOAL_RATIO_PDF)
        _beside_engine(report, homes, f"{ABSTRACTS:,} abstracts as files", corpora.abstracts, GOAL_RATIO_TEXT)
        _beside_engine(report, homes, f"{SMALL_FILES:,} small text files", corpora.small, GOAL_RATIO_TEXT)
    _growth(report)


def _beside_engine(report: Report, homes: Homes, name: str, files: list[Path], goal: float) -> None:
    """Pipeline, engine, engine, pipeline with the same texts, so that what else the machine does hits both."""
    watch = Watch()
    with homes.opened() as services:
        with watch.running():
            seconds, processor = _measured(lambda: services.ingest.add(files).wait())
        documents, texts, engine = services.library.documents(), services.chunk_texts(), services.engine()
        engine_seconds, engine_processor = _measured(lambda: _embed(engine, texts))
        engine_seconds += _measured(lambda: _embed(engine, texts))[0]
    with homes.opened() as services:
        seconds += _measured(lambda: services.ingest.add(files).wait())[0]
    chunks = 2 * len(texts)
    characters = sum(map(len, texts))
    report.note(
        f"{name}: {len(documents)} documents, {len(texts)} chunks, {psutil.getloadavg()[0]:.1f} processes waiting"
    )
    report.figure(f"{name}: text", 2 * characters / seconds / 1e6, "MB/s")
    report.figure(
        f"{name}: chunks, beside the bare engine",
        chunks / seconds,
        "1/s",
        baseline=chunks / engine_seconds,
        goal=goal,
        goal_is_ratio=True,
    )
    report.figure(
        f"{name}: processor time a chunk, beside the bare engine",
        1000 * processor / len(texts),
        "ms",
        baseline=1000 * engine_processor / len(texts),
        higher_is_better=False,
    )
    report.figure(f"{name}: peak memory of all processes", watch.peak / MEBIBYTE, "MiB", higher_is_better=False)


def _embed(embedder: Embedder, texts: Sequence[str]) -> None:
    for start in range(0, len(texts), ENGINE_BATCH):
        embedder.embed_passages(texts[start : start + ENGINE_BATCH])


def _measured(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall time, and of processor time of this process and the children it still has."""
    children = psutil.Process().children(recursive=True)
    wall, processor = time.perf_counter(), _processor_seconds(children)
    work()
    passed = time.perf_counter() - wall
    return passed, _processor_seconds(psutil.Process().children(recursive=True)) - processor


def _processor_seconds(children: Sequence[psutil.Process]) -> float:
    total = time.process_time()
    for child in children:
        try:
            total += sum(child.cpu_times()[:2])
        except psutil.Error:
            continue
    return total


def _questions_meanwhile(report: Report, homes: Homes, files: list[Path], queries: Sequence[str]) -> None:
    """The same questions to the same library, idle and while filings are read into it."""
    with homes.opened() as services:
        services.ingest.add(files[:1]).wait()
        for query in queries:
            services.library.search(query)
        idle = [_milliseconds(partial(services.library.search, query)) for query in list(queries) * 12]
        job = services.ingest.add(files[1:])
        busy: list[float] = []
        while not job.ended:
            busy.extend(_milliseconds(partial(services.library.search, query)) for query in queries)
            time.sleep(0.05)
        job.wait()
    report.note(f"{len(idle)} questions idle, {len(busy)} while reading")
    for name, place in (("p50", 49), ("p95", 94)):
        report.figure(
            f"one query while files are read, beside idle, {name}",
            statistics.quantiles(busy, n=100, method="inclusive")[place],
            "ms",
            baseline=statistics.quantiles(idle, n=100, method="inclusive")[place],
            goal=GOAL_QUERY_RATIO if name == "p95" else None,
            goal_is_ratio=True,
            higher_is_better=False,
        )


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


class StandIn:
    """Vectors without a model: what is measured is everything but the engine."""

    model_key = "stand-in"
    dimension = 384
    max_tokens = 256

    def __init__(self) -> None:
        self._chance = np.random.default_rng(1)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Embedder``."""
        vectors = self._chance.standard_normal((len(texts), self.dimension), dtype=np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """See ``Embedder``."""
        vector: NDArray[np.float32] = self.embed_passages([text])[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See ``Embedder``."""
        return [text.count(" ") + 3 for text in texts]

    def close(self) -> None:
        """See ``Embedder``."""


class StandInServices(Services):
    """Everything as the program makes it, but the engine."""

    def _make_embedder(self) -> Embedder:
        return StandIn()


def _growth(report: Report) -> None:
    """What a document of ten chunks costs in a library of a thousand chunks and in one of a hundred thousand."""
    with tempfile.TemporaryDirectory() as folder:
        services = StandInServices(AppPaths.from_environment({"FOOTNOTE_HOME": f"{folder}/home"}), writer=True)
        try:
            library = _GrowingLibrary(services, Path(folder))
            library.grow(1_000)
            small = library.cost()
            library.grow(GROWN_CHUNKS)
            large = library.cost()
            chunks = services.library.documents()[-1].id * CHUNKS_PER_DOCUMENT
        finally:
            services.close()
    report.note(f"{CHUNKS_PER_DOCUMENT} chunks a document, stand-in vectors, indexes kept up; {chunks:,} at the end")
    for name, place in (("time", 0), ("processor time", 1)):
        report.figure(
            f"{name} a document at {GROWN_CHUNKS:,} chunks, beside 1,000",
            1000 * large[place],
            "ms",
            baseline=1000 * small[place],
            goal=GOAL_GROWTH,
            goal_is_ratio=True,
            higher_is_better=False,
        )


class _GrowingLibrary:
    def __init__(self, services: Services, folder: Path) -> None:
        self._services = services
        self._folder = folder
        self._documents = 0
        self._words = [
            "harbour",
            "ice",
            "ferry",
            "tide",
            "crew",
            "cargo",
            "signal",
            "winter",
            "chart",
            "light",
            "pilot",
            "anchor",
        ]

    def grow(self, chunks: int) -> None:
        """Ingest until it holds so many chunks."""
        self._ingest(chunks // CHUNKS_PER_DOCUMENT - self._documents)

    def cost(self) -> tuple[float, float]:
        """Seconds of wall time and of processor time for a document, the median of three rounds."""
        rounds = [_measured(partial(self._ingest, MEASURED_DOCUMENTS)) for _ in range(3)]
        wall, processor = ([each[place] / MEASURED_DOCUMENTS for each in rounds] for place in (0, 1))
        return statistics.median(wall), statistics.median(processor)

    def _ingest(self, count: int) -> None:
        folder = self._folder / f"from {self._documents}"
        folder.mkdir()
        for number in range(self._documents, self._documents + count):
            paragraphs = (self._paragraph(number, each) for each in range(CHUNKS_PER_DOCUMENT))
            (folder / f"{number}.txt").write_text("\n\n".join(paragraphs), encoding="utf-8")
        self._documents += count
        self._services.ingest.add([folder]).wait()

    def _paragraph(self, document: int, number: int) -> str:
        chance = np.random.default_rng((document, number))
        return " ".join([f"d{document}", f"p{number}", *chance.choice(self._words, 130)]) + "."
