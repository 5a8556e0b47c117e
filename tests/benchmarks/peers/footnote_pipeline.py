"""Footnote itself, driven through its services as the window and the command line drive them."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.bootstrap import Services, open_services
from app.domain.passages import Scope
from tests.benchmarks.peers.pipeline import Hit, Ingested, Query, Task


class FootnotePipeline:
    """A library of its own in a temporary folder; everything is stored durably, as for a user."""

    def __init__(self, task: Task) -> None:
        self._closing = contextlib.ExitStack()
        home = self._closing.enter_context(tempfile.TemporaryDirectory())
        self._services: Services = self._closing.enter_context(open_services({"FOOTNOTE_HOME": home}, writer=True))
        self._ids: dict[str, int] = {}

    def warm_up(self, text: str) -> None:
        """Load the model."""
        self._services.library.search(text)

    def ingest(self, files: Sequence[Path]) -> None:
        """Read, split, embed and index ``files``."""
        job = self._services.ingest.add(files)
        job.wait()
        if job.summary.failed:
            raise RuntimeError(f"{job.summary.failed} files failed")
        self._services.library.search("ready")  # the indexes have caught up when a search returns

    def ingested(self) -> Ingested:
        """Count what was ingested: the splitter puts every character into a chunk that the model reads whole."""
        documents = self._services.library.documents()
        self._ids = {str(each.path): each.id for each in documents}
        characters = sum(len(self._services.library.source(each.id).text) for each in documents)
        return Ingested(sum(each.chunk_count for each in documents), characters, characters)

    def search(self, query: Query, k: int) -> list[Hit]:
        """The best passages."""
        scope = Scope(document_ids=frozenset({self._ids[query.file]})) if query.file else Scope()
        passages = self._services.library.search(query.text, k=k, scope=scope)
        return [Hit(str(each.path), each.start, each.end, each.text, each.page) for each in passages]

    def close(self) -> None:
        """End the services and remove the library."""
        self._closing.close()
