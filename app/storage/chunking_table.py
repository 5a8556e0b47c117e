"""Documents whose chunks were cut to another size than is wanted now, and new chunks in place of theirs."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.documents import Chunk
from app.storage.chunk_rows import chunk_row, replace_chunks
from app.storage.database import Database
from app.storage.rows import embedded_text
from app.storage.seals import break_seal


class ChunkingTable:
    """Part of ``LibraryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cut_otherwise(self, chunk_tokens: int, *, known_only: bool = False) -> dict[int, int]:
        """How many chunks each READY document has that was cut to another size, by id; in order of ids.

        With ``known_only`` those whose size is not known, out of packs and older libraries, are left as they are.
        """
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id, chunk_count FROM documents WHERE state = 'ready' AND chunk_tokens NOT IN (?, ?) "
                "ORDER BY id",
                (chunk_tokens, 0 if known_only else chunk_tokens),
            ).fetchall()
        return dict(rows)

    def embedded_texts(self, document_id: int, model_key: str) -> set[str]:
        """What this model has embedded of a document."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT context, text FROM chunks JOIN vectors ON chunk_id = chunks.id WHERE document_id = ? "
                "AND model_id = (SELECT id FROM embedding_models WHERE model_key = ?)",
                (document_id, model_key),
            ).fetchall()
        return {embedded_text(context, text) for context, text in rows}

    def replace_document_chunks(
        self,
        document_id: int,
        content_hash: str,
        chunks: Sequence[Chunk],
        search_texts: Sequence[str],
        chunk_tokens: int,
    ) -> bool:
        """Store other chunks of the same text; new ones are hidden until ``finish``, so call both ``together``.

        False, and nothing is changed, if the document is not READY with that content any more.
        """
        rows = [chunk_row(place, *each) for place, each in enumerate(zip(chunks, search_texts, strict=True))]
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE documents SET chunk_count = ?, chunk_tokens = ? "
                "WHERE id = ? AND content_hash = ? AND state = 'ready'",
                (len(chunks), chunk_tokens, document_id, content_hash),
            )
            if not changed.rowcount:
                return False
            break_seal(connection, document_id)
            replace_chunks(connection, document_id, rows)
        return True
