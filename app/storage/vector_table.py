"""The embedding of each chunk, float16, one per embedding model."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from app.domain.documents import DocumentState
from app.storage.change_log import Operation, log_change
from app.storage.database import Database
from app.storage.document_table import reveal
from app.storage.library_values import ChunkToEmbed, UnknownDocumentError
from app.storage.one_step import id_lists
from app.storage.rows import embedded_text, id_list, sorted_ids
from app.storage.seals import seal_document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAGE = 8192
_LACKING = """
    SELECT id, context, text FROM chunks WHERE NOT EXISTS (
        SELECT 1 FROM vectors WHERE chunk_id = chunks.id
        AND model_id = (SELECT id FROM embedding_models WHERE model_key = :model)
    ) AND :document IS NULL ORDER BY id
"""
_LACKING_OF_DOCUMENT = """
    SELECT id, context, text FROM chunks WHERE document_id = :document AND NOT EXISTS (
        SELECT 1 FROM vectors WHERE chunk_id = chunks.id
        AND model_id = (SELECT id FROM embedding_models WHERE model_key = :model)
    ) ORDER BY id
"""


# In one step, see ``rows_in_one_step``; both columns are concatenated in the same order. SQLite takes the bytes of a
# BLOB for those of a text as they are.
_VECTORS_OF = """
    SELECT group_concat(chunk_id), CAST(group_concat(vector, '') AS BLOB) FROM visible_vectors
    WHERE chunk_id IN (SELECT value FROM json_each(?)) AND model_key = ?
