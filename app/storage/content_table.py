"""The text of documents: sections for the viewer, chunks for searching."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from app.domain.box_map import BoxMap
from app.domain.documents import SECTION_SEPARATOR, Chunk, DocumentState, FileStamp, ParsedDocument, SectionKind
from app.domain.passages import Passage, Scope
from app.storage.chunk_rows import chunk_row, replace_chunks
from app.storage.chunk_scope import ChunkScope
from app.storage.database import Database
from app.storage.library_values import ReplaceResult, StoredSection, UnknownDocumentError
from app.storage.one_step import PATH, id_lists, path_of, rows_in_one_step
from app.storage.rows import (
    box_map_from_blob,
    box_map_to_blob,
    char_map_from_blob,
    char_map_to_blob,
    clean,
    sorted_ids,
    text_from_blob,
    text_to_blob,
    texts_from_column,
    texts_to_column,
)
from app.storage.scopes import scope_condition
from app.storage.seals import break_seal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAGE = 2048


class ContentTable:
    """Sections and chunks. Part of ``LibraryStore``. Chunks of unfinished or excluded documents are not shown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace_content(
        self,
        document_id: int,
        parsed: ParsedDocument,
        content_hash: str,
        chunks: Sequence[Chunk],
        search_texts: Sequence[str],
        stamp: FileStamp | None = None,
        *,
        chunk_tokens: int = 0,
    ) -> ReplaceResult:
        """Store what was read from a file in place of what was there; the document is then EMBEDDING or still EXCLUDED.

        One transaction. A chunk whose embedded text was there before keeps its id and its vectors. New chunks have
        no vector and stay hidden until ``finish``. ``stamp`` is the file's when it was read, if that is known better
        than when it was queued, ``chunk_tokens`` the size that chunks were cut to, 0 if unknown. Raises
        ``UnknownDocumentError`` for a document that was removed.
        """
        if len(chunks) != len(search_texts):
            raise ValueError(f"{len(chunks)} chunks, but {len(search_texts)} search texts")
        rows = [
            chunk_row(position, chunk, text)
            for position, (chunk, text) in enumerate(zip(chunks, search_texts, strict=True))
        ]
        with self._database.write() as connection:
            _describe(connection, document_id, parsed, content_hash, len(chunks), chunk_tokens)
            if stamp is not None:
                connection.execute(_SET_STAMP, (stamp.size, stamp.mtime_ns, document_id))
            break_seal(connection, document_id)
            connection.execute("DELETE FROM sections WHERE document_id = ?", (document_id,))
            connection.executemany(_INSERT_SECTION, _section_rows(document_id, parsed))
            return replace_chunks(connection, document_id, rows)

    def document_text(self, document_id: int) -> str:
        """The whole text of a document, empty if it was not read."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT text FROM sections WHERE document_id = ? ORDER BY position", (document_id,)
            )
            return SECTION_SEPARATOR.join(text_from_blob(row[0]) for row in rows)

    def sections(self, document_id: int) -> list[StoredSection]:
        """The sections of a document in order; their character maps are read when first used."""
        with self._database.read() as connection:
            rows = connection.execute(
                'SELECT id, start, "end", page, headings, kind, char_map IS NOT NULL, confidence FROM sections '
                "WHERE document_id = ? ORDER BY position",
                (document_id,),
            ).fetchall()
        return [self._section(row) for row in rows]

    def passages(self, chunk_ids: Iterable[int]) -> dict[int, Passage]:
        """Visible chunks by id, with score 0. Unknown ids are left out."""
        return {
            row[0]: _passage(row)
            for ids in id_lists(chunk_ids)
            for row in rows_in_one_step(self._database, _PASSAGE_COLUMNS, _CHUNKS_OF, (ids,))
        }

    def neighbours(self, chunk_id: int, before: int, after: int) -> list[int]:
        """Ids of up to ``before`` visible chunks before a chunk in its document, itself, and up to ``after`` behind."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT near.id FROM chunks AS origin JOIN visible_chunks AS near "
                "ON near.document_id = origin.document_id "
                "AND near.position BETWEEN origin.position - ? AND origin.position + ? "
                "WHERE origin.id = ? ORDER BY near.position",
                (before, after, chunk_id),
            ).fetchall()
        return [row[0] for row in rows]

    def chunk_ids_in_scope(self, scope: Scope) -> NDArray[np.int64] | None:
        """Ids of the visible chunks in ``scope``, ascending; None when it limits nothing."""
        if scope.everything:
            return None
        condition, parameters = scope_condition(scope)
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT group_concat(id) FROM visible_chunks WHERE document_id IN "  # noqa: S608  made of constants
                f"(SELECT id FROM documents WHERE {condition})",
                parameters,
            ).fetchone()
        return sorted_ids(row[0])

    def chunk_scope(self, scope: Scope) -> ChunkScope | None:
        """The chunks in ``scope``, hidden ones too; None when it limits nothing. Quick for any number of chunks."""
        if scope.everything:
            return None
        condition, parameters = scope_condition(scope)
        chosen = f"chunk_runs WHERE document_id IN (SELECT id FROM documents WHERE {condition})"  # noqa: S608  constants
        return ChunkScope.of_runs(
            rows_in_one_step(self._database, "document_id, first_id, last_id", chosen, parameters)
        )

    def search_rows(self, after_chunk_id: int = 0) -> Iterator[tuple[int, str, str, str, int]]:
        """Visible chunks in order of their ids: (chunk id, search text, title, path, document id). Read in pages."""
        while True:
            with self._database.read() as connection:
                rows = connection.execute(
                    f"SELECT {_SEARCH_COLUMNS} FROM visible_chunks AS chunk "  # noqa: S608  constants
                    "JOIN documents ON documents.id = document_id WHERE chunk.id > ? ORDER BY chunk.id LIMIT ?",
                    (after_chunk_id, _PAGE),
                ).fetchall()
            yield from map(_search_row, rows)
            if len(rows) < _PAGE:
                return
            after_chunk_id = rows[-1][0]

    def search_rows_of(self, chunk_ids: Iterable[int]) -> list[tuple[int, str, str, str, int]]:
        """``search_rows`` of the given chunks."""
        return [
            _search_row(row)
            for ids in id_lists(chunk_ids)
            for row in sorted(rows_in_one_step(self._database, _SEARCH_COLUMNS, _CHUNKS_OF, (ids,)))
        ]

    def search_texts(self, chunk_ids: Iterable[int]) -> dict[int, str]:
        """The search texts of the given chunks by id; hidden and unknown ones are left out."""
        chosen = "visible_chunks WHERE id IN (SELECT value FROM json_each(?))"
        return {
            chunk_id: text
            for ids in id_lists(chunk_ids)
            for chunk_id, text in rows_in_one_step(self._database, "id, search_text", chosen, (ids,))
        }

    def chunk_count(self) -> int:
        """How many chunks searches show."""
        with self._database.read() as connection:
            total, hidden = connection.execute(
                "SELECT (SELECT count(*) FROM chunks), (SELECT count(*) FROM hidden_chunks)"
            ).fetchone()
        return int(total - hidden)

    def _section(self, row: tuple[Any, ...]) -> StoredSection:
        section_id, start, end, page, headings, kind, has_char_map, confidence = row
        return StoredSection(
            start,
            end,
            page,
            texts_from_column(headings),
            SectionKind(kind),
            bool(has_char_map),
            lambda: self._char_map(section_id),
            confidence,
            lambda: self._box_map(section_id),
        )

    def _char_map(self, section_id: int) -> tuple[int, ...] | None:
        with self._database.read() as connection:
            row = connection.execute("SELECT char_map FROM sections WHERE id = ?", (section_id,)).fetchone()
        return char_map_from_blob(row[0]) if row and row[0] is not None else None

    def _box_map(self, section_id: int) -> BoxMap | None:
        with self._database.read() as connection:
            row = connection.execute("SELECT box_map FROM sections WHERE id = ?", (section_id,)).fetchone()
        return box_map_from_blob(row[0]) if row and row[0] is not None else None


