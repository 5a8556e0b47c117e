"""``footnote evaluate``: how well search does on the user's own questions."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.bootstrap import Services, open_services
from app.cli.output import Output
from app.domain.errors import BadInputError
from app.domain.findings import counted
from app.domain.passages import SearchMode
from app.retrieval.ranking_metrics import RankingScores, first_rank
from app.services.evaluation import EvaluationReport, LevelScores, QuestionResult
from app.services.evaluation_file import RowProblem, read_questions
from app.services.evaluation_targets import EvaluationQuestion

# Hybrid first: among equals it is named as the best, as it is what answers use.
MODES = (SearchMode.HYBRID, SearchMode.DENSE, SearchMode.KEYWORD)
DEEPEST = 100
SHOWN_PROBLEMS = 20
SHOWN_FAILURES = 10
LONGEST_SHOWN = 70


def evaluate(options: argparse.Namespace, output: Output) -> int:
    """Score search on a file of questions or on what the window kept, or forget the latter."""
    if [options.file is not None, options.from_feedback, options.clear_feedback].count(True) != 1:
        raise BadInputError("Give either a FILE of questions, or --from-feedback, or --clear-feedback.")
    if not 1 <= options.k <= DEEPEST:
        raise BadInputError(f"-k takes a number from 1 to {DEEPEST}, not {options.k}.")
    with open_services(os.environ, writer=False) as services:
        if options.clear_feedback:
            return _clear(services, output)
        questions = _kept(services, output) if options.from_feedback else _from_file(services, options, output)
        modes = MODES if options.mode == "all" else (SearchMode(options.mode),)
        report = services.measuring.evaluation.score(questions, modes=modes, depth=options.k)
    for result in report.results if output.as_json else ():
        output.row(_result_row(result), "")
    output.row({"summary": _summary(report)}, "\n".join(_report_lines(report)))
    return 0


def _clear(services: Services, output: Output) -> int:
    count = services.measuring.feedback.clear()
    output.row({"cleared": count}, f"{count} kept {'example' if count == 1 else 'examples'} forgotten.")
    return 0


def _kept(services: Services, output: Output) -> Sequence[EvaluationQuestion]:
    kept = services.measuring.evaluation.kept()
    if kept.rejected:
        output.note(f"Answers with thumbs down, which name no right place and are left out: {kept.rejected}.")
    if kept.gone:
        output.note(f"Places in files that are no longer in the library, left out: {kept.gone}.")
    if not kept.questions:
        raise BadInputError(
            "There are no examples yet. Open footnotes or give answers a thumb up in the window, then measure."
        )
    output.note("These examples are places that search had found, so they show what gets worse, not what it misses.")
    return kept.questions


def _from_file(services: Services, options: argparse.Namespace, output: Output) -> Sequence[EvaluationQuestion]:
    rows, problems = read_questions(*_read(options.file))
    if not services.library.documents():
        raise BadInputError("The library is empty: add files first.")
    questions, unknown = services.measuring.evaluation.resolve(rows)
    problems = sorted([*problems, *unknown], key=lambda each: each.line)
    if problems:
        for line in _problem_lines(options.file, problems):
            output.problem(line)
        if not options.skip_bad or not questions:
            left = "" if not questions else " --skip-bad leaves these lines out."
            raise BadInputError(f"Nothing was scored: correct what is wrong above.{left}")
    return questions


def _read(name: str) -> tuple[str, bytes]:
    if name == "-":
        return "standard input", sys.stdin.buffer.read()
    try:
        return name, Path(name).read_bytes()
    except OSError as error:
        raise BadInputError(f"{name} can't be read: {error.strerror}.") from error


def _problem_lines(name: str, problems: Sequence[RowProblem]) -> Iterator[str]:
    for problem in problems[:SHOWN_PROBLEMS]:
        yield f"{name}, line {problem.line}: {problem.message}{'' if problem.message.endswith('?') else '.'}"
    if len(problems) > SHOWN_PROBLEMS:
        yield f"… and {len(problems) - SHOWN_PROBLEMS} more lines."


# -- for scripts ---------------------------------------------------------------------------------------------------


def _result_row(result: QuestionResult) -> dict[str, object]:
    question = result.question
    return {
        "line": question.line,
        "question": question.text,
        "expected": [target.label for target in question.targets],
        "ranks": {
            mode: {"file": first_rank(ranks.files), "page": first_rank(ranks.places)}
            for mode, ranks in result.ranks.items()
        },
        "first": {mode: str(ranks.first) if ranks.first else None for mode, ranks in result.ranks.items()},
    }


def _summary(report: EvaluationReport) -> dict[str, object]:
    return {
        "questions": len(report.results),
        "k": report.depth,
        "passages": report.passages,
        "files": _level_row(report.files, report.depth),
        "pages": _level_row(report.places, report.depth) if report.places else None,
        "best": report.best,
        "failed": [{"line": each.question.line, "question": each.question.text} for each in report.failed],
    }


def _level_row(level: LevelScores, depth: int) -> dict[str, object]:
    return {mode: _scores_row(scores, depth) for mode, scores in level.scores.items()} | {"best": level.best}


def _scores_row(scores: RankingScores, depth: int) -> dict[str, object]:
    hits = {f"hit@{k}": round(share, 4) for k, share in scores.hits.items()}
    return {
        "questions": scores.questions,
        **hits,
        f"mrr@{depth}": round(scores.mrr, 4),
        "ndcg@10": round(scores.ndcg, 4),
    }


# -- for people ----------------------------------------------------------------------------------------------------


def _report_lines(report: EvaluationReport) -> Iterator[str]:
    yield counted(len(report.results), "question") + f", {report.passages} passages looked at for each."
    yield ""
    yield from _table("Files", report.files, report.depth)
    if report.places is not None:
        yield ""
        count = next(iter(report.places.scores.values())).questions
        yield from _table(f"Pages ({counted(count, 'question')})", report.places, report.depth)
    if len(report.files.scores) > 1:
        yield ""
        yield _verdict("files", report.files)
        if report.places is not None:
            yield _verdict("pages", report.places)
    yield ""
    yield from _failures(report)


def _table(title: str, level: LevelScores, depth: int) -> Iterator[str]:
    cutoffs = list(next(iter(level.scores.values())).hits)
    heads = [*(f"hit@{k}" for k in cutoffs), f"MRR@{depth}", "nDCG@10"]
    yield f"{title:<26}" + "".join(f"{head:>9}" for head in heads)
    for mode, scores in level.scores.items():
        shares = "".join(f"{share:>9.0%}" for share in scores.hits.values())
        yield f"  {mode:<24}{shares}{scores.mrr:>9.3f}{scores.ndcg:>9.3f}"


def _verdict(what: str, level: LevelScores) -> str:
    best = level.best
    equal = [each.other for each in level.comparisons if level.scores[each.other].ndcg == level.scores[best].ndcg]
    others = [each for each in level.comparisons if each.other not in equal]
    if not others:
        return f"Over {what}, {_listed([best, *equal])} rank equally well."
    parts = []
    for each in others:
        doubt = "; chance alone may make such a difference" if each.too_small_to_tell else ""
        parts.append(f"than {each.other} (better on {counted(each.better, 'question')}, worse on {each.worse}{doubt})")
    verb = "rank" if equal else "ranks"
    return f"Over {what}, {_listed([best, *equal])} {verb} best: better {' and '.join(parts)}."


def _failures(report: EvaluationReport) -> Iterator[str]:
    best, depth = report.best, report.depth
    if not report.failed:
        yield f"With {best}, every question has its answer among the first {depth}."
        return
    count = counted(len(report.results), "question")
    yield f"Not among the first {depth} with {best}: {len(report.failed)} of {count}."
    for result in report.failed[:SHOWN_FAILURES]:
        place = f"line {result.question.line}: " if result.question.line is not None else ""
        yield f"  {place}“{_short(result.question.text)}”"
        yield f"    expected {_expected(result)}; {_found_instead(result, best)}"
    if len(report.failed) > SHOWN_FAILURES:
        yield f"  … and {len(report.failed) - SHOWN_FAILURES} more; --json lists them all."


def _expected(result: QuestionResult) -> str:
    names = [target.label for target in result.question.targets]
    return _short(", ".join(names))


def _found_instead(result: QuestionResult, best: SearchMode) -> str:
    ranks = result.ranks[best]
    parts = [f"first stands {ranks.first.name}" if ranks.first else "nothing was found"]
    file, place = first_rank(ranks.files), first_rank(ranks.places)
    if ranks.places and file is not None:
        parts.append(f"the file is at {file}, the right place " + (f"at {place}" if place else "nowhere"))
    elif file is not None:
        parts.append(f"the file is at {file}")
    for mode in result.ranks:
        rank = first_rank(result.finest(mode))
        if mode is not best and rank is not None:
            parts.append(f"{mode} has it at {rank}")
    return "; ".join(parts)


def _listed(modes: Sequence[SearchMode]) -> str:
    return " and ".join(modes)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SHOWN else line[: LONGEST_SHOWN - 1] + "…"
