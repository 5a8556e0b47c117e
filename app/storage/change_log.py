"""The log by which derived indexes catch up with the library."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from enum import IntEnum

from app.storage.database import Database
from app.storage.library_values import Changes, ChangesPrunedError
from app.storage.rows import ids_from_column, ids_to_column

_LAST_SEQUENCE = "SELECT seq FROM sqlite_sequence WHERE name = 'changes'"


class Operation(IntEnum):
    """What a log entry says about its chunks. The numbers are stored."""

    ADDED = 1
    REMOVED = 2
    REWORDED = 3  # title, path or search text changed, the vector did not
    EMBEDDED = 4  # a vector of one model was stored for chunks that searches already show


def log_change(
    connection: sqlite3.Connection, operation: Operation, chunk_ids: Iterable[int], model_id: int | None = None
) -> None:
    """Append an entry, inside the caller's transaction. No chunks, no entry."""
    packed = ids_to_column(chunk_ids)
    if packed:
        connection.execute(
            "INSERT INTO changes (operation, model_id, chunk_ids) VALUES (?, ?, ?)", (operation, model_id, packed)
        )


class ChangeLog:
    """Reads and prunes the log. Part of ``LibraryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current_sequence(self) -> int:
        """The number of the last change; 0 before the first.

        To build an index: take this, read everything, then apply ``changes_since`` it. Changes made while reading
        may be seen twice, so adding an id replaces it and removing an unknown one does nothing.
        """
        row = self._database.first_row(_LAST_SEQUENCE)
        return int(row[0]) if row else 0

    def changes_since(self, sequence: int, model_key: str | None = None) -> Changes:
        """The net changes after ``sequence``.

        For a vector index pass its ``model_key``: vectors stored later for known chunks are then ``added``, and
        changes of wording left out. For the keyword index pass none: reworded chunks are in both lists.
        Raises ``ChangesPrunedError`` when the log does not reach back to ``sequence``.
        """
        with self._database.read() as connection:
            last = _last_sequence(connection)
            first = connection.execute("SELECT min(sequence) FROM changes").fetchone()[0]
            if sequence < last and (first is None or first > sequence + 1):
                raise ChangesPrunedError
            if sequence > last:  # the library was made anew
                raise ChangesPrunedError
            entries = connection.execute(
                "SELECT operation, chunk_ids FROM changes LEFT JOIN embedding_models ON embedding_models.id = model_id "
                "WHERE sequence > ? AND (model_id IS NULL OR model_key = ?) ORDER BY sequence",
                (sequence, model_key),
            ).fetchall()
        try:
            return _net(last, entries, reworded=model_key is None)
        except ValueError as error:  # an entry was damaged: what it said is found by reading everything
            raise ChangesPrunedError from error

    def prune_changes(self, up_to: int) -> None:
        """Forget entries up to and including ``up_to``; every index has to have recorded them."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM changes WHERE sequence <= ?", (up_to,))


def _last_sequence(connection: sqlite3.Connection) -> int:
    row = connection.execute(_LAST_SEQUENCE).fetchone()
    return int(row[0]) if row else 0


def _net(last: int, entries: list[tuple[int, bytes]], *, reworded: bool) -> Changes:
    added: dict[int, None] = {}
    removed: dict[int, None] = {}
    for operation, packed in entries:
        ids = dict.fromkeys(ids_from_column(packed))
        if operation == Operation.REWORDED and not reworded:
            continue
        if operation in (Operation.REMOVED, Operation.REWORDED):
            removed |= ids
        if operation == Operation.REMOVED:
            for chunk_id in ids:
                added.pop(chunk_id, None)
        else:
            added |= ids
    return Changes(last, list(added), list(removed))
