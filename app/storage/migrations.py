"""Schemas as numbered, append-only migrations."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database as SqliteUtilsDatabase
    from sqlite_utils import Migrations


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: SQL statements that run in one transaction. Never edited once released, only followed by others."""

    name: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """A kind of database. Its version is the number of migrations applied, kept in SQLite's ``user_version``.

    ``application_id`` (32 bits) marks our files, so that another program's database is never migrated.
    ``damaged_advice`` tells the user in plain sentences what to do when a file of this kind can't be read.
    """

    name: str
    application_id: int
    migrations: tuple[Migration, ...]
    damaged_advice: str

    @property
    def version(self) -> int:
        """The version this program writes."""
        return len(self.migrations)


def apply_pending(connection: sqlite3.Connection, schema: Schema) -> None:
    """Bring the database to ``schema.version``. All or nothing: the caller holds a transaction on ``connection``."""
    # Importing sqlite_utils takes a third of a second; a database that is up to date never needs it.
    import sqlite_utils

    database = sqlite_utils.Database(connection, execute_plugins=False)
    _migrations(schema).apply(database)


def _migrations(schema: Schema) -> Migrations:
    from sqlite_utils import Migrations

    collected = Migrations(schema.name)
    for version, migration in enumerate(schema.migrations, start=1):
        _register(collected, schema, migration, version)
    return collected


def _register(collected: Migrations, schema: Schema, migration: Migration, version: int) -> None:
    @collected(name=migration.name)
    def run(database: SqliteUtilsDatabase) -> None:
        for statement in migration.statements:
            database.conn.execute(statement)
        # Both pragmas live in the database header and obey the transaction. They take no parameters.
        database.conn.execute(f"PRAGMA user_version = {version:d}")
        database.conn.execute(f"PRAGMA application_id = {schema.application_id:d}")
