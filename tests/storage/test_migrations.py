"""Schemas: from every older version to this one, backups before, newer ones refused."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from app.domain.errors import StorageError
from app.storage.chats_schema import CHATS_SCHEMA
from app.storage.database import Database
from app.storage.library_schema import LIBRARY_SCHEMA
from app.storage.library_store import LibraryStore
from app.storage.migrations import Migration, Schema
from app.storage.session_store import SessionStore
from tests.storage.samples import ingest

GROWING = Schema(
    "notes",
    0x01020304,
    (
        Migration("1_notes", ("CREATE TABLE notes (text TEXT)", "INSERT INTO notes VALUES ('from 1')")),
        Migration("2_stars", ("ALTER TABLE notes ADD COLUMN stars INTEGER DEFAULT 5",)),
        Migration("3_tags", ("CREATE TABLE tags (name TEXT)", "INSERT INTO tags SELECT text FROM notes")),
    ),
    "",
)
BROKEN = replace(
    GROWING,
    migrations=(*GROWING.migrations, Migration("4_broken", ("DELETE FROM notes", "INSERT INTO missing VALUES (1)"))),
)
OLDER = [(schema, version) for schema in (CHATS_SCHEMA, LIBRARY_SCHEMA) for version in range(schema.version)]


def at_version(schema: Schema, version: int) -> Schema:
    return replace(schema, migrations=schema.migrations[:version])


def structure(path: Path) -> list[Sequence[object]]:
    """Every table, index, view and trigger, without sqlite-utils' own table."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE tbl_name <> '_sqlite_migrations' ORDER BY 1, 2"
        ).fetchall()


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize(("schema", "version"), OLDER, ids=lambda value: getattr(value, "name", str(value)))
def test_every_older_version_becomes_what_a_new_database_is(tmp_path: Path, schema: Schema, version: int) -> None:
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    Database(new, schema).close()
    Database(old, at_version(schema, version)).close()
    database = Database(old, schema)
    assert database.integrity() == []
    database.close()
    assert structure(old) == structure(new)
    assert query(old, "PRAGMA user_version") == [(schema.version,)]


def test_migrated_databases_work(tmp_path: Path) -> None:
    for path, schema in ((tmp_path / "chats.db", CHATS_SCHEMA), (tmp_path / "library.db", LIBRARY_SCHEMA)):
        Database(path, at_version(schema, 1)).close()
    chats = Database(tmp_path / "chats.db", CHATS_SCHEMA)
    store = SessionStore(chats)
    store.add_message(store.create("a").id, "user", "hello")
    assert len(store.search("hello")) == 1
    chats.close()
    library = Database(tmp_path / "library.db", LIBRARY_SCHEMA)
    ingest(LibraryStore(library), Path("/a.txt"), ["one", "two"])
    assert LibraryStore(library).integrity() == []
    library.close()


@pytest.mark.parametrize("version", [1, 2])
def test_data_is_kept_and_a_backup_holds_the_state_before(tmp_path: Path, version: int) -> None:
    path = tmp_path / "notes.db"
    old = Database(path, at_version(GROWING, version))
    with old.write() as connection:
        connection.execute("INSERT INTO notes (text) VALUES ('the user''s')")
    # Not closed: what is committed may still stand in the write-ahead log.
    Database(path, GROWING).close()
    old.close()
    assert query(path, "SELECT name FROM tags ORDER BY 1") == [("from 1",), ("the user's",)]
    backup = tmp_path / "backups" / f"notes-v{version}.db"
    assert query(backup, "SELECT text FROM notes ORDER BY 1") == [("from 1",), ("the user's",)]
    assert query(backup, "PRAGMA user_version") == [(version,)]
    assert query(backup, "PRAGMA integrity_check") == [("ok",)]


def test_a_backup_can_be_put_back(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    Database(path, at_version(GROWING, 2)).close()
    Database(path, GROWING).close()
    (tmp_path / "backups" / "notes-v2.db").replace(path)
    Database(path, GROWING).close()
    assert query(path, "SELECT name FROM tags") == [("from 1",)]


def test_a_new_database_needs_no_backup(tmp_path: Path) -> None:
    Database(tmp_path / "notes.db", GROWING).close()
    assert not (tmp_path / "backups").exists()


def test_only_the_newest_backups_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    steps = tuple(Migration(f"{step}", (f"CREATE TABLE t{step} (x)",)) for step in range(1, 13))
    schema = replace(GROWING, migrations=steps)
    for version in range(1, 13):
        Database(path, at_version(schema, version)).close()
    kept = sorted(file.name for file in (tmp_path / "backups").iterdir())
    assert kept == ["notes-v10.db", "notes-v11.db", "notes-v9.db"]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    Database(path, at_version(GROWING, 1)).close()
    before = structure(path)
    with pytest.raises(sqlite3.OperationalError, match="no such table: missing"):
        Database(path, BROKEN)
    assert structure(path) == before
    assert query(path, "PRAGMA user_version") == [(1,)]
    assert query(path, "SELECT text FROM notes") == [("from 1",)]
    Database(path, GROWING).close()
    assert query(path, "PRAGMA user_version") == [(3,)]


def test_a_backup_that_cant_be_written_stops_the_migration(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    Database(path, at_version(GROWING, 1)).close()
    (tmp_path / "backups").write_text("in the way")
    with pytest.raises(StorageError, match=r"backup can't be written.*nothing was changed"):
        Database(path, GROWING)
    assert query(path, "PRAGMA user_version") == [(1,)]


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    Database(path, GROWING).close()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(StorageError, match=r"newer Footnote \(format 3; this one knows up to 2\)"):
            Database(path, at_version(GROWING, 2), read_only=read_only)
    assert path.read_bytes() == before


def test_a_reader_does_not_migrate(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    Database(path, at_version(GROWING, 2)).close()
    with pytest.raises(StorageError, match="Open the Footnote window once"):
        Database(path, GROWING, read_only=True)
    assert query(path, "PRAGMA user_version") == [(2,)]


def open_chats_often(folder: Path, times: int, together: Barrier) -> None:
    for number in range(times):
        together.wait(60)
        database = Database(folder / f"{number}.db", CHATS_SCHEMA)
        SessionStore(database).create("mine")
        database.close()


def test_processes_that_create_a_database_together_get_along(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    times = 8
    together = context.Barrier(3)
    others = [context.Process(target=open_chats_often, args=(tmp_path, times, together)) for _ in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0, 0]
    for number in range(times):
        assert query(tmp_path / f"{number}.db", "SELECT count(*) FROM sessions") == [(3,)]
