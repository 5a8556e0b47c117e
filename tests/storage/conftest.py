"""Real databases in a folder of the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.storage.database import Database
from app.storage.library_store import LibraryStore, open_library
from app.storage.session_store import SessionStore, open_chats
from tests.storage.redis_server import RedisServer, running_redis


@pytest.fixture
def library_database(tmp_path: Path) -> Iterator[Database]:
    database = open_library(tmp_path / "library.db")
    yield database
    database.close()


@pytest.fixture
def library(library_database: Database) -> LibraryStore:
    return LibraryStore(library_database)


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[Database]:
    database = open_chats(tmp_path / "chats.db")
    yield database
    database.close()


@pytest.fixture
def sessions(chats: Database) -> SessionStore:
    return SessionStore(chats)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis server of the tests' own; skips where the program is missing."""
    with running_redis() as server:
        yield server
