"""The command line as a user runs it: a process of its own with a home of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Result:
    """What a command left: exit status, both streams, and the JSON lines if there are any."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Footnote:
    """Runs ``footnote`` with ``FOOTNOTE_HOME`` at ``home``."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"FOOTNOTE_HOME": str(self.home), "PYTHONPATH": str(REPOSITORY)}

    def __call__(self, *arguments: str | Path, stdin: str = "") -> Result:
        finished = subprocess.run(
            [sys.executable, "-m", "app", *map(str, arguments)],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return Result(finished.returncode, finished.stdout, finished.stderr)


@pytest.fixture
def footnote(tmp_path: Path, sample_footnote: Footnote) -> Footnote:
    """A Footnote with an empty library. The converted search model is taken over, which saves seconds a test."""
    home = tmp_path / "home"
    shutil.copytree(sample_footnote.home / "data" / "models", home / "data" / "models", copy_function=os.link)
    return Footnote(home)


@pytest.fixture(scope="session")
def sample_footnote(tmp_path_factory: pytest.TempPathFactory) -> Footnote:
    """A Footnote whose library holds the sample documents. Don't change it."""
    footnote = Footnote(tmp_path_factory.mktemp("sample") / "home")
    result = footnote("ingest", REPOSITORY / "resources" / "sample", "--json")
    assert result.status == 0, result.err
    return footnote
