"""The documents of a library and where each stands."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from app.domain.documents import DocumentRecord, DocumentState, FileStamp
from app.domain.errors import FailureReason
from app.domain.passages import Scope
from app.storage.change_log import Operation, log_change
from app.storage.database import Database
from app.storage.library_values import UnknownDocumentError
from app.storage.rows import clean, path_from_column, path_to_column
from app.storage.scopes import scope_condition
from app.storage.seals import is_sealed, seal_document

_ENQUEUE = """
    INSERT INTO documents (
        path, title, media_type, size, mtime_ns, content_hash, state, message, chunk_count, metadata, priority,
        attempts, added_at, queued_at, updated_at, job_id
    ) VALUES (:path, :title, '', :size, :mtime_ns, '', 'queued', '', 0, '', :priority, 0, :now, :now, :now, :job)
    ON CONFLICT (path) DO UPDATE SET
        crashes = CASE WHEN size = excluded.size AND mtime_ns = excluded.mtime_ns THEN crashes ELSE 0 END,
        job_id = excluded.job_id,
        size = excluded.size, mtime_ns = excluded.mtime_ns, state = 'queued', reason = NULL, message = '',
        priority = excluded.priority, attempts = 0, queued_at = excluded.queued_at, updated_at = excluded.updated_at
"""
# What a document's row says; part of the metadata is the warning that a loader gave.
_RECORDS = """
    SELECT id, path, title, media_type, size, mtime_ns, content_hash, state, reason, message, page_count, chunk_count,
        added_at, updated_at, CASE WHEN instr(metadata, '"warning"') THEN json_extract(metadata, '$.warning') END
    FROM documents
