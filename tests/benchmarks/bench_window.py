"""The window: how soon it is there, how fast a long chat opens, how smooth and how costly a long answer is.

Every figure comes from processes of their own, on a display made for the purpose where there is ``xvfb-run``. Python
may keep its bytecode, as it does where a program is installed.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.report import Report

REPOSITORY = Path(__file__).resolve().parent.parent.parent
HOME = "FOOTNOTE_HOME"
STARTS = 9
PATIENCE_SECONDS = 900


def run(report: Report) -> None:
    """Measure the start, then a chat of 5,000 messages, then an answer of 100,000 tokens."""
    report.note(f"display: {'xvfb' if _display() else 'offscreen'}; baseline of the start: an empty PySide6 window")
    _start(report)
    _open(report)
    _stream(report)
    _long(report)


def _start(report: Report) -> None:
    with tempfile.TemporaryDirectory() as home:
        times: dict[str, list[dict[str, float]]] = {"empty": [], "program": []}
        for number in range(STARTS + 1):
            for what, found in times.items():
                if number:  # the first ones fill the page cache
                    found.append(_started(what, home))
                else:
                    _started(what, home)
    report.note(f"{STARTS} rounds, the empty window and the program in turn; medians")
    empty = statistics.median(each["painted"] for each in times["empty"])
    painted = statistics.median(each["painted"] for each in times["program"])
    typed = statistics.median(each["typed"] for each in times["program"])
    _lower(report, "process start to first painted window", painted, "s", 1.5, baseline=empty, goal_is_ratio=True)
    _lower(report, "process start to a typed key in the composer", typed, "s", 1.0)


def _open(report: Report) -> None:
    found = _child("open")
    _lower(report, "open a chat of 5,000 messages, median of 7", 1000 * statistics.median(found["open"]), "ms", 150)
    _lower(report, "open a chat of 5,000 messages, slowest of 7", 1000 * max(found["open"]), "ms", None)
    _lower(report, "memory of the idle window, all services built", found["idle"], "MB", None)


def _stream(report: Report) -> None:
    found = _child("stream")
    stalls = sorted(found["stalls"])
    rate = found["characters"] / 4 / found["seconds"]
    report.note(f"{found['characters']:,} characters in {found['seconds']:.1f} s: {rate:,.0f} tokens/s arrived")
    _lower(report, "stall while streaming into 5,000 messages, p99", 1000 * stalls[int(0.99 * len(stalls))], "ms", 16)
    _lower(report, "stall while streaming into 5,000 messages, worst", 1000 * stalls[-1], "ms", 50)


def _long(report: Report) -> None:
    found = _child("long")
    report.note(f"answer of {found['characters']:,} characters")
    _lower(report, "memory after an answer of 100,000 tokens", found["after"], "MB", None, baseline=found["before"])
    costs = [1e6 * each for each in found["costs"]]
    report.note("µs a token by tenths of the answer: " + " ".join(f"{each:.0f}" for each in costs))
    _lower(
        report, "rendering a token, last tenth to first", costs[-1], "µs", 1.5, baseline=costs[0], goal_is_ratio=True
    )


def _lower(report: Report, name: str, value: float, unit: str, goal: float | None, **named: Any) -> None:
    report.figure(name, value, unit, goal=goal, higher_is_better=False, **named)


def _display() -> list[str]:
    """What goes before a command to give it a display."""
    command = shutil.which("xvfb-run")
    return [command, "-a", "-s", "-screen 0 1440x900x24"] if command else []


def _environment(home: str = "") -> dict[str, str]:
    display = {} if _display() else {"QT_QPA_PLATFORM": "offscreen"}
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", HOME)}
    bytecode = {"PYTHONPYCACHEPREFIX": str(REPOSITORY / "build" / "bench" / "bytecode")}
    return {**inherited, **display, **bytecode, "PYTHONPATH": str(REPOSITORY), **({HOME: home} if home else {})}


def _started(what: str, home: str) -> dict[str, float]:
    """Seconds from the start of the process; the shell notes the time, as the display takes its own to come up."""
    shell = f'date +%s.%N; exec "{sys.executable}" -m tests.benchmarks.window_start_child {what}'
    done = subprocess.run(
        [*_display(), "sh", "-c", shell],
        cwd=REPOSITORY,
        env=_environment(home),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    begun, *rest = done.stdout.split("\n")
    times = {name: float(at) - float(begun) for name, at in (line.split() for line in rest if line)}
    if "painted" not in times or (what == "program" and "typed" not in times):
        raise RuntimeError(f"the window ended too early: {done.stdout}{done.stderr}")
    return times


def _child(what: str) -> dict[str, Any]:
    time.sleep(0.5)  # the display of the process before goes down
    done = subprocess.run(
        [*_display(), sys.executable, "-m", "tests.benchmarks.window_chat_child", what],
        cwd=REPOSITORY,
        env=_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    found: dict[str, Any] = json.loads(done.stdout.strip().split("\n")[-1])
    return found
