"""Fits the built-in answerer's two sums to questions of our own: ``python -m tests.benchmarks.tune_answerer``.

Writes ``resources/grounding/answerer.json`` and prints how well sums do that were fitted to the other passages. Every
passage becomes a file of a library, and each question meets the passages that a search there gives it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.bootstrap import Services
from app.chat_models.model import ChatModel
from app.grounding.candidates import Candidate, CandidateFinder, GivenPassage
from app.grounding.extractive import ExtractiveAnswerer
from app.grounding.measures import evidence_measures, sentence_measures
from app.grounding.questions import AnswerKind
from app.grounding.reading import ReadSentence, read
from app.grounding.selection import NO_EVIDENCE, Selection, promising
from app.grounding.sentences import split_sentences
from app.retrieval.embedder import Embedder
from app.settings.paths import AppPaths
from tests.benchmarks.bench_extractive import library, rows
from tests.benchmarks.remembering import RememberingEmbedder

REPOSITORY = Path(__file__).resolve().parent.parent.parent
DATA = REPOSITORY / "tests" / "grounding" / "data"
RESULT = REPOSITORY / "resources" / "grounding" / "answerer.json"
SETS = {
    "tuning.jsonl": 0.3,
    "long_answers.jsonl": 1.0,
    "articles.jsonl": 1.0,
    "pages.jsonl": 1.0,
    "everyday.jsonl": 1.0,
}
"""Files, and what their questions weigh where evidence is judged: short passages are easy."""

LIBRARIES = (("tuning.jsonl", "long_answers.jsonl"), ("articles.jsonl",), ("pages.jsonl",), ("everyday.jsonl",))
"""Sets that share a library. What one of them doesn't say must not stand in another."""

UNANSWERABLE_WEIGHT = 0.3
"""What the sentences of a question without an answer weigh: they are many, and alike."""

FOLDS = 5
SENTENCE_RIDGE, EVIDENCE_RIDGE = 3.0, 300.0
REFUSED_OF, REFUSED = "pages.jsonl", 0.81
"""What share of a set's unanswerable questions is to be refused, of that whose questions are most like a search's: four
fifths, and a little for the luck of other sets."""

Measures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what was read for it, which of that belongs to the answer, and the set it is from."""

    passage: str
    kind: AnswerKind
    answerable: bool
    read: Sequence[ReadSentence]
    gold: Sequence[bool]
    set: str


class Recorder(ExtractiveAnswerer):
    """Answers nothing; notes what it is given."""

    def __init__(self, seen: list[tuple[str, list[GivenPassage]]]) -> None:
        super().__init__(_no_embedder)
        self._seen = seen

    def _select(self, question: str, passages: Sequence[GivenPassage]) -> Selection:
        self._seen.append((question, list(passages)))
        return Selection((), NO_EVIDENCE)


class Recording(Services):
    """The program with a recorder in the answerer's place."""

    def __init__(self, paths: AppPaths, *, writer: bool, seen: list[tuple[str, list[GivenPassage]]]) -> None:
        super().__init__(paths, writer=writer)
        self._seen = seen

    def open_embedder(self) -> Embedder:
        """The program's embedder."""
        return self._embedder()

    def _make_answerer(self) -> ChatModel:
        return Recorder(self._seen)


def _no_embedder() -> Any:
    raise AssertionError("not needed")


def main() -> None:
    """Fit, tell how good it is, and write."""
    asked = [each for sets in LIBRARIES for each in ask(sets)]
    folds = _folds([each.passage for each in asked])
    flat = [one for each in asked for one in sentence_measures(each.read)]
    owner = np.repeat(np.arange(len(asked)), [len(each.read) for each in asked])
    gold = np.array([one for each in asked for one in each.gold])
    weights = np.array([1.0 if each.answerable else UNANSWERABLE_WEIGHT for each in asked])
    held_out, sentence = fitted(flat, gold, weights[owner], folds[owner], SENTENCE_RIDGE)
    evidence_rows = []
    for number, each in enumerate(asked):
        standings = dict(zip(each.read, held_out[owner == number].tolist(), strict=True))
        best = max(standings, key=standings.__getitem__)
        evidence_rows.append(evidence_measures(best, standings, each.kind))
    answerable = np.array([each.answerable for each in asked])
    found, evidence = fitted(evidence_rows, answerable, balanced(asked), folds, EVIDENCE_RIDGE)
    of_set = np.array([each.set == REFUSED_OF for each in asked])
    enough = float(np.quantile(found[of_set & ~answerable], REFUSED))
    evidence["bias"] -= enough
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"sentence": sentence, "evidence": evidence}, indent=1) + "\n", encoding="utf-8")
    _tell(asked, held_out, owner, found - enough)


