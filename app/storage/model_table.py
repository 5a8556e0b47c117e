"""Which embedding model answers, and the work of changing to another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from app.storage.database import Database
from app.storage.library_values import ChunkToEmbed
from app.storage.rows import embedded_text, id_list
from app.storage.seals import is_sealed, seal_document

_LACKS = """
    NOT EXISTS (
        SELECT 1 FROM vectors WHERE chunk_id = chunks.id
        AND model_id = (SELECT id FROM embedding_models WHERE model_key = :model)
    )
"""


class ServingModel(NamedTuple):
    """The model whose vectors answer, and the plain values of the settings it was opened with, by their keys."""

    model_key: str
    choice: dict[str, object]


class EmbeddingWork(NamedTuple):
    """What a model has not embedded yet."""

    documents: int
    chunks: int


class ModelTable:
    """Part of ``LibraryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def serving_model(self) -> ServingModel | None:
        """The model that answers; None in a library that never had one."""
        with self._database.read() as connection:
            row = connection.execute("SELECT model_key, choice FROM serving_model").fetchone()
        return ServingModel(row[0], json.loads(row[1])) if row else None

    def set_serving_model(self, model_key: str, choice: Mapping[str, object]) -> None:
        """From now on, and after a restart, this model answers."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO serving_model (only_row, model_key, choice) VALUES (1, ?, ?)",
                (model_key, json.dumps(dict(choice))),
            )

    def has_vectors(self, model_key: str) -> bool:
        """Whether any chunk was embedded by this model."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT 1 FROM vectors WHERE model_id = (SELECT id FROM embedding_models WHERE model_key = ?) LIMIT 1",
                (model_key,),
            ).fetchone()
        return row is not None

    def embedding_work(self, model_key: str) -> EmbeddingWork:
        """How much this model has not embedded. Looks at every chunk."""
        with self._database.read() as connection:
            row = connection.execute(
                f"SELECT count(DISTINCT document_id), count(*) FROM chunks WHERE {_LACKS}",  # noqa: S608  a constant
                {"model": model_key},
            ).fetchone()
        return EmbeddingWork(*row)

    def chunks_to_embed(self, model_key: str, after_chunk_id: int, limit: int) -> list[ChunkToEmbed]:
        """The next chunks that this model has not embedded, hidden ones too, in order of their ids."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT id, context, text FROM chunks WHERE id > :after AND {_LACKS} "  # noqa: S608  a constant
                "ORDER BY id LIMIT :limit",
                {"model": model_key, "after": after_chunk_id, "limit": limit},
            ).fetchall()
        return [ChunkToEmbed(chunk_id, embedded_text(context, text)) for chunk_id, context, text in rows]

    def other_models(self, model_key: str) -> list[str]:
        """Models other than this one that vectors or index files are kept of."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT model_key FROM embedding_models WHERE model_key <> :model UNION "
                "SELECT model_key FROM index_segments WHERE model_key NOT IN ('', :model)",
                {"model": model_key},
            ).fetchall()
        return [row[0] for row in rows]

    def remove_vectors(self, model_key: str, serving: str, after_chunk_id: int, limit: int) -> int | None:
        """Delete the next vectors of a model that no longer serves, ``limit`` at most, in one transaction.

        Documents keep their seals, now over the vectors of ``serving``. Returns the last chunk id, None at the end.
        """
        with self._database.write() as connection:
            rows = connection.execute(
                "SELECT chunk_id FROM vectors WHERE chunk_id > ? "
                "AND model_id = (SELECT id FROM embedding_models WHERE model_key = ?) ORDER BY chunk_id LIMIT ?",
                (after_chunk_id, model_key, limit),
            ).fetchall()
            if not rows:
                connection.execute(
                    "DELETE FROM embedding_models WHERE model_key = ? "
                    "AND NOT EXISTS (SELECT 1 FROM vectors WHERE model_id = embedding_models.id)",
                    (model_key,),
                )
                return None
            chunk_ids = id_list(row[0] for row in rows)
            connection.execute(
                "DELETE FROM vectors WHERE chunk_id IN (SELECT value FROM json_each(?)) "
                "AND model_id = (SELECT id FROM embedding_models WHERE model_key = ?)",
                (chunk_ids, model_key),
            )
            documents = connection.execute(
                "SELECT DISTINCT document_id FROM chunks WHERE id IN (SELECT value FROM json_each(?))", (chunk_ids,)
            ).fetchall()
            for (document_id,) in documents:
                if is_sealed(connection, document_id):
                    seal_document(connection, document_id, serving)
        return int(rows[-1][0])
