"""Saving what can be read out of a damaged database.

The damaged file is kept beside the new one under a name with ``.corrupt``; nothing is ever deleted.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import StorageError
from app.storage.backups import newest_backup
from app.storage.database import Database
from app.storage.migrations import Schema

SIDE_FILES = ("-wal", "-shm")
HEADER_BYTES = 100
Rescue = Callable[[sqlite3.Connection, sqlite3.Connection], None]
"""Given the damaged database and the new one."""

_SKIPPED_TABLES = ("sqlite_", "messages_fts", "_sqlite_migrations")


@dataclass(frozen=True, slots=True)
class Salvage:
    """``kept`` is the damaged file under its new name. Rows are counted by table. ``from_backup`` is what stands in
    its place where nothing could be read."""

    kept: Path
    rows: dict[str, int]
    damaged_tables: tuple[str, ...]
    from_backup: Path | None = None


def salvage_database(
    path: Path, schema: Schema, *, leave_out: frozenset[str] = frozenset(), rescue: Rescue = lambda source, target: None
) -> Salvage:
    """Put a new database with all rows that can be read in place of the damaged one at ``path``.

    No connection to it may be open. ``leave_out`` names tables to leave empty; ``rescue`` may take over more than
    whole rows. Where nothing at all can be read, the newest backup takes its place, or an empty database.
    Raises ``StorageError``, and then nothing was changed.
    """
    rebuilt = path.with_name(f"{path.name}.rebuilt")
    _remove_with_side_files(rebuilt)
    try:
        with tempfile.TemporaryDirectory(prefix="salvage-", dir=path.parent) as folder:
            copy = Path(folder) / path.name
            _copy_with_side_files(path, copy)
            rows, damaged = _rebuild(copy, rebuilt, schema, leave_out, rescue)
            backup = None if any(rows.values()) else newest_backup(path)
            if backup is not None:
                _remove_with_side_files(rebuilt)
                shutil.copyfile(backup, rebuilt)
        kept = _move_aside(path)
        rebuilt.replace(path)
    except OSError as error:
        raise StorageError(f"{path} can't be repaired: {error.strerror}. Check the disk's free space.") from error
    return Salvage(kept, rows, damaged, backup)


def _rebuild(
    copy: Path, rebuilt: Path, schema: Schema, leave_out: frozenset[str], rescue: Rescue
) -> tuple[dict[str, int], tuple[str, ...]]:
    database = Database(rebuilt, schema)
    rows: dict[str, int] = {}
    damaged: list[str] = []
    try:
        _mend_header(copy, rebuilt)
        with closing(sqlite3.connect(copy)) as source:
            source.text_factory = _text  # a text that can't be decoded must not stop the others
            for table, columns in _tables(database.connection, leave_out):
                counted, whole = _copy_table(source, database.connection, table, columns)
                rows[table] = counted
                if not whole:
                    damaged.append(table)
            rescue(source, database.connection)
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        database.close()  # the last connection removes the log, so that the file is whole by itself
    return rows, tuple(damaged)


def _tables(connection: sqlite3.Connection, leave_out: frozenset[str]) -> list[tuple[str, list[str]]]:
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    wanted = [name for name in names if name not in leave_out and not name.startswith(_SKIPPED_TABLES)]
    columns = {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in wanted}
    return list(columns.items())


def _copy_table(
    source: sqlite3.Connection, target: sqlite3.Connection, table: str, columns: list[str]
) -> tuple[int, bool]:
    """Copy the rows that can be read: (how many, whether the table was read from end to end).

    Names come from our own schema. Rows that the schema refuses are left out, such as two of one key.
    """
    try:
        known = {row[1] for row in source.execute(f"PRAGMA table_info({table})")}
    except sqlite3.DatabaseError:
        known = set()
    columns = [column for column in columns if column in known]
    if not columns:
        return 0, False
    names = ", ".join(f'"{column}"' for column in columns)
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  ours
    counted, whole = 0, True
    target.execute("PRAGMA foreign_keys = OFF")
    target.execute("BEGIN IMMEDIATE")
    for row in _rows(source, table, names, _key(target, table)):
        if row is None:
            whole = False
            continue
        with suppress(sqlite3.IntegrityError):
            counted += target.execute(insert, row).rowcount
    target.execute("COMMIT")
    return counted, whole


def _rows(source: sqlite3.Connection, table: str, names: str, key: list[str]) -> Iterator[tuple[object, ...] | None]:
    """Rows from both ends of the table up to what can't be read; None stands for that."""
    seen: set[tuple[object, ...]] = set()
    for direction in ("ASC", "DESC"):
        order = ", ".join(f"{column} {direction}" for column in key)
        try:
            for row in source.execute(f"SELECT {', '.join(key)}, {names} FROM {table} ORDER BY {order}"):  # noqa: S608
                place = row[: len(key)]
                if place in seen:
                    return
                if direction == "ASC":
                    seen.add(place)
                yield row[len(key) :]
        except sqlite3.DatabaseError:
            yield None
        else:
            return


def _key(target: sqlite3.Connection, table: str) -> list[str]:
    """What a table is sorted by on the disk."""
    primary = sorted((row[5], row[1]) for row in target.execute(f"PRAGMA table_info({table})") if row[5])
    without_rowid = any(row[1] == table and row[4] for row in target.execute("PRAGMA table_list"))
    return [f'"{name}"' for _, name in primary] if without_rowid else ["rowid"]


def _mend_header(copy: Path, fresh: Path) -> None:
    """Give the copy the first bytes of a sound file where its own can't be read; they are the same in both."""
    try:
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            return
    except sqlite3.DatabaseError:
        header = bytearray(fresh.read_bytes()[:HEADER_BYTES])
    page_size = int.from_bytes(header[16:18], "big")
    if len(header) < HEADER_BYTES or copy.stat().st_size < HEADER_BYTES:
        return
    # Bytes 28 to 31 count the pages, 32 to 39 list free ones (https://www.sqlite.org/fileformat2.html, 1.3).
    header[28:32] = (copy.stat().st_size // page_size).to_bytes(4, "big")
    header[32:40] = bytes(8)
    with copy.open("r+b") as file:
        file.write(header)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _copy_with_side_files(source: Path, target: Path) -> None:
    for suffix in ("", *SIDE_FILES[:1]):  # shared memory is made anew from the log
        original = source.with_name(source.name + suffix)
        if original.exists():
            shutil.copyfile(original, target.with_name(target.name + suffix))


def _move_aside(path: Path) -> Path:
    """Rename the damaged file and what belongs to it to a name that is free."""
    number = 1
    while (kept := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    for suffix in SIDE_FILES:
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.replace(kept.with_name(kept.name + suffix))
    path.replace(kept)
    return kept


def _remove_with_side_files(path: Path) -> None:
    for suffix in ("", *SIDE_FILES):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
