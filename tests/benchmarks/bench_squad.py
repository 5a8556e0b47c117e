"""The built-in answerer on SQuAD 2.0's development questions (3,199 of them), over all passages, through the program.

Answers are scored as SQuAD 2.0 does, answerable and unanswerable questions apart. The answerer quotes whole sentences
where SQuAD wants spans of a few words, so its F1 is low even where it is right: beside it stands the share of answers
that hold a wanted span. Many questions meet the same sentences, so these are embedded once only, which changes no
answer; a figure for the time of an answer is CLAPNQ's. ``FOOTNOTE_SQUAD_QUESTIONS`` says how many questions are asked
(drawn by chance, seeded); all take a quarter of an hour.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.bootstrap import Services
from app.chat_models.model import ChatModel
from app.domain.turns import TurnFinished
from app.grounding.extractive import ExtractiveAnswerer
from app.services.lazy import Lazy
from tests.benchmarks.bench_extractive import MARKER, TEST_DATA, library, metrics, rows
from tests.benchmarks.remembering import RememberingEmbedder
from tests.benchmarks.report import Report

if TYPE_CHECKING:
    pass

SQUAD = TEST_DATA / "qa" / "squad2_dev"
QUESTIONS = int(os.environ.get("FOOTNOTE_SQUAD_QUESTIONS", "600"))


class RememberingServices(Services):
    """The program, whose answerer embeds each sentence once."""

    def _make_answerer(self) -> ChatModel:
        return ExtractiveAnswerer(Lazy(lambda: RememberingEmbedder(self._embedder())))


def run(report: Report) -> None:
    """Ask, and score with the scorer that comes with the data."""
    if not SQUAD.is_dir():
        report.note(f"skipped: no data at {SQUAD}")
        return
    gold = rows(SQUAD / "qa.jsonl")
    asked = random.Random(2).sample(gold, min(QUESTIONS, len(gold)))
    passages = {row["_id"]: (row["title"], row["text"]) for row in rows(SQUAD / "corpus.jsonl")}
    answers: dict[str, str] = {}
    cited: dict[str, set[str]] = {}
    seconds: list[float] = []
    with library(passages, RememberingServices) as services:
        for row in asked:
            began = time.monotonic()
            answers[row["_id"]], cited[row["_id"]] = _answer(services, row["question"])
            seconds.append(time.monotonic() - began)
    scores = metrics().qa(asked, answers)
    answerable = [row for row in asked if not row["is_impossible"]]
    held = [any(each["text"].lower() in answers[row["_id"]].lower() for each in row["answers"]) for row in answerable]
    found = [row["doc_id"] in cited[row["_id"]] for row in answerable]
    size = f"of {len(asked)} questions"
    report.figure(f"SQuAD2: HasAns F1, whole sentences, {size}", scores["HasAns_f1"], "%")
    report.figure("SQuAD2: HasAns answered", scores["HasAns_answered"], "%")
    report.figure("SQuAD2: HasAns, the answer holds a wanted span", 100 * statistics.fmean(held), "%")
    report.figure("SQuAD2: HasAns, a footnote opens the right passage", 100 * statistics.fmean(found), "%")
    report.figure("SQuAD2: unanswerable refused", scores["unanswerable_acc"], "%")
    report.figure("SQuAD2: seconds an answer without its embeddings, median", statistics.median(seconds), "s")


def _answer(services: Services, question: str) -> tuple[str, set[str]]:
    """The answer without numbers, empty if refused, and the passages it cites (each is a folder of its own)."""
    session = services.sessions.create()
    last = list(services.chat.stream_answer(session.id, question))[-1]
    if not isinstance(last, TurnFinished):
        raise TypeError(f"no answer to {question!r}: {last}")
    places = {Path(each.path).parent.name for each in last.message.citations}
    return (MARKER.sub("", last.message.text) if last.message.answered else ""), places
