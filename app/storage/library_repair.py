"""Repairs of what ``library.db`` derives from files. Texts whose file is gone are left as they are."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from app.domain.documents import DocumentState
from app.storage.database import Database
from app.storage.rows import id_list
from app.storage.seals import break_seal

_ORPHANS = (
    "DELETE FROM chunks WHERE document_id NOT IN (SELECT id FROM documents)",
    "DELETE FROM sections WHERE document_id NOT IN (SELECT id FROM documents)",
    "DELETE FROM vectors WHERE chunk_id NOT IN (SELECT id FROM chunks)",
    "DELETE FROM vectors WHERE model_id NOT IN (SELECT id FROM embedding_models)",
    "DELETE FROM hidden_chunks WHERE chunk_id NOT IN (SELECT id FROM chunks)",
    "DELETE FROM seals WHERE document_id NOT IN (SELECT id FROM documents)",
    "DELETE FROM chunk_runs WHERE document_id NOT IN (SELECT id FROM documents)",
)
_RUNS = """
    INSERT INTO chunk_runs (document_id, first_id, last_id)
    SELECT document_id, min(id), max(id) FROM (
        SELECT id, document_id, id - row_number() OVER (PARTITION BY document_id ORDER BY id) AS island FROM chunks
    ) GROUP BY document_id, island
"""


def delete_orphans(database: Database) -> None:
    """Delete rows that belong to documents or chunks that are not there: nothing can show them."""
    with database.write() as connection:
        for statement in _ORPHANS:
            connection.execute(statement)


def read_again(database: Database, document_ids: Iterable[int]) -> None:
    """Queue documents as if their files were new. Their vectors go, as which of them fit can't be told."""
    with database.write() as connection:
        for document_id in document_ids:
            break_seal(connection, document_id)
            connection.execute(
                "DELETE FROM vectors WHERE chunk_id IN (SELECT id FROM chunks WHERE document_id = ?)", (document_id,)
            )
            connection.execute(
                "UPDATE documents SET state = 'queued', content_hash = '', attempts = 0 "
                "WHERE id = ? AND state <> 'excluded'",
                (document_id,),
            )


def embed_again(database: Database, document_ids: Iterable[int], chunk_ids: Iterable[int]) -> None:
    """Drop the vectors of chunks; their documents go on where only embedding is left to do."""
    with database.write() as connection:
        connection.execute(
            "DELETE FROM vectors WHERE chunk_id IN (SELECT value FROM json_each(?))", (id_list(chunk_ids),)
        )
        connection.execute(
            "UPDATE documents SET state = 'embedding' WHERE state = 'ready' AND id IN (SELECT value FROM json_each(?))",
            (id_list(document_ids),),
        )


def mend_states(database: Database) -> None:
    """Hide and show chunks as their documents' states have it; unknown states become QUEUED."""
    with database.write() as connection:
        connection.execute(
            "UPDATE documents SET state = 'queued', content_hash = '' "
            "WHERE state NOT IN (SELECT value FROM json_each(?))",
            (json.dumps(list(DocumentState)),),
        )
        connection.execute(
            "DELETE FROM hidden_chunks WHERE chunk_id IN (SELECT chunks.id FROM chunks "
            "JOIN documents ON documents.id = document_id WHERE state = 'ready')"
        )
        connection.execute(
            "INSERT OR IGNORE INTO hidden_chunks (chunk_id) SELECT chunks.id FROM chunks "
            "JOIN documents ON documents.id = document_id WHERE state = 'excluded'"
        )


def mend_chunk_runs(database: Database) -> None:
    """Make the ranges of chunk ids again from the chunks."""
    with database.write() as connection:
        connection.execute("DELETE FROM chunk_runs")
        connection.execute(_RUNS)


def forget_indexes(database: Database) -> None:
    """Forget the derived indexes and the log they follow, so that the next start makes them anew."""
    with database.write() as connection:
        connection.execute("DELETE FROM index_segments")
        _drop_changes(connection)


def _drop_changes(connection: sqlite3.Connection) -> None:
    """Skip a number, so that an index that believes to have reached the last change reads everything anew."""
    last = connection.execute("SELECT max(sequence) FROM changes").fetchone()[0] or 0
    connection.execute("DELETE FROM changes")
    known = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    if known is None:
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('changes', ?)", (last + 1,))
        return
    connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'changes'", (max(last, int(known[0])) + 1,))
