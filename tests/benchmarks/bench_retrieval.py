"""Quality and speed of searching, through the same parts that the program uses.

Quality: SciFact's test queries (BEIR), nDCG@10, a document counting as its best passage. Speed: the same queries on the
same corpus, and on 100,000 passages recombined from its sentences, whose vectors are random.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.domain.documents import Chunk, Section, assemble
from app.domain.passages import Scope, SearchMode
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.text_splitter import CHUNK_TOKENS, TextSplitter
from app.retrieval.vector_index import VectorIndex
from tests.benchmarks.report import Report
from tests.benchmarks.retrieval_sets import json_lines, load_metrics
from tests.benchmarks.shelf import CACHE, REPOSITORY, Shelf, default_embedder

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder

PASSAGES_FOR_TEN_DOCUMENTS = 40
LARGE = 100_000
CHUNKS_PER_DOCUMENT = 100
SENTENCES_PER_CHUNK = 6
GOALS = {SearchMode.DENSE: 0.645, SearchMode.KEYWORD: 0.692, SearchMode.HYBRID: 0.7238}
PUBLISHED = {SearchMode.DENSE: 0.645, SearchMode.KEYWORD: 0.687, SearchMode.HYBRID: None}
OPENING_GOAL_MS = 1_000.0


class SciFact:
    """Claims and abstracts; ``metrics`` is the reference scorer that comes with the data."""

    def __init__(self, data: Path) -> None:
        folder = data / "retrieval" / "scifact"
        self.documents = json_lines(folder / "corpus.jsonl")
        self.queries = {row["_id"]: row["text"] for row in json_lines(folder / "queries.jsonl")}
        self.metrics = load_metrics(data)
        self._folder = folder

    def judgements(self, part: str) -> dict[str, dict[str, int]]:
        """Relevant documents by query; ``part`` is ``train`` or ``test``."""
        judged: dict[str, dict[str, int]] = self.metrics.read_qrels(str(self._folder / "qrels" / f"{part}.tsv"))
        return judged

    def sentences(self) -> list[str]:
        """All sentences of the abstracts, roughly."""
        return [sentence for row in self.documents for sentence in row["text"].split(". ") if sentence]


def run(report: Report) -> None:
    """Report quality on SciFact and latency on two sizes."""
    data = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (data / "retrieval" / "scifact").is_dir():
        report.note(f"no reference data at {data}: set FOOTNOTE_TEST_DATA")
        return
    scifact = SciFact(data)
    with default_embedder() as embedder:
        with tempfile.TemporaryDirectory() as folder:
            shelf = scifact_shelf(scifact, embedder, Path(folder))
            report.note(f"{shelf.vectors.status().vectors} passages of {len(scifact.documents)} abstracts")
            _report_quality(report, scifact, shelf)
            queries = [scifact.queries[each] for each in scifact.judgements("test")]
            _report_latency(report, "SciFact", shelf, queries, None)
            shelf.close()
        _report_large(report, scifact, embedder)


def scifact_shelf(scifact: SciFact, embedder: Embedder, folder: Path) -> Shelf:
    """The abstracts in a library, split, embedded and indexed as ingestion does it."""
    shelf = Shelf(folder, embedder, embedder.model_key)
    splitter = TextSplitter(embedder.count_tokens, max_tokens=embedder.max_tokens, target_tokens=CHUNK_TOKENS.default)
    with shelf.database.write():
        for row in scifact.documents:
            parsed = assemble([Section(row["text"])], title=row["title"], media_type="text/plain")
            shelf.put(row["_id"], parsed, splitter.split(parsed), embedder.embed_passages, embedder.model_key)
    shelf.open()
    return shelf


def ranked_documents(shelf: Shelf, query: str, mode: SearchMode) -> list[str]:
    """Names of documents in the order of their best passages."""
    passages = shelf.retriever.search(query, k=PASSAGES_FOR_TEN_DOCUMENTS, mode=mode)
    return list(dict.fromkeys(passage.path.name for passage in passages))


def ndcg(scifact: SciFact, shelf: Shelf, mode: SearchMode, part: str) -> float:
    """nDCG@10 over all queries of a part."""
    judged = scifact.judgements(part)
    found = {query_id: ranked_documents(shelf, scifact.queries[query_id], mode) for query_id in judged}
    return float(scifact.metrics.retrieval(judged, found)["ndcg@10"])


def _report_quality(report: Report, scifact: SciFact, shelf: Shelf) -> None:
    for mode in (SearchMode.DENSE, SearchMode.KEYWORD, SearchMode.HYBRID):
        value = ndcg(scifact, shelf, mode, "test")
        report.figure(f"SciFact nDCG@10, {mode}", value, "", baseline=PUBLISHED[mode], goal=GOALS[mode])
    report.note("baseline: published, all-MiniLM-L6-v2 and BM25")


def _report_latency(report: Report, name: str, shelf: Shelf, queries: Sequence[str], scope: Scope | None) -> None:
    plain = _milliseconds(lambda query: shelf.embedder.embed_query(query), queries[:50])
    taken = _milliseconds(lambda query: shelf.retriever.search(query, k=10, scope=scope), queries)
    p95 = statistics.quantiles(taken, n=20)[-1]
    baseline = statistics.median(plain)
    report.figure(f"{name}: hybrid query p50", statistics.median(taken), "ms", baseline=baseline)
    report.figure(f"{name}: hybrid query p95", p95, "ms", baseline=baseline, higher_is_better=False)
    report.note("baseline: embedding the query alone, p50")


def _report_large(report: Report, scifact: SciFact, embedder: Embedder) -> None:
    shelf = Shelf(CACHE / f"synthetic-{LARGE}", embedder, "synthetic")
    if shelf.store.vector_count("synthetic") != LARGE:
        _fill(shelf, scifact.sentences(), embedder.dimension)
    shelf.open()
    queries = [scifact.queries[each] for each in scifact.judgements("test")]
    _report_latency(report, "100,000 passages", shelf, queries, None)
    documents = frozenset(record.id for record in shelf.store.documents()[::CHUNKS_PER_DOCUMENT])
    _report_latency(report, "100,000 passages, 1% in scope", shelf, queries, Scope(document_ids=documents))
    _report_opening(report, shelf)
    shelf.close()


def _report_opening(report: Report, shelf: Shelf) -> None:
    def opened(_: str) -> None:
        vectors = VectorIndex(shelf.store, shelf.folder / "index", "synthetic", shelf.embedder.dimension, writer=False)
        keywords = KeywordIndex(shelf.store, shelf.folder / "index", writer=False)
        vectors.open()
        keywords.open()
        vectors.close()
        keywords.close()

    taken = statistics.median(_milliseconds(opened, [""] * 5))
    report.figure(
        "100,000 passages: opening both indexes to read", taken, "ms", goal=OPENING_GOAL_MS, higher_is_better=False
    )


def _fill(shelf: Shelf, sentences: Sequence[str], dimension: int) -> None:
    chance, numbers = random.Random(1), np.random.default_rng(1)

    def random_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = numbers.standard_normal((len(texts), dimension), dtype=np.float32)
        lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= lengths
        return vectors

    with shelf.database.write():
        for number in range(LARGE // CHUNKS_PER_DOCUMENT):
            texts = [". ".join(chance.sample(sentences, SENTENCES_PER_CHUNK)) for _ in range(CHUNKS_PER_DOCUMENT)]
            parsed = assemble([Section(text) for text in texts], title=f"Document {number}", media_type="text/plain")
            chunks = [Chunk(each.section.text, each.start, each.end, token_count=200) for each in parsed.sections]
            shelf.put(f"{number}.txt", parsed, chunks, random_vectors, "synthetic")


def _milliseconds(work: Callable[[str], object], queries: Iterable[str]) -> list[float]:
    taken = []
    for query in queries:
        started = time.perf_counter()
        work(query)
        taken.append(1000 * (time.perf_counter() - started))
    return taken