"""


class VectorTable:
    """Vectors by chunk and model. Part of ``LibraryStore``. Reading leaves hidden chunks out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store_vectors(self, model_key: str, rows: Sequence[tuple[int, bytes]]) -> None:
        """Store (chunk id, vector as little-endian float16); a chunk that was removed meanwhile is passed over."""
        with self._database.write() as connection:
            model_id = _model_id(connection, model_key)
            connection.executemany(
                "INSERT INTO vectors (chunk_id, model_id, vector) SELECT ?1, ?2, ?3 "
                "WHERE EXISTS (SELECT 1 FROM chunks WHERE id = ?1) "
                "ON CONFLICT (chunk_id, model_id) DO UPDATE SET vector = excluded.vector",
                [(chunk_id, model_id, vector) for chunk_id, vector in rows],
            )
            shown = connection.execute(
                "SELECT chunk_id FROM visible_vectors WHERE chunk_id IN (SELECT value FROM json_each(?)) "
                "AND model_key = ? ORDER BY chunk_id",
                (id_list(chunk_id for chunk_id, _ in rows), model_key),
            ).fetchall()
            log_change(connection, Operation.EMBEDDED, [row[0] for row in shown], model_id)

    def chunks_without_vector(self, model_key: str, document_id: int | None = None) -> list[ChunkToEmbed]:
        """Chunks, of one document or of all, that this model has not embedded, in order of their ids."""
        query = _LACKING if document_id is None else _LACKING_OF_DOCUMENT
        with self._database.read() as connection:
            rows = connection.execute(query, {"document": document_id, "model": model_key}).fetchall()
        return [ChunkToEmbed(chunk_id, embedded_text(context, text)) for chunk_id, context, text in rows]

    def documents_without_vector(self, model_key: str) -> list[int]:
        """READY documents of which this model has not embedded every chunk: those of another model, in order of id."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id FROM documents WHERE state = 'ready' AND EXISTS ("
                "SELECT 1 FROM chunks WHERE document_id = documents.id AND NOT EXISTS ("
                "SELECT 1 FROM vectors WHERE chunk_id = chunks.id "
                "AND model_id = (SELECT id FROM embedding_models WHERE model_key = ?))) ORDER BY id",
                (model_key,),
            )
            return [row[0] for row in rows]

    def finish(self, document_id: int, model_key: str | None = None) -> bool:
        """Show the document's chunks, unless one lacks a vector (of ``model_key``, or any); False if one does.

        An EMBEDDING document becomes READY. One that was queued again meanwhile stays queued, one that was excluded
        stays hidden. Raises ``UnknownDocumentError`` for a document that was removed.
        """
        with self._database.write() as connection:
            lacking = connection.execute(
                "SELECT 1 FROM chunks WHERE document_id = :document AND NOT EXISTS ("
                "SELECT 1 FROM vectors JOIN embedding_models ON embedding_models.id = model_id "
                "WHERE chunk_id = chunks.id AND model_key = ifnull(:model, model_key)) LIMIT 1",
                {"document": document_id, "model": model_key},
            ).fetchone()
            if lacking:
                return False
            state = connection.execute("SELECT state FROM documents WHERE id = ?", (document_id,)).fetchone()
            if state is None:
                raise UnknownDocumentError(document_id)
            connection.execute(
                "UPDATE documents SET state = 'ready', updated_at = ? WHERE id = ? AND state = 'embedding'",
                (time.time(), document_id),
            )
            if state[0] != DocumentState.EXCLUDED:
                reveal(connection, document_id)
            seal_document(connection, document_id, model_key)
        return True

    def vectors(self, model_key: str, after_chunk_id: int = 0, limit: int | None = None) -> Iterator[tuple[int, bytes]]:
        """(chunk id, vector as little-endian float16) in order of chunk ids, read in pages."""
        while limit is None or limit > 0:
            size = _PAGE if limit is None else min(limit, _PAGE)
            rows = self._page(model_key, after_chunk_id, size)
            yield from rows
            if len(rows) < size:
                return
            after_chunk_id = rows[-1][0]
            limit = None if limit is None else limit - size

    def vectors_matrix(
        self, model_key: str, after_chunk_id: int = 0, limit: int = 65536
    ) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """The next ``limit`` vectors as (ids (n,), float16 matrix (n, dimension)); (0,) and (0, 0) at the end."""
        return _matrix(self._page(model_key, after_chunk_id, limit))

    def vectors_of(self, model_key: str, chunk_ids: Iterable[int]) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """Vectors of the given chunks as ``vectors_matrix``, ascending; chunks without one are left out."""
        read = [self._database.first_row(_VECTORS_OF, (ids, model_key)) for ids in id_lists(chunk_ids)]
        found = [row for row in read if row[0] is not None]
        return _sorted_matrix(",".join(row[0] for row in found), b"".join(row[1] for row in found))

    def vector_ids(self, model_key: str) -> NDArray[np.int64]:
        """Ids of the visible chunks that have a vector of this model, ascending."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT group_concat(chunk_id) FROM visible_vectors WHERE model_key = ?", (model_key,)
            ).fetchone()
        return sorted_ids(row[0])

    def vector_count(self, model_key: str) -> int:
        """How many visible chunks have a vector of this model."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT count(*) FROM visible_vectors WHERE model_key = ?", (model_key,)
            ).fetchone()
        return int(row[0])

    def _page(self, model_key: str, after_chunk_id: int, limit: int) -> list[tuple[int, bytes]]:
        with self._database.read() as connection:
            return connection.execute(
                "SELECT chunk_id, vector FROM visible_vectors WHERE chunk_id > ? AND model_key = ? "
                "ORDER BY chunk_id LIMIT ?",
                (after_chunk_id, model_key, limit),
            ).fetchall()


def _model_id(connection: sqlite3.Connection, model_key: str) -> int:
    connection.execute("INSERT INTO embedding_models (model_key) VALUES (?) ON CONFLICT DO NOTHING", (model_key,))
    row = connection.execute("SELECT id FROM embedding_models WHERE model_key = ?", (model_key,)).fetchone()
    return int(row[0])


def _sorted_matrix(ids: str, vectors: bytes) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """From ids with commas between them and their vectors one after the other."""
    import numpy as np

    if not ids:
        return _matrix([])
    unsorted = np.fromstring(ids, dtype=np.int64, sep=",")
    order = np.argsort(unsorted)
    matrix = np.frombuffer(vectors, dtype="<f2").reshape(len(unsorted), -1)
    return unsorted[order], matrix[order]


def _matrix(rows: list[tuple[int, bytes]]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    import numpy as np

    ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
    if not rows:
        return ids, np.empty((0, 0), dtype=np.float16)
    flat = np.frombuffer(b"".join([row[1] for row in rows]), dtype="<f2")
    return ids, flat.reshape(len(rows), -1)