# How sure OCR was of the sections that a chunk stands in; NULL if it took no part. The index of 0005_ocr answers it.
_OCR_CONFIDENCE = (
    "SELECT avg(confidence) FROM sections AS section WHERE section.document_id = chunk.document_id "
    'AND section.start < chunk."end" AND section."end" > chunk.start AND confidence IS NOT NULL'
)
_PASSAGE_COLUMNS = (
    f'chunk.id, document_id, {PATH}, title, content_hash, start, "end", text, page, headings, token_count, '
    f"({_OCR_CONFIDENCE}), state"
)
_SEARCH_COLUMNS = f"chunk.id, search_text, title, {PATH}, document_id"
_CHUNKS_OF = (
    "visible_chunks AS chunk JOIN documents ON documents.id = document_id "
    "WHERE chunk.id IN (SELECT value FROM json_each(?))"
)
_SET_STAMP = "UPDATE documents SET size = ?, mtime_ns = ? WHERE id = ?"
_INSERT_SECTION = (
    'INSERT INTO sections (document_id, position, start, "end", page, kind, headings, text, char_map, '
    "confidence, box_map) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _section_rows(document_id: int, parsed: ParsedDocument) -> Iterator[tuple[Any, ...]]:
    for position, placed in enumerate(parsed.sections):
        section = placed.section
        yield (
            document_id,
            position,
            placed.start,
            placed.end,
            section.page,
            section.kind,
            texts_to_column(section.headings),
            text_to_blob(section.text),
            char_map_to_blob(section.char_map),
            section.confidence,
            box_map_to_blob(section.box_map),
        )


def _describe(
    connection: sqlite3.Connection,
    document_id: int,
    parsed: ParsedDocument,
    content_hash: str,
    chunk_count: int,
    chunk_tokens: int,
) -> None:
    changed = connection.execute(
        "UPDATE documents SET title = ?, media_type = ?, content_hash = ?, page_count = ?, chunk_count = ?, "
        "chunk_tokens = ?, "
        "metadata = ?, updated_at = ?, reason = NULL, message = '', attempts = 0, crashes = 0, "
        "state = CASE state WHEN 'excluded' THEN 'excluded' ELSE 'embedding' END WHERE id = ?",
        (
            clean(parsed.title),
            parsed.media_type,
            content_hash,
            parsed.page_count,
            chunk_count,
            chunk_tokens,
            json.dumps(parsed.metadata),
            time.time(),
            document_id,
        ),
    )
    if not changed.rowcount:
        raise UnknownDocumentError(document_id)


def _search_row(row: Sequence[Any]) -> tuple[int, str, str, str, int]:
    chunk_id, search_text, title, path, document_id = row
    return chunk_id, search_text, title, clean(str(path_of(path))), document_id


def _passage(row: Sequence[Any]) -> Passage:
    chunk_id, document_id, path, title, file_hash, start, end, text, page, headings, token_count, confidence, state = (
        row
    )
    return Passage(
        chunk_id=chunk_id,
        document_id=document_id,
        path=path_of(path),
        title=title,
        file_hash=file_hash,
        start=start,
        end=end,
        text=text,
        score=0.0,
        page=page,
        headings=texts_from_column(headings),
        token_count=token_count,
        ocr_confidence=confidence,
        offline=state == DocumentState.OFFLINE,
    )
