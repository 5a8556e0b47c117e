"""The folders a library follows, and documents in bulk as looking through folders needs them."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from app.domain.documents import DocumentState, FileStamp
from app.domain.errors import FailureReason
from app.domain.folders import FolderRecord, FolderState, FolderStatus, KnownFile
from app.domain.passages import Scope
from app.storage.change_log import Operation, log_change
from app.storage.database import Database
from app.storage.document_table import delete_document, visible_chunk_ids
from app.storage.rows import clean, id_list, path_from_column, path_to_column
from app.storage.scopes import scope_condition

_PREFIXES_AT_ONCE = 100
_FOLDER_COLUMNS = "id, path, state, message, identity, added_at, scanned_at"


class FolderTable:
    """Followed folders. Part of ``LibraryStore``. Paths are absolute; whether they exist is not looked at."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def folders(self) -> list[FolderRecord]:
        """All followed folders, by path."""
        with self._database.read() as connection:
            rows = connection.execute(f"SELECT {_FOLDER_COLUMNS} FROM folders").fetchall()  # noqa: S608  constant
            mounts = connection.execute("SELECT folder_id, path FROM folder_mounts").fetchall()
        records = [_folder(row, [each[1] for each in mounts if each[0] == row[0]]) for row in rows]
        return sorted(records, key=lambda record: record.path)

    def folder_holding(self, path: Path) -> FolderRecord | None:
        """The followed folder that is ``path`` or holds it."""
        return next((each for each in self.folders() if each.path == path or each.path in path.parents), None)

    def add_folder(self, path: Path) -> FolderRecord:
        """Follow a folder from now on; inside one that is followed already, that one is returned.

        Followed folders below it become part of it.
        """
        with self._database.write() as connection:
            known = self.folder_holding(path)
            if known is not None:
                return known
            below = [each.id for each in self.folders() if path in each.path.parents]
            connection.executemany("DELETE FROM folders WHERE id = ?", [(each,) for each in below])
            connection.execute(
                "INSERT INTO folders (path, state, message, identity, added_at) VALUES (?, ?, '', '', ?)",
                (path_to_column(path), FolderState.LIVE, time.time()),
            )
            connection.execute("DELETE FROM path_choices WHERE path = ? AND NOT included", (path_to_column(path),))
        added = self.folder_holding(path)
        if added is None:
            raise RuntimeError(f"{path} was removed while it was added")
        return added

    def remove_folder(self, folder_id: int) -> None:
        """Follow a folder no longer; its documents stay. An unknown id does nothing."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM folders WHERE id = ?", (folder_id,))

    def set_folder_state(self, folder_id: int, state: FolderState, message: str = "") -> bool:
        """Note how a folder is followed. False if that was known already, or the folder is followed no longer."""
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE folders SET state = ?, message = ? WHERE id = ? AND (state <> ? OR message <> ?)",
                (state, clean(message), folder_id, state, clean(message)),
            )
        return changed.rowcount > 0

    def record_scan(self, folder_id: int, identity: str, mounts: Iterable[Path]) -> None:
        """A folder was looked through: what it is, and which file systems were mounted below it."""
        columns = [(folder_id, path_to_column(path)) for path in sorted(set(mounts))]
        with self._database.write() as connection:
            connection.execute(
                "UPDATE folders SET identity = ?, scanned_at = ? WHERE id = ?", (identity, time.time(), folder_id)
            )
            connection.execute("DELETE FROM folder_mounts WHERE folder_id = ?", (folder_id,))
            connection.executemany(
                "INSERT INTO folder_mounts (folder_id, path) SELECT ?, ? WHERE EXISTS (SELECT 1 FROM folders "
                "WHERE id = ?)",
                [(ident, column, ident) for ident, column in columns],
            )

    def folder_statuses(self) -> list[FolderStatus]:
        """All followed folders with the counts of their documents, by path."""
        return [self._status(record) for record in self.folders()]

    def path_choices(self) -> dict[Path, bool]:
        """What the user said about single paths: True to take it in spite of the rules, False to leave it out."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT path, included FROM path_choices").fetchall()
        return {path_from_column(path): bool(included) for path, included in rows}

    def choose_path(self, path: Path, *, included: bool | None) -> None:
        """Remember what the user said about a path; None forgets it."""
        column = path_to_column(path)
        with self._database.write() as connection:
            connection.execute("DELETE FROM path_choices WHERE path = ?", (column,))
            if included is not None:
                connection.execute("INSERT INTO path_choices (path, included) VALUES (?, ?)", (column, included))

    def leave_out(self, path: Path) -> None:
        """The user took ``path`` out: folders at or below it are followed no longer, inside one it is remembered."""
        with self._database.write() as connection:
            ended = [each.id for each in self.folders() if each.path == path or path in each.path.parents]
            connection.executemany("DELETE FROM folders WHERE id = ?", [(each,) for each in ended])
            if self.folder_holding(path) is not None:
                self.choose_path(path, included=False)

    # -- documents in bulk -----------------------------------------------------------------------------------------

    def known_files(self, prefixes: Sequence[Path] | None = None, *, packed: bool = False) -> list[KnownFile]:
        """The files at or below ``prefixes``, or all of them: one query for a hundred prefixes.

        Only with ``packed`` those too that came in a collection pack and whose file was never seen here.
        """
        known = _KNOWN if packed else f"{_KNOWN} AND id NOT IN (SELECT document_id FROM packed_documents)"  # noqa: S608  constants
        with self._database.read() as connection:
            if prefixes is None:
                return [_known(row) for row in connection.execute(known.format("1"))]
            found: dict[int, KnownFile] = {}
            for start in range(0, len(prefixes), _PREFIXES_AT_ONCE):
                condition, parameters = scope_condition(Scope(folders=tuple(prefixes[start : start + 100])))
                rows = connection.execute(known.format(condition), parameters)
                found.update((row[0], _known(row)) for row in rows)
        return list(found.values())

    def mark_offline(self, document_ids: Iterable[int], message: str) -> None:
        """Their files can't be reached now. They stay searchable; what the user left out stays left out."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE documents SET state = 'offline', reason = NULL, message = ?, updated_at = ? "
                "WHERE state <> 'excluded' AND id IN (SELECT value FROM json_each(?))",
                (clean(message), time.time(), id_list(document_ids)),
            )

    def bring_back(self, document_ids: Iterable[int]) -> None:
        """The unchanged files of OFFLINE documents are there again: each is what it was before."""
        with self._database.write() as connection:
            connection.execute(_BRING_BACK, (time.time(), id_list(document_ids)))

    def move_files(self, moves: Iterable[tuple[int, Path, FileStamp, int]]) -> None:
        """Files moved: (document, new path, stamp, inode). A document at the new path gives way, unless it moves too.

        Text, chunks and vectors stay. One transaction.
        """
        wanted = list(moves)
        moving = {document_id for document_id, *_ in wanted}
        with self._database.write() as connection:
            # Files may have changed places: no path is free before all have left theirs.
            connection.executemany(
                "UPDATE documents SET path = ? WHERE id = ?", [(f"moving:{each}", each) for each in moving]
            )
            for document_id, path, stamp, inode in wanted:
                _place(connection, document_id, path, stamp)
                _note_inodes(connection, [(document_id, inode)])

    def note_inodes(self, inodes: Iterable[tuple[int, int]]) -> None:
        """Remember which file each document was seen in: (document, inode)."""
        with self._database.write() as connection:
            _note_inodes(connection, inodes)

    def remove_many(self, document_ids: Iterable[int]) -> None:
        """``remove`` for many documents in one transaction."""
        with self._database.write() as connection:
            for document_id in document_ids:
                delete_document(connection, document_id)

    def _status(self, record: FolderRecord) -> FolderStatus:
        condition, parameters = scope_condition(Scope(folders=(record.path,)))
        query = f"SELECT state, count(*) FROM documents WHERE {condition} GROUP BY state"  # noqa: S608  constants
        with self._database.read() as connection:
            counts = dict(connection.execute(query, parameters).fetchall())
        return FolderStatus(
            record.path,
            record.state,
            record.message,
            sum(counts.values()),
            counts.get(DocumentState.OFFLINE.value, 0),
            counts.get(DocumentState.FAILED.value, 0),
        )


_KNOWN = (
    "SELECT id, path, size, mtime_ns, state, reason, content_hash, coalesce(inode, 0) FROM documents "
    "LEFT JOIN file_inodes ON document_id = id WHERE {}"
)
_BRING_BACK = """
    UPDATE documents SET reason = NULL, message = '', updated_at = ?, state = CASE
        WHEN content_hash = '' THEN 'queued'
        WHEN EXISTS (SELECT 1 FROM chunks WHERE document_id = documents.id AND (
            id IN (SELECT chunk_id FROM hidden_chunks)
            OR NOT EXISTS (SELECT 1 FROM vectors WHERE chunk_id = chunks.id))) THEN 'embedding'
        ELSE 'ready' END
    WHERE state = 'offline' AND id IN (SELECT value FROM json_each(?))
