"""Tables for the derived indexes: which chunk ids belong to a document, and the model that answers."""

from __future__ import annotations

from app.storage.migrations import Migration

INDEX = Migration(
    "0009_index",
    (
        # Ids of a document's chunks as runs, which turn a search scope into a few ranges of ids instead of a list of
        # hundreds of thousands. Ids are never used twice, so ids missing from a run belong to no document.
        """
        CREATE TABLE chunk_runs (
            document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            first_id INTEGER NOT NULL,
            last_id INTEGER NOT NULL,
            PRIMARY KEY (document_id, first_id)
        ) WITHOUT ROWID
        """,
        """
        INSERT INTO chunk_runs (document_id, first_id, last_id)
        SELECT document_id, min(id), max(id) FROM (
            SELECT id, document_id, id - row_number() OVER (PARTITION BY document_id ORDER BY id) AS island FROM chunks
        ) GROUP BY document_id, island
        """,
        """
        CREATE TRIGGER chunk_runs_grow AFTER INSERT ON chunks BEGIN
            INSERT INTO chunk_runs (document_id, first_id, last_id)
            SELECT new.document_id, new.id, new.id WHERE NOT EXISTS (
                SELECT 1 FROM chunk_runs WHERE document_id = new.document_id AND last_id = new.id - 1
            );
            UPDATE chunk_runs SET last_id = new.id WHERE document_id = new.document_id AND last_id = new.id - 1;
        END
        """,
        """
        CREATE TRIGGER chunk_runs_shrink AFTER DELETE ON chunks BEGIN
            DELETE FROM chunk_runs WHERE document_id = old.document_id
            AND first_id <= old.id AND last_id >= old.id
            AND NOT EXISTS (SELECT 1 FROM chunks WHERE id BETWEEN first_id AND last_id);
        END
        """,
        # One row: the embedding model whose vectors answer, and how it is opened (JSON).
        """
        CREATE TABLE serving_model (
            only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
            model_key TEXT NOT NULL,
            choice TEXT NOT NULL
        )
        """,
    ),
)
