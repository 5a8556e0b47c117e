"""The built-in answerer on CLAPNQ's development questions over all their passages, through the whole program.

Every passage becomes a file, is ingested, and every question is asked in a session of its own. An answer counts as
right when one of its footnotes opens the question's own passage. ROUGE-L is the mean over the answerable questions,
refused ones counting nothing. Limits of the answerer were set on questions and passages of our own, short ones and such
that need longer answers (``tuning.jsonl`` and ``long_answers.jsonl`` in ``tests/grounding/data``), whose figures stand
beside.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from app.bootstrap import Services
from app.domain.turns import StoredMessage, TurnFinished
from app.settings.paths import AppPaths
from tests.benchmarks.report import Report

Made = TypeVar("Made", bound=Services)
REPOSITORY = Path(__file__).resolve().parent.parent.parent
TEST_DATA = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
CLAPNQ = TEST_DATA / "qa" / "clapnq_dev"
OWN = REPOSITORY / "tests" / "grounding" / "data"
OWN_SETS = {"short own questions": "tuning.jsonl", "long own questions": "long_answers.jsonl"}
MARKER = re.compile(r"\s?\[\d+\]")
UNSAFE = re.compile(r"[^\w .,()'-]")
REFUSED_GOAL, RIGHT_GOAL, ROUGE_GOAL, SECONDS_GOAL = 48, 40, 50.0, 0.3


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the passage it belongs to, and the answers people wrote (none if it can't be answered)."""

    id: str
    text: str
    passage_id: str
    answerable: bool
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a question."""

    question: Question
    message: StoredMessage
    seconds: float

    @property
    def right(self) -> bool:
        """Whether it was answered with a footnote on the question's own passage."""
        return self.message.answered and self.question.passage_id in {
            citation.path.parent.name for citation in self.message.citations
        }

    @property
    def text(self) -> str:
        """The answer without footnote numbers; empty when it was refused."""
        return MARKER.sub("", self.message.text) if self.message.answered else ""


def run(report: Report) -> None:
    """Measure CLAPNQ, then our own questions."""
    if not CLAPNQ.is_dir():
        report.note(f"skipped: no data at {CLAPNQ}")
        return
    passages = {row["_id"]: (row["title"], row["text"]) for row in rows(CLAPNQ / "corpus.jsonl")}
    asked = ask_all(passages, _clapnq_questions())
    refused, right = _refused(asked), sum(each.right for each in asked if each.question.answerable)
    report.figure("CLAPNQ: refused of 60 unanswerable", refused, "questions", goal=REFUSED_GOAL)
    report.figure("CLAPNQ: answered with the right passage of 60", right, "questions", goal=RIGHT_GOAL)
    longest = max(len(each.message.sentences) for each in asked if each.message.answered)
    report.figure("CLAPNQ: longest answer", longest, "sentences", goal=4, higher_is_better=False)
    report.figure(
        "CLAPNQ: ROUGE-L over the answerable, refused as 0", rouge_l(asked, metrics().rouge_l), "%", goal=ROUGE_GOAL
    )
    recall, precision = evidence(asked)
    report.figure("CLAPNQ: evidence sentences that are cited, of the answered", recall, "%")
    report.figure("CLAPNQ: cited sentences that are evidence", precision, "%")
    _report_seconds(report, asked)
    _report_own_sets(report)


def _report_seconds(report: Report, asked: list[Asked]) -> None:
    seconds = sorted(each.seconds for each in asked)
    median = statistics.median(seconds)
    name = "CLAPNQ: seconds an answer, search included, median"
    report.figure(name, median, "s", goal=SECONDS_GOAL, higher_is_better=False)
    report.figure("CLAPNQ: seconds an answer, 95th percentile", seconds[int(0.95 * len(seconds))], "s")


def _report_own_sets(report: Report) -> None:
    """Both sets share one library."""
    passages = {each: text for file in OWN_SETS.values() for each, text in _own_passages(file).items()}
    questions = {name: own_questions(file) for name, file in OWN_SETS.items()}
    asked = ask_all(passages, [each for some in questions.values() for each in some])
    for name, some in questions.items():
        ids = {each.id for each in some}
        of_set = [each for each in asked if each.question.id in ids]
        answerable = [each for each in of_set if each.question.answerable]
        share = _refused(of_set) / (len(of_set) - len(answerable))
        report.figure(f"{name}: refused of the unanswerable", 100 * share, "%")
        right = sum(each.right for each in answerable) / len(answerable)
        report.figure(f"{name}: answered with the right passage", 100 * right, "%")


