"""``footnote doctor``: is everything in order? With ``--check`` it reads everything, with ``--repair`` it repairs."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from app.bootstrap import open_services
from app.cli.main import EXIT_FAILED
from app.cli.output import Output
from app.domain.errors import DamagedDatabaseError
from app.domain.findings import Finding, FindingCode, counted
from app.services.library_check import CheckReport, damage
from app.services.library_repair import salvage
from app.settings.paths import AppPaths

PROGRESS_SECONDS = 1.0
MOST_SALVAGES = 3
"""Both databases, and one that was damaged again meanwhile."""


def doctor(options: argparse.Namespace, output: Output) -> int:
    """Print the diagnosis, check or repair. Returns 1 if there are problems, at the end of a repair too."""
    if options.repair:
        return _repair(output)
    if options.check:
        report = _check(output)
        _print_report(report, output)
        return EXIT_FAILED if report.problems else 0
    with open_services(os.environ, writer=False) as services:
        diagnosis = services.doctor.examine()
        proposal = services.embedding_models.proposal() if not diagnosis.problems else None
    row = asdict(diagnosis)
    proposed = [f"proposed: {proposal.reason}"] if proposal else []
    output.row(
        row | {"proposed_model": proposal.model.name if proposal else None}, "\n".join([*_lines(row), *proposed])
    )
    return EXIT_FAILED if diagnosis.problems else 0


def _check(output: Output) -> CheckReport:
    progress = _Progress(output)
    try:
        with open_services(os.environ, writer=False) as services:
            return services.check.run(progress)
    except DamagedDatabaseError as error:
        return CheckReport((damage(error),), {}, 0.0)


def _repair(output: Output) -> int:
    report = _check(output)
    for _ in range(MOST_SALVAGES):
        damaged = next((each.database for each in report.problems if _needs_salvage(each)), None)
        if damaged is None:
            break
        _salvage(damaged, output)
        report = _check(output)
    if report.findings:
        with open_services(os.environ, writer=True) as services:
            repairs = services.repair.run(report)
        for sentence in repairs.done:
            output.row({"repaired": sentence}, f"repaired: {sentence}")
        for sentence in repairs.left:
            output.row({"left": sentence}, f"left as it is: {sentence}")
        _read_and_embed()
        report = _check(output)
    _print_report(report, output)
    return EXIT_FAILED if report.problems else 0


def _needs_salvage(finding: Finding) -> bool:
    return finding.code is FindingCode.DATABASE and finding.database is not None


def _salvage(database: Path, output: Output) -> None:
    """Only the owner of the library may exchange its files."""
    from app.storage.library_lock import LibraryLock

    paths = AppPaths.from_environment(os.environ)
    with LibraryLock(paths.library_lock):
        saved = salvage(paths, database)
    rows = sum(saved.rows.values())
    words = f"{database.name} was made anew with {rows:,} rows that could be read; the damaged file is {saved.kept}"
    if saved.from_backup is not None:
        words = f"{database.name} was unreadable; the backup {saved.from_backup} is in its place, the file {saved.kept}"
    output.row({"repaired": words}, f"repaired: {words}")


def _read_and_embed() -> None:
    """What the repair queued. Opening the indexes makes them anew where they were forgotten."""
    with open_services(os.environ, writer=True) as services:
        job = services.ingest.resume_pending()
        if job is not None:
            job.wait()
            if job.failure:
                raise job.failure
        services.open_indexes()


class _Progress:
    """Says now and then how far the check is, to people only."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._said = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._said >= PROGRESS_SECONDS:
            self._said = now
            self._output.note(f"checking {what}" + (f": {done:,} of {total:,}" if total else ""))


def _print_report(report: CheckReport, output: Output) -> None:
    for finding in report.findings:
        output.row(_finding_row(finding), f"{finding.severity.value}: {finding.message}")
    looked_at = {name: f"{count:,}" for name, count in report.looked_at.items()}
    seen = ", ".join(f"{count} {name}" for name, count in looked_at.items()) or "nothing could be read"
    row = {
        "check": {
            **report.looked_at,
            "problems": len(report.problems),
            "notes": len(report.notes),
            "seconds": round(report.seconds, 3),
        }
    }
    words = counted(len(report.problems), "problem") if report.problems else "Everything is in order"
    advice = " `footnote doctor --repair` repairs what can be." if report.problems else ""
    output.row(row, f"{words}: {seen} checked in {report.seconds:.1f} s.{advice}")


def _finding_row(finding: Finding) -> dict[str, object]:
    return {
        "severity": finding.severity.value,
        "code": finding.code.value,
        "message": finding.message,
        "documents": list(finding.document_ids),
        "chunks": list(finding.chunk_ids),
        "paths": [str(path) for path in finding.paths],
    }


def _lines(row: Mapping[str, object]) -> list[str]:
    lines = []
    for name, value in row.items():
        title = name.replace("_", " ")
        if isinstance(value, Mapping):
            lines.append(f"{title}:")
            lines += [f"  {str(key).replace('_', ' '):<22} {_text(item)}" for key, item in value.items()]
        elif isinstance(value, tuple):
            lines += [f"{title}:", *(f"  {item}" for item in value)] if value else [f"no {title}"]
        else:
            lines.append(f"{title:<24} {_text(value)}")
    return lines


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "") else str(value)
