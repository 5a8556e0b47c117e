"""The schema of ``library.db``: documents, their text, chunks and vectors. Can be rebuilt from the files."""

from __future__ import annotations

from app.storage.migrations import Migration, Schema
from app.storage.schema_chunking import CHUNKING
from app.storage.schema_collections import COLLECTIONS
from app.storage.schema_folders import FOLDERS
from app.storage.schema_index import INDEX
from app.storage.schema_ingest import INGEST
from app.storage.schema_ocr import OCR
from app.storage.schema_origins import ORIGINS
from app.storage.schema_seals import SEALS

# Paths have no type on purpose: a name that is not valid Unicode is stored as bytes.
_DOCUMENTS = Migration(
    "0001_documents",
    (
        """
        CREATE TABLE documents (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            path NOT NULL UNIQUE,
            title TEXT NOT NULL,
            media_type TEXT NOT NULL,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            content_hash TEXT NOT NULL,
            state TEXT NOT NULL,
            reason TEXT,
            message TEXT NOT NULL,
            page_count INTEGER,
            chunk_count INTEGER NOT NULL,
            metadata TEXT NOT NULL,
            priority INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            added_at REAL NOT NULL,
            queued_at REAL NOT NULL,
            updated_at REAL NOT NULL
        )
        """,
        "CREATE INDEX documents_state ON documents (state)",
        "CREATE INDEX documents_content_hash ON documents (content_hash)",
        # The columns of a DocumentRecord, in its order.
        """
        CREATE VIEW document_records AS
        SELECT id, path, title, media_type, size, mtime_ns, content_hash, state, reason, message, page_count,
            chunk_count, added_at, updated_at, priority, queued_at
        FROM documents
        """,
    ),
)

_CONTENT = Migration(
    "0002_sections_and_chunks",
    (
        # text and char_map are compressed; the viewer reads them, searching never does.
        """
        CREATE TABLE sections (
            id INTEGER PRIMARY KEY,
            document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            start INTEGER NOT NULL,
            "end" INTEGER NOT NULL,
            page INTEGER,
            kind TEXT NOT NULL,
            headings TEXT NOT NULL,
            text BLOB NOT NULL,
            char_map BLOB
        )
        """,
        "CREATE UNIQUE INDEX sections_document ON sections (document_id, position)",
        # AUTOINCREMENT: indexes remember removed ids, so an id must never come back for other text.
        """
        CREATE TABLE chunks (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            start INTEGER NOT NULL,
            "end" INTEGER NOT NULL,
            page INTEGER,
            token_count INTEGER NOT NULL,
            headings TEXT NOT NULL,
            context TEXT NOT NULL,
            text TEXT NOT NULL,
            search_text TEXT NOT NULL
        )
        """,
        "CREATE INDEX chunks_document ON chunks (document_id, position)",
        # Chunks that no search may show: of documents not finished yet, or excluded. Few, so a table of its own
        # costs less than a flag in every chunk.
        """
        CREATE TABLE hidden_chunks (
            chunk_id INTEGER PRIMARY KEY REFERENCES chunks (id) ON DELETE CASCADE
        )
        """,
        """
        CREATE VIEW visible_chunks AS
        SELECT * FROM chunks WHERE id NOT IN (SELECT chunk_id FROM hidden_chunks)
        """,
    ),
)

_VECTORS = Migration(
    "0003_vectors",
    (
        "CREATE TABLE embedding_models (id INTEGER PRIMARY KEY, model_key TEXT NOT NULL UNIQUE)",
        """
        CREATE TABLE vectors (
            id INTEGER PRIMARY KEY,
            chunk_id INTEGER NOT NULL REFERENCES chunks (id) ON DELETE CASCADE,
            model_id INTEGER NOT NULL REFERENCES embedding_models (id),
            vector BLOB NOT NULL,
            UNIQUE (chunk_id, model_id)
        )
        """,
        """
        CREATE VIEW visible_vectors AS
        SELECT chunk_id, model_key, vector
        FROM vectors JOIN embedding_models ON embedding_models.id = model_id
        WHERE chunk_id NOT IN (SELECT chunk_id FROM hidden_chunks)
        """,
    ),
)

_INDEXES = Migration(
    "0004_index_records",
    (
        # chunk_ids: int64, little-endian. model_id is set where only that model's index is concerned.
        """
        CREATE TABLE changes (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            operation INTEGER NOT NULL,
            model_id INTEGER,
            chunk_ids BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE index_segments (
            kind TEXT NOT NULL,
            model_key TEXT NOT NULL,
            generation INTEGER NOT NULL,
            file_name TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            vector_count INTEGER NOT NULL,
            max_chunk_id INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            dimension INTEGER NOT NULL,
            size INTEGER NOT NULL,
            block_size INTEGER NOT NULL,
            block_checksums BLOB NOT NULL,
            tombstones BLOB NOT NULL,
            created_at REAL NOT NULL,
            PRIMARY KEY (kind, model_key, generation)
        ) WITHOUT ROWID
        """,
    ),
)

LIBRARY_SCHEMA = Schema(
    name="library",
    application_id=0x466E4C69,  # "FnLi"
    migrations=(
        _DOCUMENTS,
        _CONTENT,
        _VECTORS,
        _INDEXES,
        SEALS,
        INDEX,
        FOLDERS,
        ORIGINS,
        OCR,
        INGEST,
        COLLECTIONS,
        CHUNKING,
    ),
    damaged_advice=(
        "Your own files and your chats are not affected. Close Footnote and run `footnote doctor --repair`: it keeps a "
        "copy of the damaged file, takes over what can be read, and reads the rest from your files again."
    ),
)
