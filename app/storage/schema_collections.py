"""The migration that adds collections to ``library.db``, and which documents came out of a collection pack."""

from __future__ import annotations

from app.storage.migrations import Migration

COLLECTIONS = Migration(
    "0010_collections",
    (
        # name_key: the name as it is compared, without case. AUTOINCREMENT: a search that was limited to a deleted
        # collection must not find another one under its id.
        """
        CREATE TABLE collections (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            name_key TEXT NOT NULL UNIQUE,
            created_at REAL NOT NULL
        )
        """,
        # Documents named one by one: 1 it belongs to the collection, 0 it does not though its folder does.
        """
        CREATE TABLE collection_documents (
            collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
            document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            included INTEGER NOT NULL,
            PRIMARY KEY (collection_id, document_id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX collection_documents_document ON collection_documents (document_id)",
        # Folders whose documents belong (1), and parts of them that don't (0); the nearest one decides. Paths below
        # sort between lower and upper. Two rows each, one for names that are text and one for names kept as bytes.
        """
        CREATE TABLE collection_places (
            collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
            path NOT NULL,
            lower NOT NULL,
            upper NOT NULL,
            included INTEGER NOT NULL,
            PRIMARY KEY (collection_id, path)
        ) WITHOUT ROWID
        """,
        """
        CREATE VIEW placed_in_collections AS
        SELECT collection_id, documents.id AS document_id, documents.path AS path, lower, upper
        FROM collection_places AS place JOIN documents ON documents.path > lower AND documents.path < upper
        WHERE place.included
        UNION ALL
        SELECT collection_id, documents.id, documents.path, lower, upper
        FROM collection_places AS place JOIN documents ON documents.path = place.path
        WHERE place.included
        """,
        """
        CREATE VIEW collection_members AS
        SELECT collection_id, document_id FROM collection_documents WHERE included
        UNION
        SELECT collection_id, document_id FROM placed_in_collections AS placed
        WHERE NOT EXISTS (
            SELECT 1 FROM collection_documents AS choice
            WHERE choice.collection_id = placed.collection_id AND choice.document_id = placed.document_id
            AND NOT choice.included
        ) AND NOT EXISTS (
            SELECT 1 FROM collection_places AS closed
            WHERE closed.collection_id = placed.collection_id AND NOT closed.included
            AND closed.path > placed.lower AND closed.path < placed.upper
            AND (placed.path = closed.path OR (placed.path > closed.lower AND placed.path < closed.upper))
        )
        """,
        # Documents that a collection pack brought and whose file was never seen here. Nobody looks for their files,
        # as a pack must not decide which files of this computer are read.
        """
        CREATE TABLE packed_documents (
            document_id INTEGER PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE
        )
        """,
        """
        CREATE TRIGGER packed_documents_read AFTER UPDATE OF state ON documents WHEN new.state <> 'offline' BEGIN
            DELETE FROM packed_documents WHERE document_id = new.id;
        END
        """,
    ),
)