def ask(sets: Sequence[str]) -> list[Asked]:
    """Read for every question of the sets what a search in a library of all their passages finds."""
    seen: list[tuple[str, list[GivenPassage]]] = []
    passages: dict[str, tuple[str, str, list[str]]] = {}
    questions: list[tuple[str, dict[str, Any]]] = []
    for name in sets:
        for row in rows(DATA / name):
            if "question" in row:
                questions.append((name, row))
            else:
                passages[row["passage"]] = (row["title"], *_text(row))

    found = []
    texts = {key: (title, text) for key, (title, text, _) in passages.items()}
    with library(texts, partial(Recording, seen=seen)) as services:
        embedder = RememberingEmbedder(services.open_embedder())
        for name, row in questions:
            list(services.chat.stream_answer(services.sessions.create().id, row["question"]))
            wanted = [passages[row["passage"]][2][number] for number in row["evidence"]]
            found.append(_read(name, row, seen.pop(), wanted, embedder))
    return [each for each in found if each.read]


def _text(row: dict[str, Any]) -> tuple[str, list[str]]:
    """A passage and its sentences."""
    if "sentences" in row:
        return row.get("joined", " ").join(row["sentences"]), row["sentences"]
    return row["text"], [row["text"][start:end] for start, end in split_sentences(row["text"])]


def _read(
    name: str,
    row: dict[str, Any],
    given: tuple[str, list[GivenPassage]],
    wanted: Sequence[str],
    embedder: RememberingEmbedder,
) -> Asked:
    question, passages = given
    finder = CandidateFinder(question, passages)
    sentences = read(question, promising(finder.candidates()), embedder)
    gold = [any(_same(each.candidate, text) for text in wanted) for each in sentences]
    return Asked(row["passage"], finder.kind, bool(wanted), sentences, gold, name)


def _same(candidate: Candidate, text: str) -> bool:
    one, two = "".join(candidate.text.split()), "".join(text.split())
    return one in two or two in one


def fitted(
    measured: Sequence[Measures],
    wanted: NDArray[np.bool_],
    weights: NDArray[np.float64],
    folds: NDArray[np.int64],
    ridge: float,
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Log-odds from fits to the other folds, and the weights and bias of a fit to all."""
    names = list(measured[0])
    values = np.array([[row[name] for name in names] for row in measured])
    middle, width = values.mean(axis=0), values.std(axis=0) + 1e-9
    scaled = (values - middle) / width
    held_out = np.zeros(len(values))
    for fold in range(FOLDS):
        rest = folds != fold
        model = logistic(scaled[rest], wanted[rest], weights[rest], ridge)
        held_out[~rest] = scaled[~rest] @ model[:-1] + model[-1]
    model = logistic(scaled, wanted, weights, ridge)
    slopes = model[:-1] / width
    described = {name: round(float(slope), 4) for name, slope in zip(names, slopes, strict=True)}
    return held_out, {"weights": described, "bias": round(float(model[-1] - slopes @ middle), 4)}


def logistic(
    values: NDArray[np.float64], wanted: NDArray[np.bool_], weights: NDArray[np.float64], ridge: float
) -> NDArray[np.float64]:
    """Logistic regression by Newton's method: a slope for each column and the intercept, which isn't held down."""
    columns = np.c_[values, np.ones(len(values))]
    penalty = ridge * np.eye(columns.shape[1])
    penalty[-1, -1] = 0.0
    model = np.zeros(columns.shape[1])
    for _ in range(15):
        likely = 1 / (1 + np.exp(-(columns @ model)))
        slope = columns.T @ (weights * (likely - wanted)) + penalty @ model
        bend = (columns * (weights * likely * (1 - likely))[:, None]).T @ columns + penalty
        model -= np.linalg.solve(bend, slope)
    return model


def balanced(asked: Sequence[Asked]) -> NDArray[np.float64]:
    """Weights that let the questions of each set and kind count as much with an answer as without."""
    weights = np.zeros(len(asked))
    for group in {(each.set, each.kind) for each in asked}:
        member = np.array([(each.set, each.kind) == group for each in asked])
        sides = [member & np.array([each.answerable is side for each in asked]) for side in (True, False)]
        if all(side.any() for side in sides):
            for side in sides:
                weights[side] = SETS[group[0]] * member.sum() / 2 / side.sum()
    return weights


def _folds(passages: Sequence[str]) -> NDArray[np.int64]:
    names = sorted(set(passages))
    numbers = dict(zip(names, np.random.default_rng(0).permutation(len(names)) % FOLDS, strict=True))
    return np.array([numbers[each] for each in passages])


def _tell(
    asked: Sequence[Asked], standings: NDArray[np.float64], owner: NDArray[np.int64], evidence: NDArray[np.float64]
) -> None:
    for name in SETS:
        members = [number for number, each in enumerate(asked) if each.set == name]
        yes = [number for number in members if asked[number].answerable]
        no = [number for number in members if not asked[number].answerable]
        first = [asked[number].gold[int(np.argmax(standings[owner == number]))] for number in yes]
        print(
            f"{name}: best sentence is part of the answer {_share(first)}, refused without an answer"
            f" {_share(evidence[no] < 0)}, let through with one {_share(evidence[yes] >= 0)}, area under the curve"
            f" {_area(evidence[yes], evidence[no]):.3f}, of the refused worth a look {_share(evidence[no] >= -2)}"
        )


def _share(values: Iterable[Any]) -> str:
    return f"{100 * float(np.mean(list(values))):.1f}%"


def _area(above: NDArray[np.float64], below: NDArray[np.float64]) -> float:
    return float((above[:, None] > below[None, :]).mean())


if __name__ == "__main__":
    main()
