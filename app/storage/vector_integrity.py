"""What a vector of the model in use must look like."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

BYTES_A_NUMBER = 2
LENGTH_TOLERANCE = 0.01
"""Rounding to float16 moves the length of a vector by less than a thousandth."""

_VECTORS = """
    SELECT chunks.id, vector FROM chunks LEFT JOIN vectors ON vectors.chunk_id = chunks.id
        AND model_id = (SELECT id FROM embedding_models WHERE model_key = ?)
    WHERE document_id = ? ORDER BY chunks.id
"""


@dataclass(frozen=True, slots=True)
class VectorRule:
    """Vectors of ``model_key`` have ``dimension`` finite float16 numbers and length one."""

    model_key: str
    dimension: int

    def examine(self, connection: sqlite3.Connection, document_id: int) -> tuple[list[int], list[int]]:
        """Chunks of a document (without a vector of this model, with one that can't be right)."""
        import numpy as np

        rows = connection.execute(_VECTORS, (self.model_key, document_id)).fetchall()
        missing = [chunk_id for chunk_id, vector in rows if vector is None]
        size = self.dimension * BYTES_A_NUMBER
        sized = [(chunk_id, vector) for chunk_id, vector in rows if isinstance(vector, bytes) and len(vector) == size]
        impossible = sorted({row[0] for row in rows} - {row[0] for row in sized} - set(missing))
        if sized:
            matrix = np.frombuffer(b"".join(vector for _, vector in sized), dtype="<f2").astype(np.float32)
            # A number that is not finite makes the length infinite or not a number, and the comparison false.
            with np.errstate(over="ignore", invalid="ignore"):
                lengths = np.linalg.norm(matrix.reshape(len(sized), -1), axis=1)
                right = np.abs(lengths - 1) <= LENGTH_TOLERANCE
            impossible += [chunk_id for (chunk_id, _), fits in zip(sized, right.tolist(), strict=True) if not fits]
        return missing, impossible

    def has_other_vector(self, connection: sqlite3.Connection, chunk_id: int) -> bool:
        """Whether another model embedded the chunk: it was not lost, but waits for this one."""
        return (
            connection.execute("SELECT 1 FROM vectors WHERE chunk_id = ? LIMIT 1", (chunk_id,)).fetchone() is not None
        )