"""
_UNREAD = """(state = 'excluded' OR (state <> 'ready' AND chunk_count = 0) OR instr(metadata, '"warning"'))"""
# Failures in which the process that read the file ended or had to be ended.
_CRASHES = (FailureReason.CRASHED, FailureReason.TIMEOUT, FailureReason.OUT_OF_MEMORY)
CRASHES_UNTIL_QUARANTINE = 2


class DocumentTable:
    """Documents as rows with a state. Part of ``LibraryStore``.

    Methods that take a document's id raise ``UnknownDocumentError`` when it is not there (any more).
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def enqueue(self, path: Path, stamp: FileStamp, *, priority: int = 0) -> DocumentRecord:
        """Queue a new file, or a known one again; what it held stays searchable until it is replaced.

        Among queued documents those with the higher ``priority`` come first.
        """
        self.enqueue_many([(path, stamp)], priority=priority)
        record = self.document_by_path(path)
        if record is None:
            raise UnknownDocumentError
        return record

    def enqueue_many(
        self, files: Iterable[tuple[Path, FileStamp]], *, priority: int = 0, job_id: int | None = None
    ) -> None:
        """``enqueue`` for many files in one transaction, as part of an ingestion."""
        now = time.time()
        rows = [
            {
                "path": path_to_column(path),
                "title": clean(path.name),
                "size": stamp.size,
                "mtime_ns": stamp.mtime_ns,
                "priority": priority,
                "now": now,
                "job": job_id,
            }
            for path, stamp in files
        ]
        with self._database.write() as connection:
            connection.executemany(_ENQUEUE, rows)

    def document(self, document_id: int) -> DocumentRecord:
        """The document with that id."""
        with self._database.read() as connection:
            row = connection.execute(f"{_RECORDS} WHERE id = ?", (document_id,)).fetchone()
        if row is None:
            raise UnknownDocumentError(document_id)
        return _record(row)

    def document_by_path(self, path: Path) -> DocumentRecord | None:
        """The document read from ``path``, if there is one."""
        with self._database.read() as connection:
            row = connection.execute(f"{_RECORDS} WHERE path = ?", (path_to_column(path),)).fetchone()
        return _record(row) if row else None

    def documents_by_path(self, paths: Iterable[Path]) -> dict[Path, DocumentRecord]:
        """``document_by_path`` for many files, in one view of the data; unknown ones are left out."""
        with self._database.read() as connection:
            found = [
                row
                for each in paths
                for row in connection.execute(f"{_RECORDS} WHERE path = ?", (path_to_column(each),))
            ]
        return {record.path: record for record in map(_record, found)}

    def documents_with_hash(self, content_hash: str) -> list[DocumentRecord]:
        """Documents whose file had this SHA-256 when it was read: copies of one file, or the file before a move."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_RECORDS} WHERE content_hash = ? AND content_hash <> '' ORDER BY id",
                (content_hash,),
            ).fetchall()
        return [_record(row) for row in rows]

    def is_complete(self, document_id: int) -> bool:
        """Whether text, chunks and vectors of a document are there, whatever became of its file."""
        with self._database.read() as connection:
            return _state_of_content(connection, document_id) is DocumentState.READY

    def documents(
        self, states: Collection[DocumentState] | None = None, *, after_id: int = 0, limit: int | None = None
    ) -> list[DocumentRecord]:
        """All documents, or those in ``states``, in the order they were added.

        To read a page, give the last id of the page before and how many to read.
        """
        chosen = json.dumps(list(DocumentState if states is None else states))
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_RECORDS} WHERE state IN (SELECT value FROM json_each(?)) "  # noqa: S608  a constant
                "AND id > ? ORDER BY id LIMIT ?",
                (chosen, after_id, -1 if limit is None else limit),
            ).fetchall()
        return [_record(row) for row in rows]

    def documents_in(self, scope: Scope) -> list[DocumentRecord]:
        """The documents in ``scope``, in whatever state, by path."""
        condition, parameters = scope_condition(scope)
        with self._database.read() as connection:
            rows = connection.execute(f"{_RECORDS} WHERE {condition} ORDER BY path, id", parameters).fetchall()
        return [_record(row) for row in rows]

    def unread(self, scope: Scope, limit: int) -> tuple[list[DocumentRecord], int]:
        """The first ``limit`` documents in ``scope`` that can't be searched, or not wholly; and how many there are.

        Those that could be read only in part have a ``warning``.
        """
        condition, parameters = scope_condition(scope)
        unread = f"({condition}) AND {_UNREAD}"
        with self._database.read() as connection:
            rows = connection.execute(f"{_RECORDS} WHERE {unread} ORDER BY id LIMIT ?", (*parameters, limit)).fetchall()
            count: int = connection.execute(
                f"SELECT count(*) FROM documents WHERE {unread}",  # noqa: S608  constants and our own conditions
                parameters,
            ).fetchone()[0]
        return [_record(row) for row in rows], count

    def pending(self) -> list[DocumentRecord]:
        """Documents with work left, in the order to do it: highest priority, then longest in the queue."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_RECORDS} WHERE state IN ('queued', 'parsing', 'embedding') ORDER BY priority DESC, queued_at, id"
            ).fetchall()
        return [_record(row) for row in rows]

    def counts(self) -> dict[DocumentState, int]:
        """How many documents are in each state, zeros included."""
        with self._database.read() as connection:
            found = dict(connection.execute("SELECT state, count(*) FROM documents GROUP BY state").fetchall())
        return {state: found.get(state.value, 0) for state in DocumentState}

    def set_state(
        self, document_id: int, state: DocumentState, *, reason: FailureReason | None = None, message: str = ""
    ) -> None:
        """Note where the document stands. Each change to PARSING counts as an attempt.

        EXCLUDED takes its text out of every search until the document is read again. The others leave what was
        finished before searchable.
        """
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE documents SET state = ?, reason = ?, message = ?, updated_at = ?, attempts = attempts + ? "
                "WHERE id = ?",
                (state, reason, clean(message), time.time(), state is DocumentState.PARSING, document_id),
            )
            if not changed.rowcount:
                raise UnknownDocumentError(document_id)
            if state is DocumentState.EXCLUDED:
                _hide(connection, document_id)

    def attempts(self, document_id: int) -> int:
        """How often the document was begun to be parsed since it was queued."""
        with self._database.read() as connection:
            row = connection.execute("SELECT attempts FROM documents WHERE id = ?", (document_id,)).fetchone()
        if row is None:
            raise UnknownDocumentError(document_id)
        return int(row[0])

    def begin_parsing(self, document_ids: Iterable[int]) -> None:
        """``set_state`` to PARSING for many documents in one transaction; removed ones are passed over."""
        now = time.time()
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE documents SET state = 'parsing', reason = NULL, message = '', updated_at = ?, "
                "attempts = attempts + 1 WHERE id = ?",
                [(now, each) for each in document_ids],
            )

    def put_back(self, document_ids: Iterable[int]) -> None:
        """Queue documents again whose parsing was stopped on purpose: that was no attempt."""
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE documents SET state = 'queued', attempts = max(0, attempts - 1) "
                "WHERE id = ? AND state = 'parsing'",
                [(each,) for each in document_ids],
            )

    def fail(self, document_id: int, reason: FailureReason, message: str) -> None:
        """The file can't be read. Counts the failures in which its parser ended; see ``is_quarantined``."""
        with self._database.write() as connection:
            self.set_state(document_id, DocumentState.FAILED, reason=reason, message=message)
            connection.execute(
                "UPDATE documents SET crashes = crashes + ? WHERE id = ?", (reason in _CRASHES, document_id)
            )

    def is_quarantined(self, document_id: int) -> bool:
        """Whether this version of the file ended its parser twice: it is not read again until it changes."""
        with self._database.read() as connection:
            row = connection.execute("SELECT crashes FROM documents WHERE id = ?", (document_id,)).fetchone()
        return bool(row) and row[0] >= CRASHES_UNTIL_QUARANTINE

    def forget_unfinished(self, document_ids: Iterable[int], *, new: Collection[int] = ()) -> None:
        """The user stopped an ingestion: files never read before leave the library, the others stay as they were.

        ``new`` are those that were read for the first time in that ingestion. The stamp 0, 0 makes the next ingestion
        look at the others again. One transaction.
        """
        with self._database.write() as connection:
            for document_id in document_ids:
                row = connection.execute("SELECT content_hash FROM documents WHERE id = ?", (document_id,)).fetchone()
                if row and row[0] and document_id not in new:
                    self.touch(document_id, FileStamp(0, 0))
                elif row:
                    delete_document(connection, document_id)

    def touch(self, document_id: int, stamp: FileStamp) -> DocumentRecord:
        """The file's content is as it was, only its stamp changed: READY again, or EMBEDDING where that had not ended.

        A document that was never read is left in its state.
        """
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE documents SET size = ?, mtime_ns = ?, updated_at = ? WHERE id = ?",
                (stamp.size, stamp.mtime_ns, time.time(), document_id),
            )
            if not changed.rowcount:
                raise UnknownDocumentError(document_id)
            state = _state_of_content(connection, document_id)
            if state is not None:
                connection.execute(
                    "UPDATE documents SET state = ?, reason = NULL, message = '' WHERE id = ?", (state, document_id)
                )
            if state is DocumentState.READY:
                reveal(connection, document_id)
                if not is_sealed(connection, document_id):
                    seal_document(connection, document_id)
        return self.document(document_id)

    def rename(self, document_id: int, new_path: Path) -> None:
        """The file moved. Text, chunks and vectors stay; a document that stood at ``new_path`` is replaced."""
        column = path_to_column(new_path)
        with self._database.write() as connection:
            other = connection.execute(
                "SELECT id FROM documents WHERE path = ? AND id <> ?", (column, document_id)
            ).fetchone()
            if other:
                delete_document(connection, other[0])
            changed = connection.execute(
                "UPDATE documents SET path = ?, updated_at = ? WHERE id = ?", (column, time.time(), document_id)
            )
            if not changed.rowcount:
                raise UnknownDocumentError(document_id)
            log_change(connection, Operation.REWORDED, visible_chunk_ids(connection, document_id))

    def remove(self, document_id: int) -> list[int]:
        """Forget the document with all its text and vectors. Returns its chunk ids; an unknown one has none."""
        with self._database.write() as connection:
            return delete_document(connection, document_id)


