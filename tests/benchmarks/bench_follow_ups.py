"""Follow-up questions: is the right passage found, with the question as it was typed and as it is completed?

The dialogues are our own (``tests/grounding/data/dialogues.jsonl``): 214 passages in which the same is said of many
things, 84 follow-ups in seven languages, and 36 questions that stand alone, which must stay as they are. The words by
which follow-ups are known were chosen on the part called tuning; the other was written after them.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.bootstrap import Services
from app.domain.turns import StoredMessage
from app.grounding.follow_ups import standalone_question
from app.settings.paths import AppPaths
from tests.benchmarks.report import Report

DIALOGUES = Path(__file__).resolve().parent.parent / "grounding" / "data" / "dialogues.jsonl"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Turns, the question behind them, and the passage that answers it; ``None`` where it stands alone."""

    history: tuple[StoredMessage, ...]
    question: str
    passage: str | None
    part: str


def dialogues() -> tuple[dict[str, tuple[str, str]], list[Dialogue]]:
    """The passages (title and text by id), and the dialogues."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in DIALOGUES.read_text("utf-8").splitlines()]
    passages = {row["passage"]: (row["title"], row["text"]) for row in rows if "text" in row}
    asked = [
        Dialogue(history_of(row["turns"]), row["question"], row.get("passage"), row["part"])
        for row in rows
        if "question" in row
    ]
    return passages, asked


def history_of(turns: Sequence[Sequence[str]]) -> tuple[StoredMessage, ...]:
    """Stored messages of (question, answer) pairs."""
    messages: list[StoredMessage] = []
    for question, answer in turns:
        messages.append(StoredMessage(len(messages) + 1, "bench", "user", question))
        messages.append(StoredMessage(len(messages) + 1, "bench", "assistant", answer))
    return tuple(messages)


def run(report: Report) -> None:
    """Search for every follow-up both ways; count the questions that were changed without need."""
    passages, asked = dialogues()
    names = {passage: str(number) for number, passage in enumerate(passages)}  # folders are searched too: tell nothing
    with _library({names[each]: passages[each] for each in passages}) as services:
        for part in ("tuning", "held out"):
            of_part = [each for each in asked if each.part == part and each.passage]
            for k in (1, 3):
                before = _found(services, of_part, names, k, rewritten=False)
                after = _found(services, of_part, names, k, rewritten=True)
                name = f"{part}: right passage among the first {k}, of {len(of_part)}"
                report.figure(name, after, "questions", baseline=before)
    alone = [each for each in asked if not each.passage]
    changed = sum(standalone_question(each.question, each.history) != each.question for each in alone)
    report.figure(f"changed of {len(alone)} that stand alone", changed, "questions", goal=0, higher_is_better=False)
    began = time.perf_counter()
    for each in asked:
        standalone_question(each.question, each.history)
    report.figure("time for a question", 1000 * (time.perf_counter() - began) / len(asked), "ms")


def _found(services: Services, asked: Sequence[Dialogue], names: dict[str, str], k: int, *, rewritten: bool) -> int:
    found = 0
    for each in asked:
        query = standalone_question(each.question, each.history) if rewritten else each.question
        hits = services.library.search(query, k=k)
        found += any(hit.path.parent.name == names[each.passage or ""] for hit in hits)
    return found


@contextmanager
def _library(passages: dict[str, tuple[str, str]]) -> Iterator[Services]:
    with tempfile.TemporaryDirectory() as folder:
        documents = Path(folder) / "documents"
        for name, (title, text) in passages.items():
            (documents / name).mkdir(parents=True)
            (documents / name / f"{title}.txt").write_text(text, encoding="utf-8")
        services = Services(AppPaths.from_environment({"FOOTNOTE_HOME": str(Path(folder) / "home")}), writer=True)
        try:
            services.ingest.add([documents]).wait()
            services.open_indexes()
            yield services
        finally:
            services.close()