"""


def _place(connection: sqlite3.Connection, document_id: int, path: Path, stamp: FileStamp) -> None:
    column = path_to_column(path)
    other = connection.execute("SELECT id FROM documents WHERE path = ?", (column,)).fetchone()
    if other:
        delete_document(connection, other[0])
    connection.execute(
        "UPDATE documents SET path = ?, size = ?, mtime_ns = ?, updated_at = ? WHERE id = ?",
        (column, stamp.size, stamp.mtime_ns, time.time(), document_id),
    )
    log_change(connection, Operation.REWORDED, visible_chunk_ids(connection, document_id))


def _note_inodes(connection: sqlite3.Connection, inodes: Iterable[tuple[int, int]]) -> None:
    connection.executemany(
        "INSERT INTO file_inodes (document_id, inode) SELECT ?1, ?2 WHERE EXISTS "
        "(SELECT 1 FROM documents WHERE id = ?1) ON CONFLICT (document_id) DO UPDATE SET inode = excluded.inode",
        inodes,
    )


def _known(row: tuple[Any, ...]) -> KnownFile:
    ident, path, size, mtime_ns, state, reason, content_hash, inode = row
    text = path if isinstance(path, str) else os.fsdecode(path)
    return KnownFile(
        ident,
        text,
        FileStamp(size, mtime_ns),
        DocumentState(state),
        FailureReason(reason) if reason else None,
        content_hash,
        inode,
    )


def _folder(row: tuple[Any, ...], mounts: list[str | bytes]) -> FolderRecord:
    ident, path, state, message, identity, added_at, scanned_at = row
    return FolderRecord(
        ident,
        path_from_column(path),
        FolderState(state),
        message,
        identity,
        tuple(map(path_from_column, mounts)),
        added_at,
        scanned_at,
    )
