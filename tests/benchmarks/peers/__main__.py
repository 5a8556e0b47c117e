"""Run one pipeline on one task: ``python -m tests.benchmarks.peers NAME TASK.json OUTCOME.json``."""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import time
from pathlib import Path

from tests.benchmarks.peers.pipeline import Outcome, Pipeline, Task

PIPELINES = {
    "footnote": "FootnotePipeline",
    "langchain": "LangChainPipeline",
    "llama_index": "LlamaIndexPipeline",
    "txtai": "TxtaiPipeline",
}


def main(name: str, task_file: Path, outcome_file: Path) -> None:
    """Ingest and search as the task says, and write the outcome."""
    task = Task.from_json(json.loads(task_file.read_text(encoding="utf-8")))
    _limit_threads(name, task.threads)
    module = importlib.import_module(f"tests.benchmarks.peers.{name}_pipeline")
    pipeline = getattr(module, PIPELINES[name])(task)
    with contextlib.closing(pipeline) if hasattr(pipeline, "close") else contextlib.nullcontext():
        outcome = measure(pipeline, task)
    outcome_file.write_text(json.dumps(outcome.to_json()), encoding="utf-8")


def measure(pipeline: Pipeline, task: Task) -> Outcome:
    """Time ingestion as a whole and each search by itself."""
    pipeline.warm_up(task.warm_up)
    started = time.perf_counter()
    pipeline.ingest([Path(file) for file in task.files])
    seconds = time.perf_counter() - started
    outcome = Outcome(pipeline.ingested(), seconds, [])
    if task.queries:
        pipeline.search(task.queries[0], task.k)
    for query in task.queries:
        asked = time.perf_counter()
        outcome.hits.append(pipeline.search(query, task.k))
        outcome.query_milliseconds.append(1000 * (time.perf_counter() - asked))
    return outcome


def _limit_threads(name: str, threads: int) -> None:
    """Footnote sets its own number of threads; the others compute with torch."""
    if name != "footnote":
        import torch

        torch.set_num_threads(threads)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
