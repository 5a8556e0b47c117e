"""The check of sentences against passages, on pairs made from CLAPNQ's answerable development questions.

Supported sentences are those of the passage that people named as evidence and those of the answers that people wrote.
Each is checked as it is, with a number or a name altered, with two names exchanged, and against another sentence's
passage (``support_pairs`` says how). Limits were set on ``tests/grounding/data/support.jsonl``, whose figures stand
below; CLAPNQ's pairs are not looked at for that.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.bootstrap import Services
from app.domain.citations import Support
from app.domain.passages import Passage
from app.grounding.footnotes import Claim
from app.grounding.sentences import split_sentences
from app.grounding.support import SupportChecker
from app.grounding.support_claims import is_claim
from app.settings.paths import AppPaths
from tests.benchmarks.report import Report
from tests.benchmarks.support_pairs import Item, Pair, pairs

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TEST_DATA = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
CLAPNQ = TEST_DATA / "qa" / "clapnq_dev"
OWN = REPOSITORY / "tests" / "grounding" / "data"
CAUGHT_GOALS = {"number": 95.0, "name": 90.0, "unrelated": 98.0}
MARKED_GOAL = 5.0

Marked = Callable[[Pair], bool]


def run(report: Report) -> None:
    """Measure CLAPNQ's pairs and our own, and the time of one sentence."""
    with _checker() as checker:
        if CLAPNQ.is_dir():
            _report(report, "CLAPNQ", pairs(clapnq_items()), checker, goals=True)
        else:
            report.note(f"skipped: no data at {CLAPNQ}")
        _report(report, "own examples", own_pairs(), checker, goals=False)


def clapnq_items() -> list[Item]:
    """The sentences that are evidence, and those of the answers, each once for its passage."""
    corpus = {row["_id"]: row for row in _rows(CLAPNQ / "corpus.jsonl")}
    items: dict[tuple[str, str], Item] = {}
    for row in _rows(CLAPNQ / "qa.jsonl"):
        if not row["answerable"]:
            continue
        source = corpus[row["doc_id"]]
        evidence = [source["sentences"][index] for indexes in row["evidence_sentences"] for index in indexes]
        answers = [text[start:end] for text in row["answers"] for start, end in split_sentences(text)]
        for sentence in (*evidence, *answers):
            if is_claim(sentence):
                item = Item(row["question"], source["title"], source["text"], " ".join(sentence.split()))
                items[source["_id"], item.sentence] = item
    return list(items.values())


def own_pairs() -> list[Pair]:
    """The pairs that the limits were set on."""
    texts = {row["passage"]: row for row in _rows(OWN / "tuning.jsonl") if "text" in row}
    rows = _rows(OWN / "support.jsonl")
    items = [
        Item("", texts[row["passage"]]["title"], texts[row["passage"]]["text"], row["sentence"])
        for row in rows
        if row["kind"] == "supported"
    ]
    written = [
        Pair(row["kind"], "", texts[row["passage"]]["title"], texts[row["passage"]]["text"], row["sentence"])
        for row in rows
        if row["kind"] != "supported"
    ]
    return [*pairs(items), *written]


def _report(report: Report, name: str, made: Sequence[Pair], checker: SupportChecker, *, goals: bool) -> None:
    seconds: list[float] = []

    def marked(pair: Pair) -> bool:
        passage = Passage(1, 1, Path("/passage"), pair.title, "hash", 0, len(pair.passage), pair.passage, 1.0)
        began = time.monotonic()
        verdict = checker.verdicts(pair.question, [Claim(pair.sentence, ("p1",))], {"p1": passage})[0]
        seconds.append(time.monotonic() - began)
        return verdict.support is not Support.SUPPORTED

    for kind in ("number", "name", "unrelated", "swapped", "supported"):
        of_kind = [marked(pair) for pair in made if pair.kind == kind]
        share = 100 * sum(of_kind) / len(of_kind)
        what = "marked" if kind == "supported" else "caught"
        wanted = (MARKED_GOAL if kind == "supported" else CAUGHT_GOALS.get(kind)) if goals else None
        label = f"{name}: {kind}, {what} of {len(of_kind)}"
        report.figure(label, share, "%", goal=wanted, higher_is_better=kind != "supported")
    report.figure(f"{name}: one sentence, median", 1000 * statistics.median(seconds), "ms")
    report.figure(f"{name}: one sentence, 95th percentile", 1000 * sorted(seconds)[int(0.95 * len(seconds))], "ms")


@contextmanager
def _checker() -> Iterator[SupportChecker]:
    with tempfile.TemporaryDirectory() as folder:
        services = Services(AppPaths.from_environment({"FOOTNOTE_HOME": folder}), writer=True)
        try:
            yield services.support
        finally:
            services.close()


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]
