"""Process start to the first sentence of ``footnote ask``, and to an empty Python process for comparison."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.report import Report

REPOSITORY = Path(__file__).resolve().parent.parent.parent
QUESTIONS = (
    "On which days may I water in a dry summer?",
    "How long do tomato seeds keep?",
    "What does a half plot cost?",
    "What should I do about a wasp nest in the tool shed?",
    "When is the spring meeting?",
)
GOAL_SECONDS = 2.0


def run(report: Report) -> None:
    """Ask the sample library in fresh processes; the clock stops when the first answer text arrives."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"FOOTNOTE_HOME": home, "PYTHONPATH": str(REPOSITORY)}
        _run(["ingest", str(REPOSITORY / "resources" / "sample")], environment)
        _first_text(QUESTIONS[0], environment)  # the files come into the page cache
        seconds = [_first_text(question, environment) for question in QUESTIONS]
    bare = statistics.median(_bare_python() for _ in QUESTIONS)
    report.figure(
        "ask: process start to first sentence, median",
        statistics.median(seconds),
        "s",
        baseline=bare,
        goal=GOAL_SECONDS,
        higher_is_better=False,
    )
    report.figure("ask: slowest of five", max(seconds), "s", baseline=bare, goal=GOAL_SECONDS, higher_is_better=False)
    report.note("baseline: python -c pass")


def _run(arguments: list[str], environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "app", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL, timeout=600
    )


def _first_text(question: str, environment: dict[str, str]) -> float:
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "app", "ask", question], env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        text = b""
        while b"]" not in text and (more := os.read(process.stdout.fileno(), 4096)):
            text += more  # a sentence is complete when its footnote is there
        seconds = time.monotonic() - started
        process.stdout.read()
    if process.returncode or b"]" not in text:
        raise RuntimeError(f"no answer to {question!r}: {text!r}")
    return seconds


def _bare_python() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.monotonic() - started
