"""Whole documents out of the library and into it, as collection packs carry them."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.domain.char_map import CharMap
from app.domain.documents import (
    SECTION_SEPARATOR,
    Chunk,
    DocumentState,
    FileStamp,
    ParsedDocument,
    PlacedSection,
    Section,
    SectionKind,
)
from app.domain.packs import PackedDocument
from app.domain.passages import Scope
from app.storage.content_table import ContentTable
from app.storage.database import Database
from app.storage.document_table import DocumentTable
from app.storage.rows import (
    box_map_from_blob,
    char_map_from_blob,
    path_from_column,
    text_from_blob,
    texts_from_column,
)
from app.storage.scopes import scope_condition
from app.storage.vector_table import VectorTable

_LACKS_VECTOR = """
    SELECT 1 FROM chunks WHERE document_id = documents.id AND (
        id IN (SELECT chunk_id FROM hidden_chunks) OR NOT EXISTS (
            SELECT 1 FROM vectors WHERE chunk_id = chunks.id
            AND model_id = (SELECT id FROM embedding_models WHERE model_key = ?)
        )
    )
"""
_COMPLETE = f"state IN ('ready', 'offline') AND content_hash <> '' AND chunk_count > 0 AND NOT EXISTS ({_LACKS_VECTOR})"
_SECTIONS = (
    'SELECT start, "end", page, kind, headings, text, char_map, confidence, box_map FROM sections '
    "WHERE document_id = ? ORDER BY position"
)
_CHUNKS = (
    'SELECT text, start, "end", page, headings, context, token_count, vector FROM chunks '
    "JOIN vectors ON chunk_id = chunks.id AND model_id = (SELECT id FROM embedding_models WHERE model_key = ?) "
    "WHERE document_id = ? ORDER BY position"
)


class PackTable(DocumentTable, ContentTable, VectorTable):
    """Packed documents. Part of ``LibraryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def complete_documents(self, scope: Scope, model_key: str) -> list[int]:
        """Documents in ``scope`` that searches show and that this model has embedded to the end, by path."""
        condition, parameters = scope_condition(scope)
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT id FROM documents WHERE {condition} AND {_COMPLETE} ORDER BY path",  # noqa: S608  constants
                [*parameters, model_key],
            ).fetchall()
        return [row[0] for row in rows]

    def document_count(self, scope: Scope) -> int:
        """How many documents are in ``scope``, in whatever state."""
        condition, parameters = scope_condition(scope)
        with self._database.read() as connection:
            row = connection.execute(f"SELECT count(*) FROM documents WHERE {condition}", parameters).fetchone()  # noqa: S608
        return int(row[0])

    def whole_document(self, document_id: int, model_key: str) -> PackedDocument | None:
        """A document with everything, in one view of the data; None if it is not complete (any more)."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT path, size, mtime_ns, content_hash, title, media_type, page_count, metadata FROM documents "  # noqa: S608
                f"WHERE id = ? AND {_COMPLETE}",
                (document_id, model_key),
            ).fetchone()
            if row is None:
                return None
            sections = tuple(map(_placed_section, connection.execute(_SECTIONS, (document_id,))))
            chunks = connection.execute(_CHUNKS, (model_key, document_id)).fetchall()
        return PackedDocument(
            str(path_from_column(row[0])),
            FileStamp(row[1], row[2]),
            row[3],
            _parsed(row[4:], sections),
            tuple(map(_chunk, chunks)),
            tuple(each[-1] for each in chunks),
        )

    def put_document(
        self,
        path: Path,
        stamp: FileStamp,
        packed: PackedDocument,
        search_texts: Sequence[str],
        model_key: str,
        offline: str | None,
    ) -> int:
        """Store a document with its vectors, in place of what was at ``path``. One transaction. Returns its id.

        With ``offline``, words that say why, its file is not here.
        """
        with self._database.write() as connection:
            document_id = self.enqueue(path, stamp).id
            self.replace_content(document_id, packed.parsed, packed.content_hash, packed.chunks, search_texts)
            ids = connection.execute(
                "SELECT id FROM chunks WHERE document_id = ? ORDER BY position", (document_id,)
            ).fetchall()
            rows = [(row[0], vector) for row, vector in zip(ids, packed.vectors, strict=True)]
            self.store_vectors(model_key, rows)
            self.finish(document_id, model_key)
            if offline is not None:
                self._mark_packed(connection, document_id, offline)
        return document_id

    def move_packed(self, document_id: int, path: Path, stamp: FileStamp, *, offline: str | None) -> None:
        """A packed document has another path now, and is READY unless there are words that say why it is not."""
        with self._database.write() as connection:
            self.rename(document_id, path)
            self.touch(document_id, stamp)
            if offline is not None:
                self._mark_packed(connection, document_id, offline)

    def is_packed(self, document_id: int) -> bool:
        """Whether the document came in a collection pack and its file was never seen here."""
        with self._database.read() as connection:
            row = connection.execute("SELECT 1 FROM packed_documents WHERE document_id = ?", (document_id,)).fetchone()
        return row is not None

    @staticmethod
    def _mark_packed(connection: sqlite3.Connection, document_id: int, words: str) -> None:
        connection.execute(
            "UPDATE documents SET state = ?, message = ?, updated_at = ? WHERE id = ?",
            (DocumentState.OFFLINE, words, time.time(), document_id),
        )
        connection.execute("INSERT OR IGNORE INTO packed_documents (document_id) VALUES (?)", (document_id,))


def _placed_section(row: tuple[Any, ...]) -> PlacedSection:
    start, end, page, kind, headings, text, char_map, confidence, box_map = row
    section = Section(
        text_from_blob(text),
        page,
        texts_from_column(headings),
        SectionKind(kind),
        None if char_map is None else CharMap.from_indexes(char_map_from_blob(char_map)),
        confidence,
        None if box_map is None else box_map_from_blob(box_map),
    )
    return PlacedSection(section, start, end)


def _parsed(row: tuple[Any, ...], sections: tuple[PlacedSection, ...]) -> ParsedDocument:
    title, media_type, page_count, metadata = row
    text = SECTION_SEPARATOR.join(each.section.text for each in sections)
    return ParsedDocument(text, sections, title, media_type, page_count, json.loads(metadata) if metadata else {})


def _chunk(row: tuple[Any, ...]) -> Chunk:
    text, start, end, page, headings, context, token_count, _ = row
    return Chunk(text, start, end, page, texts_from_column(headings), context, token_count)
