"""Ingests a folder and kills itself inside a transaction: ``killed_ingest.py LIBRARY FOLDER METHOD NUMBER``.

The kill comes right after the NUMBER-th call of the library store's METHOD has written, before it is committed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from app.loaders.parser_pool import ParserPool
from app.loaders.registry import loaders
from app.retrieval.text_splitter import TextSplitter
from app.services.discovery import FileDiscovery
from app.services.ingest_service import IngestService
from app.storage.library_store import LibraryStore, open_library
from tests.services.conftest import HashEmbedder


class KilledStore(LibraryStore):
    """A library whose program is killed."""

    def __init__(self, path: Path, method: str, number: int) -> None:
        super().__init__(open_library(path))
        self._method = method
        self._left = number

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name.startswith("_") or name != self._method:
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            with self._database.write():
                result = value(*arguments, **named)
                self._left -= 1
                if self._left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

        return call


def main(library: str, folder: str, method: str, number: str) -> None:
    """Ingest until killed; ends with 3 if it was not."""
    embedder = HashEmbedder()
    registry = loaders()
    splitter = TextSplitter(embedder.count_tokens, max_tokens=embedder.max_tokens, target_tokens=60)
    service = IngestService(
        KilledStore(Path(library), method, int(number)),
        ParserPool(workers=1),
        FileDiscovery(lambda path: registry.loader_for(path) is not None),
        lambda: splitter,
        lambda: embedder,
        lambda: None,
    )
    service.add([Path(folder)]).wait(60)
    sys.exit(3)


if __name__ == "__main__":
    main(*sys.argv[1:])
