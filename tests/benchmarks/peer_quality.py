"""Other pipelines on the retrieval sets: the same files, questions, weights, threads and batches."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.bench_peers import model_folder
from tests.benchmarks.peer_runs import PEERS, TITLES, PeersMissingError, run_pipeline
from tests.benchmarks.peers.pipeline import Hit, Outcome, Query, Task
from tests.benchmarks.report import Report
from tests.benchmarks.retrieval_sets import FileDocument, RetrievalSet, TextDocument

CHARACTERS_PER_TOKEN = 4


def report_peers(report: Report, groups: Sequence[Sequence[RetrievalSet]]) -> None:
    """Rank every set with every peer."""
    for group in groups:
        for peer in PEERS:
            try:
                _report_group(report, group, peer)
            except PeersMissingError as missing:
                report.note(f"left out: {missing}")
                return


def _report_group(report: Report, group: Sequence[RetrievalSet], peer: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = {document.name: _file(document, Path(folder)) for document in group[0].documents}
        queries = [
            Query(question.text, str(paths[question.document]) if question.document else None)
            for each in group
            for question in each.questions
        ]
        files = [str(path) for path in paths.values()]
        outcome = run_pipeline(peer, Task(files, queries, str(model_folder()), k=max(each.k for each in group)))
    _score(report, group, outcome, {str(path): name for name, path in paths.items()}, TITLES[peer])


def _score(report: Report, group: Sequence[RetrievalSet], outcome: Outcome, names: dict[str, str], title: str) -> None:
    hits = iter(outcome.hits)
    for each in group:
        found = {question.id: [_named(hit, names) for hit in next(hits)] for question in each.questions}
        tokens = {ident: [len(hit.text) // CHARACTERS_PER_TOKEN for hit in ranked] for ident, ranked in found.items()}
        for name, value in each.scorer(found, tokens).items():
            report.figure(f"{each.name}: {name}, {title}", value, "")


def _named(hit: Hit, names: dict[str, str]) -> Hit:
    return Hit(names[hit.file], hit.start, hit.end, hit.text, hit.page)


def _file(document: TextDocument | FileDocument, folder: Path) -> Path:
    if isinstance(document, FileDocument):
        return document.path
    path = folder / f"{document.name}.txt"
    path.write_text(f"{document.title}\n\n{document.text}\n" if document.title else document.text, encoding="utf-8")
    return path
