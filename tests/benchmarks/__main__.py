"""Run benchmarks: ``python -m tests.benchmarks [NAME…]``, all of them without a NAME (the part after ``bench_``)."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

from app.__main__ import prepare_process
from tests.benchmarks.report import HEADER, Report

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER.parent.parent / "build" / "bench"


def main(names: list[str]) -> int:
    """Run the named benchmarks one after another. Returns 1 if a goal was missed or a name is unknown."""
    prepare_process()
    known = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.stderr.write(f"no such benchmark: {', '.join(unknown)} (there are: {', '.join(known)})\n")
        return 1
    missed = 0
    for name in names or known:
        missed += _run(name)
    sys.stdout.write(f"\n{missed} goal(s) missed; figures are in build/bench\n")
    return 1 if missed else 0


def _run(name: str) -> int:
    sys.stdout.write(f"\n{name}\n{HEADER}\n")
    report = Report(name, RESULTS, sys.stdout)
    started = time.monotonic()
    importlib.import_module(f"tests.benchmarks.bench_{name}").run(report)
    report.note(f"took {time.monotonic() - started:.0f} s")
    return sum(figure.met is False for figure in report.figures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
