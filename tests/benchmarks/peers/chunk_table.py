"""Chunks of a pipeline with their places, as the counting of what was ingested needs them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.peers.coverage import Coverage, union_length
from tests.benchmarks.peers.pipeline import Ingested


@dataclass(frozen=True)
class PeerChunk:
    """A chunk and the text unit (a file, or a page of it) in which it starts at ``start``."""

    unit: str
    start: int
    text: str


def count_ingested(chunks: list[PeerChunk], unit_lengths: dict[str, int], model: Path) -> Ingested:
    """Count chunks, characters read and characters that reached a vector."""
    ends = Coverage(model).embedded_end([chunk.text for chunk in chunks])
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for chunk, end in zip(chunks, ends, strict=True):
        spans[chunk.unit].append((chunk.start, chunk.start + end))
    return Ingested(len(chunks), sum(unit_lengths.values()), sum(map(union_length, spans.values())))
