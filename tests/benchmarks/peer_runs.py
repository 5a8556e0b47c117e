"""Runs pipelines in processes of their own and watches the memory of each with all its children."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from tests.benchmarks.peers.pipeline import Outcome, Task

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PEERS = ("langchain", "llama_index", "txtai")
TITLES = {"footnote": "Footnote", "langchain": "LangChain", "llama_index": "LlamaIndex", "txtai": "txtai"}
WATCH_SECONDS = 0.1


class PeersMissingError(RuntimeError):
    """The environment of the peers was not made."""


def peer_python() -> Path:
    """The interpreter of the peers' environment. Raises ``PeersMissingError`` where there is none."""
    folder = Path(os.environ.get("FOOTNOTE_BENCH_ENV", REPOSITORY / "build" / "bench-env"))
    python = folder / "bin" / "python"
    if not python.exists():
        raise PeersMissingError("the other pipelines are not installed; run: make setup-peers")
    return python


def run_pipeline(name: str, task: Task) -> Outcome:
    """Run the pipeline ``name`` on ``task``. ``peak_bytes`` is the largest sum of its processes' own memory (USS).

    Raises ``PeersMissingError``, or ``RuntimeError`` with what the process printed if it failed.
    """
    python = Path(sys.executable) if name == "footnote" else peer_python()
    with tempfile.TemporaryDirectory() as folder:
        request, reply, log = (Path(folder) / each for each in ("task.json", "outcome.json", "log"))
        request.write_text(json.dumps(task.to_json()), encoding="utf-8")
        command = [str(python), "-m", "tests.benchmarks.peers", name, str(request), str(reply)]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=output, env=_environment())
            peak = _watched(process)
        if process.returncode:
            raise RuntimeError(f"{name} failed: {log.read_text('utf-8', 'replace')[-2000:]}")
        outcome = Outcome.from_json(json.loads(reply.read_text(encoding="utf-8")))
    outcome.peak_bytes = peak
    return outcome


def _environment() -> dict[str, str]:
    quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true", "ANONYMIZED_TELEMETRY": "false"}
    return {**os.environ, **quiet, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONWARNINGS": "ignore"}


def _watched(process: subprocess.Popen[bytes]) -> int:
    peak = 0
    while True:
        try:
            process.wait(timeout=WATCH_SECONDS)
        except subprocess.TimeoutExpired:
            peak = max(peak, _memory(process.pid))
        else:
            return peak


def _memory(pid: int) -> int:
    total = 0
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return 0
    for each in family:
        try:
            total += each.memory_full_info().uss
        except psutil.Error:
            continue  # it ended between the two calls
    return total
