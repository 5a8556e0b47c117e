"""A SQLite database: one connection per thread, durable writes, migrations with a backup before them."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from app.domain.errors import StorageError
from app.storage.backups import back_up, newest_backup
from app.storage.migrations import Schema, apply_pending
from app.storage.sqlite_errors import storage_errors

BUSY_SECONDS = 10.0
CLOSE_SECONDS = 5.0
FILE_MODE = 0o600
log = logging.getLogger(__name__)


class _ThreadConnection:
    """One thread's connection and how deep it is in ``write()`` or ``read()`` blocks.

    ``in_use`` is held as long as it is in one: closing a connection amid a query would end the program.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.in_use = threading.RLock()
        self.write_depth = 0
        self.reading = False

    @property
    def in_block(self) -> bool:
        """Whether its thread is in a block."""
        return self.reading or self.write_depth > 0


class Database:
    """A database file that follows a ``Schema``; created, or migrated after a backup, when it is opened.

    Every method raises ``StorageError`` with advice when the disk is full, the file is damaged, newer than this
    program or locked for longer than ``busy_seconds``. Any thread may use it; each gets a connection of its own.
    A read-only database still sees what other processes commit; a missing file is created empty.
    """

    def __init__(
        self,
        path: Path,
        schema: Schema,
        *,
        read_only: bool = False,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.path = path
        self.schema = schema
        self.read_only = read_only
        self._busy_seconds = busy_seconds
        self._local = threading.local()
        self._write_lock = threading.RLock()
        self._closers: list[weakref.finalize[..., _ThreadConnection]] = []
        self._closers_lock = threading.Lock()
        self._closed = False
        with self._storage_errors():
            self._prepare()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode; prefer ``read()`` and ``write()``."""
        return self._mine().connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: BEGIN IMMEDIATE, then COMMIT, or ROLLBACK when the block raises.

        What a block wrote is on the disk when it ends (``synchronous=FULL``). Blocks nest; an inner one that raises
        undoes its own changes only.
        """
        if self.read_only:
            raise StorageError(f"{self.path} is open for reading only, because another Footnote is using it.")
        if self._mine().reading:
            raise RuntimeError("write() inside read(): the transaction could not be upgraded safely")
        # The lock queues our own threads; SQLite's busy handler, which polls, is left to other processes.
        with self._write_lock, self._using() as mine, self._storage_errors():
            depth = mine.write_depth
            mine.write_depth += 1
            try:
                with _savepoint(mine.connection, depth) if depth else _transaction(mine.connection, "IMMEDIATE"):
                    yield mine.connection
            finally:
                mine.write_depth -= 1

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the data for the length of the block, undisturbed by writers."""
        with self._using() as mine, self._storage_errors():
            if mine.in_block:
                yield mine.connection
                return
            mine.reading = True
            try:
                with _transaction(mine.connection, "DEFERRED"):
                    yield mine.connection
            finally:
                mine.reading = False

    def first_row(self, query: str, parameters: Sequence[object] = ()) -> Any:
        """The first row of a query, or None. One statement sees one state anyway: no transaction is begun for it."""
        with self._using() as mine, self._storage_errors():
            return mine.connection.execute(query, parameters).fetchone()

    def data_version(self) -> int:
        """A number that changes when another thread or process commits; compare it on one thread only."""
        with self._using() as mine, self._storage_errors():
            return int(mine.connection.execute("PRAGMA data_version").fetchone()[0])

    def integrity(self) -> list[str]:
        """Problems in the file's structure and its foreign keys; empty when it is sound. Reads the whole file."""
        with self.read() as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(20)")]
            broken = connection.execute("PRAGMA foreign_key_check").fetchmany(20)
        problems = [] if found == ["ok"] else list(found)
        return problems + [f"row {row[1]} of {row[0]} points to a missing row of {row[2]}" for row in broken]

    def close(self) -> None:
        """Close every thread's connection. Blocks in other threads are waited for, ``CLOSE_SECONDS`` at most: what is
        in use then is left to its thread, and closed when that ends.
        """
        with self._closers_lock:
            self._closed = True
            closers, self._closers = self._closers, []
        until = time.monotonic() + CLOSE_SECONDS
        for closer in closers:
            alive = closer.peek()
            if alive is None:
                continue
            mine = alive[0]
            if mine.in_use.acquire(timeout=max(0.0, until - time.monotonic())):
                try:
                    closer()
                finally:
                    mine.in_use.release()
            else:
                log.warning("%s: a connection is still in use", self.path)

    def _storage_errors(self) -> AbstractContextManager[None]:
        return storage_errors(self.path, self._damaged_advice)

    def _damaged_advice(self) -> str:
        backup = newest_backup(self.path)
        known = f" The newest backup is {backup}." if backup else ""
        return self.schema.damaged_advice + known

    @contextmanager
    def _using(self) -> Iterator[_ThreadConnection]:
        """This thread's connection, which nobody closes meanwhile. Raises ``RuntimeError`` after ``close``."""
        mine = self._mine()
        with mine.in_use:
            if self._closed and not mine.in_block:
                raise RuntimeError(f"{self.path} was closed")
            yield mine

    def _mine(self) -> _ThreadConnection:
        mine: _ThreadConnection | None = getattr(self._local, "mine", None)
        if mine is None or (self._closed and not mine.in_block):
            mine = self._local.mine = self._open_for_this_thread()
        return mine

    def _open_for_this_thread(self) -> _ThreadConnection:
        connection = self._connect(read_only=self.read_only)
        mine = _ThreadConnection(connection)
        # Runs when the thread ends and drops its local, or in close(), whichever comes first.
        closer = weakref.finalize(mine, connection.close)
        with self._closers_lock:
            if self._closed:
                closer()
                raise RuntimeError(f"{self.path} was closed")
            self._closers = [each for each in self._closers if each.alive]
            self._closers.append(closer)
        return mine

    def _connect(self, *, read_only: bool) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
        with self._storage_errors():
            # Autocommit mode: BEGIN is ours to say. Closing happens on another thread, hence check_same_thread.
            connection = sqlite3.connect(
                uri, uri=True, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("PRAGMA cache_size = -8000")
                # With a map, every commit makes every reader unmap the file, while no other thread can map or load a
                # page: up to a tenth of a second for a large file. Without one reading is as fast.
                connection.execute("PRAGMA mmap_size = 0")
                connection.execute("PRAGMA journal_size_limit = 67108864")
            except BaseException:
                connection.close()
                raise
        return connection

    def _prepare(self) -> None:
        if not self.path.exists():
            self._create_file()
        connection = self._connect(read_only=False)
        try:
            # In a transaction, or another process might create the tables between two of the questions.
            with _transaction(connection, "DEFERRED"):
                version = self._version(connection)
            if version < self.schema.version:
                self._migrate(connection, version)
        finally:
            connection.close()

    def _create_file(self) -> None:
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, FILE_MODE))
        except OSError as error:
            raise StorageError(f"{self.path} can't be created: {error.strerror}. Check its folder.") from error

    def _version(self, connection: sqlite3.Connection) -> int:
        """The file's schema version. Raises ``StorageError`` for a newer one and for another program's file."""
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        mark = int(connection.execute("PRAGMA application_id").fetchone()[0])
        empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        if not empty and mark != self.schema.application_id:
            raise StorageError(
                f"{self.path} is not a Footnote {self.schema.name} database. Move it away and try again."
            )
        if version > self.schema.version:
            raise StorageError(
                f"{self.path} was written by a newer Footnote (format {version}; this one knows up to "
                f"{self.schema.version}). Install the newer version again; nothing was changed."
            )
        return version

    def _migrate(self, connection: sqlite3.Connection, version: int) -> None:
        if self.read_only and version:
            raise StorageError(f"{self.path} is from an older Footnote. Open the Footnote window once to update it.")
        self._use_write_ahead_log(connection)
        with _transaction(connection, "IMMEDIATE"):
            version = self._version(connection)
            if version == self.schema.version:
                return  # another process migrated while we waited
            if version:
                self._back_up(version)
            apply_pending(connection, self.schema)

    def _use_write_ahead_log(self, connection: sqlite3.Connection) -> None:
        """Switch the file to WAL, once in its life. SQLite doesn't wait here when another process does the same."""
        deadline = time.monotonic() + self._busy_seconds
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def _back_up(self, version: int) -> None:
        try:
            back_up(self.path, version)
        except OSError as error:
            raise StorageError(
                f"{self.path} must be updated, but its backup can't be written: {error.strerror}. "
                "Check the disk's free space; nothing was changed."
            ) from error


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk makes SQLite roll back by itself
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _savepoint(connection: sqlite3.Connection, depth: int) -> Iterator[None]:
    connection.execute(f"SAVEPOINT level_{depth:d}")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute(f"ROLLBACK TO level_{depth:d}")
            connection.execute(f"RELEASE level_{depth:d}")
        raise
    connection.execute(f"RELEASE level_{depth:d}")
