"""What a peer's pipeline does in a benchmark, and the values that travel between its process and the benchmark's.

The modules of this folder run in an environment of their own (``packaging/setup/bench_environment.sh``): the peers are
never dependencies of Footnote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Query:
    """A question. ``file`` limits the search to one file where the pipeline can."""

    text: str
    file: str | None = None


@dataclass(frozen=True)
class Task:
    """Files to ingest and questions to ask. ``warm_up`` is embedded before the clock starts, so that models are loaded.

    ``model`` is a folder in the form of sentence-transformers; ``threads`` and ``batch`` bind every pipeline.
    """

    files: list[str]
    queries: list[Query]
    model: str
    k: int = 10
    threads: int = 2
    batch: int = 32
    warm_up: str = "warm up"

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``json.dumps``."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Task:
        """The task that ``to_json`` described."""
        return cls(**{**values, "queries": [Query(**each) for each in values["queries"]]})


@dataclass(frozen=True)
class Hit:
    """A chunk that was found: the text's place ``[start, end)`` in what the pipeline read of that file, -1 if unknown.

    ``page`` counts from 1.
    """

    file: str
    start: int
    end: int
    text: str
    page: int | None = None


@dataclass(frozen=True)
class Ingested:
    """What ingestion made. ``read`` and ``embedded`` count characters of the files' texts: all, and those that stand
    within the part of some chunk that its model reads (each counted once)."""

    chunks: int
    read: int
    embedded: int


@dataclass
class Outcome:
    """What a pipeline did with a task; ``seconds``: from files on disk to an index that answers."""

    ingested: Ingested
    seconds: float
    query_milliseconds: list[float]
    hits: list[list[Hit]] = field(default_factory=list)
    peak_bytes: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``json.dumps``."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Outcome:
        """The outcome that ``to_json`` described."""
        hits = [[Hit(**hit) for hit in each] for each in values["hits"]]
        return cls(**{**values, "ingested": Ingested(**values["ingested"]), "hits": hits})


class Pipeline(Protocol):
    """A retrieval pipeline: made for a task, then ``ingest`` once, then ``search``."""

    def warm_up(self, text: str) -> None:
        """Load the model."""
        ...

    def ingest(self, files: Sequence[Path]) -> None:
        """Read, split, embed and index ``files``."""
        ...

    def ingested(self) -> Ingested:
        """Count what was ingested; after the clock stopped."""
        ...

    def search(self, query: Query, k: int) -> list[Hit]:
        """The best chunks first."""
        ...
