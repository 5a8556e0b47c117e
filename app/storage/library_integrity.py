"""Checks that the rows of a library agree with each other."""

from __future__ import annotations

from app.storage.database import Database

# Each query returns one row per problem: what it is called, and how often.
_CHECKS = (
    (
        "documents are ready but have chunks that are hidden",
        "SELECT count(DISTINCT documents.id) FROM hidden_chunks JOIN chunks ON chunks.id = chunk_id "
        "JOIN documents ON documents.id = document_id WHERE state = 'ready'",
    ),
    (
        "documents have another number of chunks than they say",
        "SELECT count(*) FROM documents WHERE chunk_count <> "
        "(SELECT count(*) FROM chunks WHERE document_id = documents.id)",
    ),
    (
        "documents are ready but have chunks without a vector",
        "SELECT count(DISTINCT document_id) FROM chunks JOIN documents ON documents.id = document_id "
        "WHERE state = 'ready' AND NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.chunk_id = chunks.id)",
    ),
    (
        "chunks have a text of another length than their span",
        'SELECT count(*) FROM chunks WHERE length(text) <> "end" - start AND instr(text, char(0)) = 0',
    ),
    (
        "embedding models have vectors of different lengths",
        "SELECT count(*) FROM (SELECT model_id FROM vectors GROUP BY model_id "
        "HAVING min(length(vector)) <> max(length(vector)))",
    ),
)


def library_problems(database: Database) -> list[str]:
    """What is wrong, in words; empty when all is well."""
    with database.read() as connection:
        counted = [(connection.execute(query).fetchone()[0], words) for words, query in _CHECKS]
    return [f"{count} {words}" for count, words in counted if count]
