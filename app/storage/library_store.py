"""The library: documents, their text, chunks and vectors, and what the derived indexes need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.storage.change_log import ChangeLog
from app.storage.chunking_table import ChunkingTable
from app.storage.collection_table import CollectionTable
from app.storage.content_table import ContentTable
from app.storage.database import Database
from app.storage.document_table import DocumentTable
from app.storage.folder_table import FolderTable
from app.storage.index_records import IndexRecords
from app.storage.job_table import JobTable
from app.storage.library_integrity import library_problems
from app.storage.library_schema import LIBRARY_SCHEMA
from app.storage.model_table import ModelTable
from app.storage.origin_table import OriginTable
from app.storage.pack_table import PackTable
from app.storage.vector_table import VectorTable


def open_library(path: Path, *, read_only: bool = False) -> Database:
    """Open or create ``library.db``. Raises ``StorageError`` as ``Database`` does."""
    return Database(path, LIBRARY_SCHEMA, read_only=read_only)


class LibraryStore(
    PackTable,
    DocumentTable,
    FolderTable,
    ContentTable,
    VectorTable,
    ModelTable,
    ChangeLog,
    IndexRecords,
    OriginTable,
    JobTable,
    CollectionTable,
    ChunkingTable,
):
    """All that ``library.db`` holds, one method per use; the bases divide it by concern.

    Every method may raise ``StorageError``. Thread-safe. Each writing method is one transaction; ``together`` joins
    several.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make everything written inside the block one transaction: one commit, all or nothing.

        A method that raises inside the block undoes its own changes only, if the error is caught there.
        """
        with self._database.write():
            yield

    def integrity(self) -> list[str]:
        """Problems found in the file and in what it says; empty when it is sound. Reads everything."""
        return self._database.integrity() or library_problems(self._database)
