"""Saving what can be read out of a damaged ``library.db``."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path, PurePath

from app.storage.library_schema import LIBRARY_SCHEMA
from app.storage.salvage import Salvage, salvage_database

DERIVED_TABLES = frozenset({"changes", "index_segments", "chunk_runs"})
"""They begin anew, as the indexes do; a trigger fills the last one."""

_PATHS = "SELECT path FROM documents INDEXED BY sqlite_autoindex_documents_1"
_QUEUE = """
    INSERT OR IGNORE INTO documents (path, title, media_type, size, mtime_ns, content_hash, state, message, chunk_count,
        metadata, priority, attempts, added_at, queued_at, updated_at)
    VALUES (?, ?, '', 0, 0, '', 'queued', '', 0, '', 0, 0, ?, ?, ?)
"""


def salvage_library(path: Path) -> Salvage:
    """``salvage_database`` for the library: documents whose row is lost are queued by their path."""
    return salvage_database(path, LIBRARY_SCHEMA, leave_out=DERIVED_TABLES, rescue=_rescue_paths)


def _rescue_paths(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """The index of paths holds each a second time."""
    now = time.time()
    target.execute("BEGIN IMMEDIATE")
    try:
        for (path,) in source.execute(_PATHS):
            if isinstance(path, str | bytes) and path:
                name = PurePath(path if isinstance(path, str) else path.decode("utf-8", "replace")).name
                target.execute(_QUEUE, (path, name, now, now, now))
    except sqlite3.DatabaseError:
        pass  # the index is damaged too; what was read before is kept
    target.execute("COMMIT")
