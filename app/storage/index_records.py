"""Records of the files that make up the derived indexes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Sequence
from dataclasses import replace

from app.storage.database import Database
from app.storage.library_values import IndexSegment
from app.storage.rows import ids_from_column, ids_to_column

_SELECT = """
    SELECT kind, model_key, generation, file_name, sha256, vector_count, max_chunk_id, sequence, dimension, size,
        block_size, block_checksums, tombstones, created_at
    FROM index_segments WHERE kind = ? AND model_key = ? ORDER BY generation
"""
_RECORD = """
    INSERT OR REPLACE INTO index_segments (
        kind, model_key, generation, file_name, sha256, vector_count, max_chunk_id, sequence, dimension, size,
        block_size, block_checksums, tombstones, created_at
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class IndexRecords:
    """Which index files are valid. Part of ``LibraryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def index_segments(self, kind: str, model_key: str = "") -> list[IndexSegment]:
        """The segments of an index, oldest generation first.

        Together they reflect every change up to the highest ``sequence`` among them.
        """
        with self._database.read() as connection:
            rows = connection.execute(_SELECT, (kind, model_key)).fetchall()
        return [
            replace(IndexSegment(*row[:12]), tombstones=tuple(ids_from_column(row[12])), created_at=row[13])
            for row in rows
        ]

    def record_segment(self, segment: IndexSegment, *, replaces: Collection[int] = ()) -> None:
        """Record a segment whose file is on the disk, in place of the generations it was merged from."""
        self.record_segments([segment], replaces=replaces)

    def record_segments(self, segments: Sequence[IndexSegment], *, replaces: Collection[int] = ()) -> None:
        """Record several segments of one index in one transaction; known generations are updated (tombstones)."""
        now = time.time()
        rows = [
            (
                each.kind,
                each.model_key,
                each.generation,
                each.file_name,
                each.sha256,
                each.vector_count,
                each.max_chunk_id,
                each.sequence,
                each.dimension,
                each.size,
                each.block_size,
                each.block_checksums,
                ids_to_column(each.tombstones),
                each.created_at or now,
            )
            for each in segments
        ]
        with self._database.write() as connection:
            for kind, model_key in {(each.kind, each.model_key) for each in segments}:
                _delete(connection, kind, model_key, replaces)
            connection.executemany(_RECORD, rows)

    def delete_segment(self, kind: str, model_key: str, generation: int) -> None:
        """Forget a segment; its file may be deleted after that."""
        with self._database.write() as connection:
            _delete(connection, kind, model_key, [generation])

    def delete_segments(self, kind: str, model_key: str = "") -> None:
        """Forget all segments of an index, which is then built anew."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM index_segments WHERE kind = ? AND model_key = ?", (kind, model_key))


def _delete(connection: sqlite3.Connection, kind: str, model_key: str, generations: Collection[int]) -> None:
    connection.executemany(
        "DELETE FROM index_segments WHERE kind = ? AND model_key = ? AND generation = ?",
        [(kind, model_key, generation) for generation in generations],
    )
