"""Engines side by side: start, one question, bulk, agreement with the reference, size; and the splitter's speed.

All run the same weights on the same texts (abstracts of SciFact, cut by our splitter) with the same two threads, in one
process after another for the start and in turns for the rest. The baseline is sentence-transformers, batch size 32.
Processor time a chunk says more than chunks a second where other programs use the machine.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.domain.documents import Section, assemble
from app.retrieval.engine_choice import Engine, EngineChoice, Precision
from app.retrieval.model_files import ALL_MINILM, ModelFiles, packaged_folder
from app.retrieval.model_tokenizer import ModelTokenizer
from app.retrieval.on_demand_embedder import OnDemandEmbedder
from app.retrieval.text_splitter import CHUNK_TOKENS, TextSplitter
from tests.benchmarks.onnx_peer import OnnxEmbedder, export
from tests.benchmarks.report import Report

REPOSITORY = Path(__file__).resolve().parent.parent.parent
THREADS = 2
CHUNKS = 192
ROUNDS = 3
STARTS = 3
GOAL_START_SECONDS = 0.5
GOAL_FP32_COSINE = 0.9999
GOAL_INT8_COSINE = 0.99
GOAL_BULK_RATIO = 2.0
REFERENCE = "sentence-transformers fp32"
QUESTIONS = [f"what raises the risk of condition {number} in adults over fifty?" for number in range(40)]

_START = """
import sys, time
from pathlib import Path
{body}
embed("what does the report say about revenue?")
"""
_OURS = """
from app.retrieval.engine_choice import EngineChoice, Precision
from app.retrieval.model_files import ALL_MINILM, ModelFiles, packaged_folder
from app.retrieval.on_demand_embedder import OnDemandEmbedder
files = ModelFiles(packaged_folder(ALL_MINILM), ALL_MINILM.name, ALL_MINILM.sha256)
embed = OnDemandEmbedder(files, Path(sys.argv[1]), EngineChoice(precision=Precision("{precision}")), print).embed_query
"""
_REFERENCE = """
from sentence_transformers import SentenceTransformer
embed = SentenceTransformer(sys.argv[2], device="cpu").encode
"""
_ONNX = """
from app.retrieval.model_files import ALL_MINILM, ModelFiles
from tests.benchmarks.onnx_peer import OnnxEmbedder
embed = OnnxEmbedder(Path(sys.argv[1]), ModelFiles(Path(sys.argv[2]), "", ALL_MINILM.sha256), 2).embed_query
"""


class Subject(Protocol):
    """What is measured of an engine."""

    def embed_passages(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        """Vectors of passages."""
        ...

    def embed_query(self, text: str, /) -> NDArray[np.float32]:
        """Vector of a question."""
        ...


def run(report: Report) -> None:
    """Measure all engines; ONNX Runtime too where it is installed."""
    files = ModelFiles(packaged_folder(ALL_MINILM), ALL_MINILM.name, ALL_MINILM.sha256)
    texts = _texts(report, files)
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder)
        subjects = _subjects(report, files, models)
        _starts(report, files, models, list(subjects))
        _speeds(report, subjects, texts)
    for subject in subjects.values():
        if isinstance(subject, OnDemandEmbedder):
            subject.close()


def _texts(report: Report, files: ModelFiles) -> list[str]:
    """Chunks of SciFact; on the way, how fast they were cut."""
    data = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    lines = (data / "retrieval" / "scifact" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    documents = [
        assemble([Section(entry["text"])], title=entry["title"], media_type="text/plain")
        for entry in map(json.loads, lines)
    ]
    tokenizer = ModelTokenizer(files.tokenizer.read_bytes(), files.max_tokens)
    splitter = TextSplitter(tokenizer.count, max_tokens=files.max_tokens, target_tokens=CHUNK_TOKENS.default)
    whole = assemble(
        [Section("\n\n".join(each.text for each in documents[:1500]))], title="All", media_type="text/plain"
    )
    started = time.perf_counter()
    splitter.split(whole)
    report.figure("splitter, one text of 2 MB", len(whole.text) / 1e6 / (time.perf_counter() - started), "MB/s")
    chunks = [chunk.embedded_text for document in documents[:CHUNKS] for chunk in splitter.split(document)]
    return chunks[:CHUNKS]


def _subjects(report: Report, files: ModelFiles, models: Path) -> dict[str, Subject]:
    subjects: dict[str, Subject] = {}
    for name, choice in (
        ("OpenVINO int8 (ours)", EngineChoice(precision=Precision.INT8, threads=THREADS)),
        ("OpenVINO fp32 (ours)", EngineChoice(precision=Precision.FP32, threads=THREADS)),
        (REFERENCE, EngineChoice(engine=Engine.REFERENCE, threads=THREADS)),
    ):
        embedder = OnDemandEmbedder(files, models, choice, lambda part: None)
        started = time.perf_counter()
        embedder.embed_query(QUESTIONS[0])
        if choice.engine is not Engine.REFERENCE:
            report.figure(f"{name}: first run ever to first vector", time.perf_counter() - started, "s")
        subjects[name] = embedder
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
        for name, path in zip(("ONNX Runtime fp32", "ONNX Runtime int8"), export(files, models), strict=True):
            subjects[name] = OnnxEmbedder(path, files, THREADS)
    else:
        report.note("left out: ONNX Runtime (pip install onnx onnxruntime)")
    return subjects


def _starts(report: Report, files: ModelFiles, models: Path, names: Sequence[str]) -> None:
    """Process start to first vector, the median of some fresh processes."""
    programs = {
        "OpenVINO int8 (ours)": (_OURS.format(precision="int8"), models),
        "OpenVINO fp32 (ours)": (_OURS.format(precision="fp32"), models),
        "ONNX Runtime fp32": (_ONNX, models / "fp32.onnx"),
        "ONNX Runtime int8": (_ONNX, models / "int8.onnx"),
        REFERENCE: (_REFERENCE, models),
    }
    seconds = {name: _start_seconds(programs[name][0], programs[name][1], files.folder) for name in names}
    for name in names:
        goal = GOAL_START_SECONDS if "ours" in name else None
        report.figure(
            f"{name}: process start to first vector",
            seconds[name],
            "s",
            baseline=seconds[REFERENCE],
            goal=goal,
            higher_is_better=False,
        )


def _start_seconds(body: str, argument: Path, folder: Path) -> float:
    command = [sys.executable, "-c", _START.format(body=body), str(argument), str(folder)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "HF_HUB_OFFLINE": "1"}
    seconds = []
    for _ in range(STARTS + 1):
        started = time.perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def _speeds(report: Report, subjects: dict[str, Subject], texts: Sequence[str]) -> None:
    rates: dict[str, list[float]] = {name: [] for name in subjects}
    costs: dict[str, list[float]] = {name: [] for name in subjects}
    waits: dict[str, list[float]] = {name: [] for name in subjects}
    vectors: dict[str, NDArray[np.float32]] = {}
    for _ in range(ROUNDS):
        for name, subject in subjects.items():
            wall, processor = time.perf_counter(), time.process_time()
            vectors[name] = subject.embed_passages(texts)
            rates[name].append(len(texts) / (time.perf_counter() - wall))
            costs[name].append(1000 * (time.process_time() - processor) / len(texts))
            for question in QUESTIONS:
                started = time.perf_counter()
                subject.embed_query(question)
                waits[name].append(1000 * (time.perf_counter() - started))
    _report_speeds(report, rates, costs, waits)
    for name in subjects:
        if name != REFERENCE:
            cosines = (vectors[name] * vectors[REFERENCE]).sum(axis=1)
            exact = "fp32" in name
            figure, goal = ("least", GOAL_FP32_COSINE) if exact else ("mean", GOAL_INT8_COSINE)
            value = float(cosines.min() if exact else cosines.mean())
            report.figure(f"{name}: {figure} cosine with the reference", value, "", goal=goal)


def _report_speeds(
    report: Report, rates: dict[str, list[float]], costs: dict[str, list[float]], waits: dict[str, list[float]]
) -> None:
    for name in rates:
        goal = GOAL_BULK_RATIO if name == "OpenVINO int8 (ours)" else None
        report.figure(
            f"{name}: bulk, best of {ROUNDS}",
            max(rates[name]),
            "chunks/s",
            baseline=max(rates[REFERENCE]),
            goal=goal,
            goal_is_ratio=True,
        )
    for name, cost in costs.items():
        report.figure(
            f"{name}: processor time", min(cost), "ms/chunk", baseline=min(costs[REFERENCE]), higher_is_better=False
        )
    for name, wait in waits.items():
        report.figure(
            f"{name}: one question, median",
            statistics.median(wait),
            "ms",
            baseline=statistics.median(waits[REFERENCE]),
            higher_is_better=False,
        )
