"""Seals: CRC-32 sums of a finished document's rows, by which altered bytes are found that SQLite can't notice.

A seal is made in the transaction that makes a document READY and broken in the one that replaces its content.
"""

from __future__ import annotations

import sqlite3
import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from app.storage.rows import little_endian_words, words_from_bytes

# Texts are read as bytes: altered ones may not be valid UTF-8. Columns are named, as later versions may add some.
_HEAD = """
    SELECT CAST(title AS BLOB), CAST(media_type AS BLOB), CAST(content_hash AS BLOB), page_count, chunk_count,
        CAST(metadata AS BLOB)
    FROM documents WHERE id = ?
"""
_SECTIONS = """
    SELECT position, start, "end", page, CAST(kind AS BLOB), CAST(headings AS BLOB), text, char_map
    FROM sections WHERE document_id = ? ORDER BY position
"""
_CHUNKS = """
    SELECT id, position, start, "end", page, token_count, CAST(headings AS BLOB), CAST(context AS BLOB),
        CAST(text AS BLOB), CAST(search_text AS BLOB)
    FROM chunks WHERE document_id = ? ORDER BY id
"""
_VECTORS = """
    SELECT chunks.id, vector FROM chunks LEFT JOIN vectors ON vectors.chunk_id = chunks.id
        AND model_id = (SELECT id FROM embedding_models WHERE model_key = ?)
    WHERE document_id = ? ORDER BY chunks.id
"""
_MODEL = """
    SELECT model_key FROM vectors JOIN embedding_models ON embedding_models.id = model_id
    WHERE chunk_id IN (SELECT id FROM chunks WHERE document_id = ?)
    GROUP BY model_id ORDER BY count(*) DESC, max(vectors.id) DESC LIMIT 1
"""

Value = bytes | int | None


@dataclass(frozen=True, slots=True)
class Seal:
    """CRC-32 sums: of the document's row, of its sections together, of each chunk, and of each chunk's vector."""

    model_key: str
    head: int
    sections: int
    chunks: array[int]
    vectors: array[int]


@dataclass(frozen=True, slots=True)
class BrokenSeal:
    """What differs from the seal. ``chunks`` and ``vectors`` are chunk ids; ``count`` that chunks came or went.

    ``vectors`` are those of ``model_key``.
    """

    model_key: str
    head: bool = False
    sections: bool = False
    count: bool = False
    chunks: tuple[int, ...] = ()
    vectors: tuple[int, ...] = ()

    @property
    def text_altered(self) -> bool:
        """Whether anything but vectors differs."""
        return self.head or self.sections or self.count or bool(self.chunks)


def make_seal(connection: sqlite3.Connection, document_id: int, model_key: str) -> Seal:
    """The seal that the rows of a document give now, with the vectors of one model."""
    head = connection.execute(_HEAD, (document_id,)).fetchone() or ()
    sections = 0
    for row in connection.execute(_SECTIONS, (document_id,)):
        sections = _checksum(row, sections)
    chunks = array("I", (_checksum(row) for row in connection.execute(_CHUNKS, (document_id,))))
    vectors = array("I", (_checksum(row) for row in connection.execute(_VECTORS, (model_key, document_id))))
    return Seal(model_key, _checksum(head), sections, chunks, vectors)


def seal_document(connection: sqlite3.Connection, document_id: int, model_key: str | None = None) -> None:
    """Store the seal of a document that has just been finished, in the caller's transaction.

    Without ``model_key`` its vectors are those of the model that embedded most of it.
    """
    if model_key is None:
        row = connection.execute(_MODEL, (document_id,)).fetchone()
        model_key = str(row[0]) if row else ""
    seal = make_seal(connection, document_id, model_key)
    connection.execute(
        "INSERT OR REPLACE INTO seals (document_id, model_key, head, sections, chunks, vectors) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            document_id,
            seal.model_key,
            seal.head,
            seal.sections,
            little_endian_words(seal.chunks),
            little_endian_words(seal.vectors),
        ),
    )


def is_sealed(connection: sqlite3.Connection, document_id: int) -> bool:
    """Whether the document has a seal."""
    return connection.execute("SELECT 1 FROM seals WHERE document_id = ?", (document_id,)).fetchone() is not None


def break_seal(connection: sqlite3.Connection, document_id: int) -> None:
    """Forget the seal of a document whose content is about to change, in the caller's transaction."""
    connection.execute("DELETE FROM seals WHERE document_id = ?", (document_id,))


def stored_seal(connection: sqlite3.Connection, document_id: int) -> Seal | None:
    """The seal made when the document was finished; None if it has none."""
    row = connection.execute(
        "SELECT model_key, head, sections, chunks, vectors FROM seals WHERE document_id = ?", (document_id,)
    ).fetchone()
    return Seal(row[0], row[1], row[2], words_from_bytes(row[3]), words_from_bytes(row[4])) if row else None


def compare_seal(connection: sqlite3.Connection, document_id: int) -> BrokenSeal | None:
    """What differs between a document's rows and its seal; None if nothing does or there is no seal."""
    sealed = stored_seal(connection, document_id)
    if sealed is None:
        return None
    found = make_seal(connection, document_id, sealed.model_key)
    if found == sealed:
        return None
    head, sections = found.head != sealed.head, found.sections != sealed.sections
    if len(found.chunks) != len(sealed.chunks) or len(found.vectors) != len(sealed.vectors):
        return BrokenSeal(sealed.model_key, head, sections, count=True)
    ids = [
        row[0] for row in connection.execute("SELECT id FROM chunks WHERE document_id = ? ORDER BY id", (document_id,))
    ]
    return BrokenSeal(
        sealed.model_key,
        head,
        sections,
        chunks=_differing(ids, found.chunks, sealed.chunks),
        vectors=_differing(ids, found.vectors, sealed.vectors),
    )


def _differing(ids: Iterable[int], found: array[int], sealed: array[int]) -> tuple[int, ...]:
    return tuple(chunk_id for chunk_id, one, other in zip(ids, found, sealed, strict=True) if one != other)


def _checksum(row: Iterable[Value | str | float], start: int = 0) -> int:
    total = start
    for value in row:
        piece = value if isinstance(value, bytes) else repr(value).encode()
        total = zlib.crc32(piece, zlib.crc32(b"%d:" % len(piece), total))
    return total
