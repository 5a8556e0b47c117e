"""Figures of benchmarks: a table on the screen and one JSON object a line in ``build/bench``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Protocol


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. ``ratio`` is value / baseline, ``met`` is None where there is no goal."""

    name: str
    value: float
    unit: str
    baseline: float | None
    ratio: float | None
    goal: float | None
    met: bool | None


class Report:
    """Collects the figures of one benchmark; every figure is printed and written the moment it is known."""

    def __init__(self, name: str, folder: Path, screen: IO[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{name}.jsonl"
        self._path.write_text("", encoding="utf-8")
        self._screen = screen
        self.figures: list[Figure] = []

    def figure(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        baseline: float | None = None,
        goal: float | None = None,
        higher_is_better: bool = True,
        goal_is_ratio: bool = False,
    ) -> Figure:
        """Record a figure. With ``goal_is_ratio`` the goal is for value / baseline instead of the value."""
        ratio = value / baseline if baseline else None
        judged = ratio if goal_is_ratio else value
        met = None if goal is None or judged is None else (judged >= goal if higher_is_better else judged <= goal)
        figure = Figure(name, value, unit, baseline, ratio, goal, met)
        self.figures.append(figure)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(figure)) + "\n")
        self._screen.write(_row(figure) + "\n")
        self._screen.flush()
        return figure

    def note(self, text: str) -> None:
        """A line on the screen that is no figure (a configuration, a skipped part)."""
        self._screen.write(f"  {text}\n")
        self._screen.flush()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _row(figure: Figure) -> str:
    verdict = {None: "", True: "met", False: "NOT MET"}[figure.met]
    return (
        f"  {figure.name:<58} {_number(figure.value):>10} {figure.unit:<10} "
        f"{_number(figure.baseline):>10} {_number(figure.ratio):>8} {_number(figure.goal):>8} {verdict}"
    )


HEADER = f"  {'figure':<58} {'value':>10} {'unit':<10} {'baseline':>10} {'ratio':>8} {'goal':>8}"


class Benchmark(Protocol):
    """What a ``bench_*.py`` file holds."""

    run: Callable[[Report], None]