def delete_document(connection: sqlite3.Connection, document_id: int) -> list[int]:
    """Delete a document in the caller's transaction. Returns its chunk ids."""
    chunk_ids = [row[0] for row in connection.execute("SELECT id FROM chunks WHERE document_id = ?", (document_id,))]
    log_change(connection, Operation.REMOVED, visible_chunk_ids(connection, document_id))
    connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))
    return chunk_ids


def visible_chunk_ids(connection: sqlite3.Connection, document_id: int) -> list[int]:
    """The chunks of a document that searches show."""
    rows = connection.execute(
        "SELECT id FROM chunks WHERE document_id = ? AND id NOT IN (SELECT chunk_id FROM hidden_chunks) ORDER BY id",
        (document_id,),
    )
    return [row[0] for row in rows]


def reveal(connection: sqlite3.Connection, document_id: int) -> None:
    """Let searches show all chunks of a document, and log those that were hidden."""
    hidden = [
        row[0]
        for row in connection.execute(
            "SELECT id FROM chunks JOIN hidden_chunks ON chunk_id = id WHERE document_id = ? ORDER BY id",
            (document_id,),
        )
    ]
    connection.executemany("DELETE FROM hidden_chunks WHERE chunk_id = ?", [(each,) for each in hidden])
    log_change(connection, Operation.ADDED, hidden)


def _hide(connection: sqlite3.Connection, document_id: int) -> None:
    visible: Sequence[int] = visible_chunk_ids(connection, document_id)
    connection.executemany("INSERT INTO hidden_chunks (chunk_id) VALUES (?)", [(each,) for each in visible])
    log_change(connection, Operation.REMOVED, visible)


def _state_of_content(connection: sqlite3.Connection, document_id: int) -> DocumentState | None:
    """READY or EMBEDDING by what is stored; None where the file was never read."""
    row = connection.execute("SELECT content_hash FROM documents WHERE id = ?", (document_id,)).fetchone()
    if not row or not row[0]:
        return None
    lacking = connection.execute(
        "SELECT 1 FROM chunks WHERE document_id = ? AND NOT EXISTS "
        "(SELECT 1 FROM vectors WHERE vectors.chunk_id = chunks.id) LIMIT 1",
        (document_id,),
    ).fetchone()
    return DocumentState.EMBEDDING if lacking else DocumentState.READY


def _record(row: tuple[Any, ...]) -> DocumentRecord:
    ident, path, title, media_type, size, mtime_ns, content_hash, state, reason = row[:9]
    message, page_count, chunk_count, added_at, updated_at, warning = row[9:]
    return DocumentRecord(
        ident,
        path_from_column(path),
        title,
        media_type,
        FileStamp(size, mtime_ns),
        content_hash,
        DocumentState(state),
        FailureReason(reason) if reason else None,
        message,
        page_count,
        chunk_count,
        added_at,
        updated_at,
        warning or "",
    )
