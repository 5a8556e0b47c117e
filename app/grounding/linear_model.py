"""Weighted sums of measures, with weights that come with the program."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from app.settings.resources import resource


@dataclass(frozen=True, slots=True)
class LinearModel:
    """``bias`` plus each measure times its weight: the log-odds that a logistic regression gives."""

    weights: Mapping[str, float]
    bias: float

    def score(self, measures: Mapping[str, float]) -> float:
        """The sum. Raises ``KeyError`` for a measure without a weight."""
        return self.bias + sum(self.weights[name] * value for name, value in measures.items())


@cache
def answer_model(name: str) -> LinearModel:
    """``sentence`` or ``evidence``, fitted by ``python -m tests.benchmarks.tune_answerer``."""
    described = json.loads(resource("grounding", "answerer.json").read_text(encoding="utf-8"))[name]
    return LinearModel(described["weights"], described["bias"])


def probability(log_odds: float) -> float:
    """What log-odds stand for, 0 to 1."""
    return 1 / (1 + math.exp(-max(log_odds, -700.0)))
