"""Killed at any moment of ingestion, the program loses nothing, doubles nothing and repeats nothing that was done."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.faults.chaos import LEAST_KILLS_PER_STATE, STATES, Chaos

KILLS = int(os.environ.get("FOOTNOTE_CHAOS_KILLS", "40"))
REAL_KILLS = 3

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed by signal")


@pytest.mark.requirement("R2")
def test_kills_at_random_points_of_ingestion(tmp_path: Path) -> None:
    report = Chaos(tmp_path, kills=KILLS, seed=11, files=40).run()
    print("\n".join(report.lines()))
    assert report.kills >= KILLS
    assert {state: report.in_state[state] for state in STATES if report.in_state[state] < LEAST_KILLS_PER_STATE} == {}


@pytest.mark.requirement("R2")
def test_kills_with_the_real_embedding_model(tmp_path: Path, models_dir: Path) -> None:
    for home in ("home", "fresh"):
        shutil.copytree(models_dir, tmp_path / home / "data" / "models", copy_function=os.link)
    report = Chaos(tmp_path, kills=REAL_KILLS, seed=3, files=12, real=True).run()
    assert report.kills == REAL_KILLS
