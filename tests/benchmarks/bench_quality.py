"""Quality of searching on the retrieval sets, with one configuration for all: what a new user gets.

Every set is ranked by meaning, by words and by both; where places in a text are judged, also as excerpts (hits that
touch are joined, weak ones left out), which is what the goals are about there. With ``FOOTNOTE_BENCH_PEERS=1`` the
other pipelines rank the same files and queries with the same weights (an hour or two).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.domain.passages import SearchMode
from tests.benchmarks.peer_quality import report_peers
from tests.benchmarks.ranking import LibraryOfSet
from tests.benchmarks.report import Report
from tests.benchmarks.retrieval_sets import LANGUAGES, RetrievalData, RetrievalSet
from tests.benchmarks.shelf import REPOSITORY, default_embedder

GOALS = {
    ("SciFact", "nDCG@10"): 0.73,
    ("XQuAD en", "nDCG@10"): 0.98,
    ("XQuAD es", "nDCG@10"): 0.96,
    ("XQuAD zh", "nDCG@10"): 0.97,
    ("FinanceBench, inside the document", "page found"): 0.70,
    ("FinanceBench, all documents", "page found"): 0.62,
    ("chunking evaluation", "recall"): 92.0,
    ("chunking evaluation", "IoU"): 7.0,
}
"""What the hybrid search is to reach."""


def scored_sets(data: RetrievalData) -> list[list[RetrievalSet]]:
    """The sets in groups that share their documents."""
    return [
        [data.scifact()],
        *([data.xquad(language)] for language in LANGUAGES),
        [data.filings(inside=True), data.filings(inside=False)],
        [data.chunking()],
    ]


def run(report: Report) -> None:
    """Score every set in the three modes."""
    folder = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "retrieval").is_dir():
        report.note(f"no reference data at {folder}: set FOOTNOTE_TEST_DATA")
        return
    groups = scored_sets(RetrievalData(folder))
    with default_embedder() as embedder:
        for group in groups:
            with tempfile.TemporaryDirectory() as place:
                library = LibraryOfSet(group[0].documents, embedder, Path(place))
                for each in group:
                    report_modes(report, each, library)
                library.close()
    if os.environ.get("FOOTNOTE_BENCH_PEERS") == "1":
        report_peers(report, groups)


def report_modes(
    report: Report,
    each: RetrievalSet,
    library: LibraryOfSet,
    modes: Sequence[SearchMode] = (SearchMode.DENSE, SearchMode.KEYWORD, SearchMode.HYBRID),
) -> None:
    """Report all figures of a set, by mode; the hybrid ones beside the better of the two others."""
    found: dict[str, list[float]] = {}
    for mode in modes:
        for name, value in library.scores(each, mode).items():
            best = max(found.get(name, [0.0]))
            hybrid = mode is SearchMode.HYBRID
            goal = GOALS.get((each.name, name)) if hybrid and not each.excerpts else None
            report.figure(f"{each.name}: {name}, {mode}", value, "", baseline=best if hybrid else None, goal=goal)
            found.setdefault(name, []).append(value)
    if each.excerpts:
        for name, value in library.excerpt_scores(each).items():
            whole = found[name][-1]
            report.figure(
                f"{each.name}: {name}, excerpts", value, "", baseline=whole, goal=GOALS.get((each.name, name))
            )