def ask_all(passages: dict[str, tuple[str, str]], questions: list[Question]) -> list[Asked]:
    """Ingest the passages (title and text by id) into a new library and ask every question."""
    with library(passages, Services) as services:
        _ask(services, questions[0])  # loads the models
        return [_ask(services, question) for question in questions]


def rouge_l(asked: list[Asked], measure: Callable[[str, str], tuple[float, float, float]]) -> float:
    """Mean ROUGE-L F-measure over the answerable questions, per cent."""
    scores = [
        max(measure(each.text, reference)[0] for reference in each.question.references)
        for each in asked
        if each.question.answerable
    ]
    return 100 * statistics.fmean(scores)


def evidence(asked: list[Asked]) -> tuple[float, float]:
    """Cited sentences against those that people named as evidence, over the answered answerable questions, per cent.

    Of several people the one who agrees most counts. A sentence is cited if a footnote's quote holds it, or the
    other way round, white space aside.
    """
    gold = {row["_id"]: row for row in rows(CLAPNQ / "qa.jsonl")}
    corpus = {row["_id"]: row["sentences"] for row in rows(CLAPNQ / "corpus.jsonl")}
    recalls: list[float] = []
    precisions: list[float] = []
    for each in asked:
        if not each.question.answerable or not each.message.answered:
            continue
        sentences = corpus[each.question.passage_id]
        quotes = ["".join(citation.quote.split()) for citation in each.message.citations]
        cited = {
            index
            for index, sentence in enumerate(sentences)
            for text in ["".join(sentence.split())]
            if any(text in quote or quote in text for quote in quotes if quote)
        }
        shares = [
            (len(cited & set(named)) / len(named), len(cited & set(named)) / max(len(quotes), 1))
            for named in gold[each.question.id]["evidence_sentences"]
        ]
        recall, precision = max(shares)
        recalls.append(recall)
        precisions.append(min(precision, 1.0))
    return 100 * statistics.fmean(recalls), 100 * statistics.fmean(precisions)


def _own_passages(file: str) -> dict[str, tuple[str, str]]:
    return {row["passage"]: (row["title"], row["text"]) for row in rows(OWN / file) if "text" in row}


def own_questions(file: str) -> list[Question]:
    """The questions of a set that the answerer's limits were set on."""
    return [
        Question(f"{file}-{number}", row["question"], row["passage"], bool(row["evidence"]))
        for number, row in enumerate(rows(OWN / file))
        if "question" in row
    ]


def _refused(asked: list[Asked]) -> int:
    return sum(not each.message.answered for each in asked if not each.question.answerable)


@contextmanager
def library(passages: dict[str, tuple[str, str]], made: Callable[..., Made]) -> Iterator[Made]:
    """Services over a new library of the passages (title and text by id), each a file in a folder named by its id."""
    with tempfile.TemporaryDirectory() as folder:
        documents = Path(folder) / "documents"
        for passage_id, (title, text) in passages.items():
            path = documents / passage_id / (UNSAFE.sub("_", title) + ".txt")
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
        paths = AppPaths.from_environment({"FOOTNOTE_HOME": str(Path(folder) / "home")})
        services = made(paths, writer=True)
        try:
            services.ingest.add([documents]).wait()
            yield services
        finally:
            services.close()


def _ask(services: Services, question: Question) -> Asked:
    session = services.sessions.create(question.id)
    began = time.monotonic()
    events = list(services.chat.stream_answer(session.id, question.text))
    seconds = time.monotonic() - began
    last = events[-1]
    if not isinstance(last, TurnFinished):
        raise TypeError(f"no answer to {question.text!r}: {last}")
    return Asked(question, last.message, seconds)


def _clapnq_questions() -> list[Question]:
    return [
        Question(row["_id"], row["question"], row["doc_id"], row["answerable"], tuple(row["answers"]))
        for row in rows(CLAPNQ / "qa.jsonl")
    ]


def metrics() -> Any:
    """The scorers that come with the data."""
    path = TEST_DATA / "scoring" / "metrics.py"
    spec = importlib.util.spec_from_file_location("scoring_metrics", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]
