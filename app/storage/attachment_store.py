"""Files attached to chats, in ``chats.db``: no library knows them, and they go when their chat is deleted."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.documents import Chunk, FileStamp, ParsedDocument
from app.domain.errors import BadInputError
from app.storage.database import Database
from app.storage.rows import (
    clean,
    path_from_column,
    path_to_column,
    text_from_blob,
    text_to_blob,
    texts_from_column,
    texts_to_column,
)


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """An attached file as it was read. ``has_picture``: the file itself is kept, for models that look at it."""

    id: int
    session_id: str
    path: Path
    file_hash: str
    stamp: FileStamp
    title: str
    media_type: str
    page_count: int | None
    has_picture: bool
    chunk_count: int
    token_count: int
    added_at: float


@dataclass(frozen=True, slots=True)
class AttachedChunk:
    """A chunk of an attached file. ``vector`` is little-endian float16 of the model ``model_key``."""

    attachment_id: int
    position: int
    chunk: Chunk
    search_text: str
    model_key: str
    vector: bytes


class AttachmentStore:
    """Attachments of all chats. Thread-safe. Methods may raise ``StorageError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        session_id: str,
        path: Path,
        file_hash: str,
        stamp: FileStamp,
        document: ParsedDocument,
        chunks: Sequence[AttachedChunk],
        picture: bytes | None,
    ) -> int:
        """Store a file with its chunks, in one transaction. Returns its id, that of the same version if it is there.

        The ids in ``chunks`` count for nothing. Raises ``BadInputError`` if the chat is gone.
        """
        values = (
            session_id,
            path_to_column(path),
            file_hash,
            stamp.size,
            stamp.mtime_ns,
            clean(document.title),
            document.media_type,
            document.page_count,
            text_to_blob(document.text),
            picture,
            time.time(),
        )
        with self._database.write() as connection:
            if connection.execute("SELECT 1 FROM sessions WHERE id = ?", (session_id,)).fetchone() is None:
                raise BadInputError("This chat no longer exists; it was deleted.")
            known = connection.execute(
                "SELECT id FROM attachments WHERE session_id = ? AND path = ? AND file_hash = ?", values[:3]
            ).fetchone()
            if known is not None:
                return int(known[0])
            attachment_id = connection.execute(_INSERT, values).lastrowid or 0
            connection.executemany(_INSERT_CHUNK, [_chunk_values(attachment_id, each) for each in chunks])
        return attachment_id

    def of(self, session_id: str) -> list[AttachmentRow]:
        """The files attached to a chat, in order."""
        with self._database.read() as connection:
            rows = connection.execute(f"{_SELECT} WHERE session_id = ? ORDER BY id", (session_id,)).fetchall()
        return [_row(each) for each in rows]

    def attachment(self, attachment_id: int) -> AttachmentRow:
        """One of them. Raises ``BadInputError`` if it is gone."""
        with self._database.read() as connection:
            row = connection.execute(f"{_SELECT} WHERE id = ?", (attachment_id,)).fetchone()
        if row is None:
            raise BadInputError("This attached file went with its chat. Its quotes stay where they are.")
        return _row(row)

    def text(self, attachment_id: int) -> str:
        """The text of one of them, empty if it is gone."""
        with self._database.read() as connection:
            row = connection.execute("SELECT text FROM attachments WHERE id = ?", (attachment_id,)).fetchone()
        return text_from_blob(row[0]) if row else ""

    def picture(self, attachment_id: int) -> bytes | None:
        """The file of a picture, if it is kept."""
        with self._database.read() as connection:
            row = connection.execute("SELECT picture FROM attachments WHERE id = ?", (attachment_id,)).fetchone()
        return row[0] if row else None

    def chunks(self, attachment_ids: Sequence[int]) -> list[AttachedChunk]:
        """The chunks of some files, in order of files and places."""
        found: list[AttachedChunk] = []
        with self._database.read() as connection:
            for attachment_id in attachment_ids:
                text = connection.execute("SELECT text FROM attachments WHERE id = ?", (attachment_id,)).fetchone()
                rows = connection.execute(_SELECT_CHUNKS, (attachment_id,)).fetchall()
                found += [_chunk(attachment_id, text_from_blob(text[0]), row) for row in rows]
        return found

    def remove(self, session_id: str, attachment_id: int) -> None:
        """Take a file out of its chat. One that is gone already is no error."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM attachments WHERE id = ? AND session_id = ?", (attachment_id, session_id))


_SELECT = """
    SELECT id, session_id, path, file_hash, size, mtime_ns, title, media_type, page_count, picture IS NOT NULL,
        added_at, (SELECT count(*) FROM attachment_chunks WHERE attachment_id = attachments.id),
        (SELECT ifnull(sum(token_count), 0) FROM attachment_chunks WHERE attachment_id = attachments.id)
    FROM attachments
"""
_INSERT = """
    INSERT INTO attachments (session_id, path, file_hash, size, mtime_ns, title, media_type, page_count, text, picture,
        added_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_CHUNK = "INSERT INTO attachment_chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT_CHUNKS = """
    SELECT position, start, "end", page, headings, token_count, search_text, model_key, vector
    FROM attachment_chunks WHERE attachment_id = ? ORDER BY position
"""


def _chunk_values(attachment_id: int, each: AttachedChunk) -> tuple[Any, ...]:
    chunk = each.chunk
    return (
        attachment_id,
        each.position,
        chunk.start,
        chunk.end,
        chunk.page,
        texts_to_column(chunk.headings),
        chunk.token_count,
        clean(each.search_text),
        each.model_key,
        each.vector,
    )


def _chunk(attachment_id: int, text: str, row: sqlite3.Row | tuple[Any, ...]) -> AttachedChunk:
    position, start, end, page, headings, tokens, search_text, model_key, vector = row
    chunk = Chunk(text[start:end], start, end, page, texts_from_column(headings), token_count=tokens)
    return AttachedChunk(attachment_id, position, chunk, search_text, model_key, vector)


def _row(row: tuple[Any, ...]) -> AttachmentRow:
    ident, session_id, path, file_hash, size, mtime_ns, title, media_type, pages, picture, added_at, count, tokens = row
    return AttachmentRow(
        ident,
        session_id,
        path_from_column(path),
        file_hash,
        FileStamp(size, mtime_ns),
        title,
        media_type,
        pages,
        bool(picture),
        count,
        tokens,
        added_at,
    )
