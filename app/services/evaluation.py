"""Scores search on questions whose right answers are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.passages import Passage, SearchMode
from app.retrieval.ranking_metrics import RankingScores, first_rank, mean_scores, ndcg, sign_test
from app.retrieval.retriever import CONTEXT_CANDIDATES, Retriever
from app.services.evaluation_file import QuestionRow, RowError, RowProblem
from app.services.evaluation_targets import EvaluationQuestion, Target, TargetFinder
from app.services.feedback_questions import KeptQuestions, questions_from
from app.storage.feedback_store import FeedbackStore
from app.storage.library_store import LibraryStore

CUTOFFS = (1, 3, 5, 10)
PASSAGES_PER_RESULT = 6
"""Passages looked at for each file or page of the depth, as several may stand in one."""

CHANCE = 0.1
"""A difference that chance makes more often than this is called too small to tell."""

Ranks = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class ModeRanks:
    """Where a mode ranked what answers a question, among files and among places (pages, or passages without pages).

    Targets of one file, or of one page, are one. ``places`` is empty where the question names none. ``first`` is the
    file that stood first.
    """

    files: Ranks
    places: Ranks
    first: Path | None


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """One question with its ranks by mode."""

    question: EvaluationQuestion
    ranks: dict[SearchMode, ModeRanks]

    def finest(self, mode: SearchMode) -> Ranks:
        """The ranks among places where the question names one, else among files."""
        return self.ranks[mode].places or self.ranks[mode].files


@dataclass(frozen=True, slots=True)
class Comparison:
    """The best mode against another, question by question."""

    other: SearchMode
    better: int
    worse: int

    @property
    def too_small_to_tell(self) -> bool:
        """Whether chance alone may well have made the difference."""
        return sign_test(self.better, self.worse) > CHANCE


@dataclass(frozen=True, slots=True)
class LevelScores:
    """All modes on one level: files or places."""

    scores: dict[SearchMode, RankingScores]
    best: SearchMode
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """The outcome. ``places`` is None if no question names any. ``failed`` found nothing by the best mode."""

    results: tuple[QuestionResult, ...]
    depth: int
    passages: int
    files: LevelScores
    places: LevelScores | None
    failed: tuple[QuestionResult, ...]

    @property
    def best(self) -> SearchMode:
        """The mode that ranks best on the finest level."""
        return (self.places or self.files).best


class Evaluation:
    """Measures search; changes nothing. Methods block; they raise what the library and the search model raise."""

    def __init__(self, store: LibraryStore, open_retriever: Callable[[], Retriever], feedback: FeedbackStore) -> None:
        self._store = store
        self._open_retriever = open_retriever
        self._feedback = feedback

    def resolve(self, rows: Sequence[QuestionRow]) -> tuple[list[EvaluationQuestion], list[RowProblem]]:
        """Rows as questions, and what the library lacks for the others. Rows of one question are put together."""
        finder = TargetFinder(self._store)
        problems: list[RowProblem] = []
        questions: dict[tuple[object, ...], EvaluationQuestion] = {}
        for row in rows:
            try:
                found = finder.question(row)
            except RowError as error:
                problems.append(RowProblem(row.line, str(error)))
                continue
            key = (found.text, found.scope)
            questions[key] = _joined(questions[key], found) if key in questions else found
        return list(questions.values()), problems

    def kept(self) -> KeptQuestions:
        """The questions that the window kept."""
        return questions_from(self._feedback.examples(), self._store)

    def score(
        self, questions: Sequence[EvaluationQuestion], *, modes: Sequence[SearchMode], depth: int = 10
    ) -> EvaluationReport:
        """Search for every question in every mode. Raises ``ValueError`` without questions or modes."""
        if not questions or not modes:
            raise ValueError("nothing to score")
        passages = max(CONTEXT_CANDIDATES, PASSAGES_PER_RESULT * depth)
        results = tuple(self._results(questions, modes, passages))
        with_places = [each for each in results if each.ranks[modes[0]].places]
        files = _level(results, modes, depth, lambda result, mode: result.ranks[mode].files)
        places = (
            _level(with_places, modes, depth, lambda result, mode: result.ranks[mode].places) if with_places else None
        )
        best = (places or files).best
        failed = tuple(each for each in results if (first_rank(each.finest(best)) or depth + 1) > depth)
        return EvaluationReport(results, depth, passages, files, places, failed)

    def _results(
        self, questions: Sequence[EvaluationQuestion], modes: Sequence[SearchMode], passages: int
    ) -> Iterator[QuestionResult]:
        retriever = self._open_retriever()
        for question in questions:
            yield QuestionResult(
                question,
                {
                    mode: ranks_of(
                        question.targets, retriever.search(question.text, k=passages, mode=mode, scope=question.scope)
                    )
                    for mode in modes
                },
            )


def ranks_of(targets: Sequence[Target], passages: Sequence[Passage]) -> ModeRanks:
    """Where the targets stand. A file, and a page, ranks where its first passage does."""
    files = list(dict.fromkeys(passage.document_id for passage in passages))
    places: dict[tuple[int, int | None, int], list[Passage]] = {}
    for passage in passages:
        key = (passage.document_id, passage.page, passage.start if passage.page is None else 0)
        places.setdefault(key, []).append(passage)
    wanted_files = dict.fromkeys(target.document_ids for target in targets)
    wanted_places = {target.pages or target.spans: target for target in targets if target.has_place}
    found_files = tuple(
        next((rank for rank, document in enumerate(files, 1) if document in wanted), None) for wanted in wanted_files
    )
    found_places = tuple(
        next((rank for rank, held in enumerate(places.values(), 1) if any(map(target.holds, held))), None)
        for target in wanted_places.values()
    )
    return ModeRanks(found_files, found_places, passages[0].path if passages else None)


def _joined(one: EvaluationQuestion, two: EvaluationQuestion) -> EvaluationQuestion:
    targets = tuple(dict.fromkeys((*one.targets, *two.targets)))
    return EvaluationQuestion(one.text, targets, one.scope, one.line)


def _level(
    results: Sequence[QuestionResult],
    modes: Sequence[SearchMode],
    depth: int,
    ranks: Callable[[QuestionResult, SearchMode], Ranks],
) -> LevelScores:
    """Scores of all modes; the best is the one with the highest nDCG, the first of ``modes`` among equals."""
    cutoffs = sorted({k for k in CUTOFFS if k <= depth} | {depth})
    scores = {
        mode: mean_scores([ranks(each, mode) for each in results], cutoffs=cutoffs, depth=depth) for mode in modes
    }
    best = max(modes, key=lambda mode: round(scores[mode].ndcg, 6))
    comparisons = []
    for mode in modes:
        if mode is not best:
            pairs = [(ndcg(ranks(each, best)), ndcg(ranks(each, mode))) for each in results]
            better, worse = sum(one > two for one, two in pairs), sum(one < two for one, two in pairs)
            comparisons.append(Comparison(mode, better, worse))
    return LevelScores(scores, best, tuple(comparisons))
