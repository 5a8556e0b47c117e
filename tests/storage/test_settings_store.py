"""Values of settings: stored, broken, renamed, watched."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import BadInputError
from app.settings.setting import Setting
from app.storage.database import Database
from app.storage.session_store import open_chats
from app.storage.settings_store import SettingsStore


class Theme(StrEnum):
    LIGHT = "light"
    DARK = "dark"


SIZE = Setting("chunk.size", 200, "Chunk size", minimum=20, maximum=500, was=("chunk.length", "size"))
THEME = Setting("window.theme", Theme.LIGHT, "Theme")
FOLDERS: Setting[tuple[str, ...]] = Setting("library.folders", (), "Folders")
KEY = Setting("openai.key", "", "Key", secret=True)


@pytest.fixture
def store(chats: Database) -> SettingsStore:
    return SettingsStore(chats)


def write_raw(database: Database, key: str, value: str) -> None:
    with database.write() as connection:
        connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?, 0)", (key, value))


def test_defaults_hold_until_a_value_is_set(store: SettingsStore) -> None:
    assert store[SIZE] == 200
    assert not store.is_set(SIZE)
    store.set(SIZE, 300)
    assert store[SIZE] == 300
    assert store.is_set(SIZE)
    store.reset(SIZE)
    assert store[SIZE] == 200
    assert not store.is_set(SIZE)


def test_values_survive_a_restart_with_their_types(tmp_path: Path) -> None:
    database = open_chats(tmp_path / "chats.db")
    store = SettingsStore(database)
    store.set(SIZE, 21)
    store.set(THEME, Theme.DARK)
    store.set(FOLDERS, ("it's", "😀\n"))
    database.close()
    database = open_chats(tmp_path / "chats.db")
    store = SettingsStore(database)
    assert (store[SIZE], store[THEME], store[FOLDERS]) == (21, Theme.DARK, ("it's", "😀\n"))
    assert isinstance(store[THEME], Theme)
    database.close()


def test_a_value_out_of_bounds_is_refused_and_nothing_changes(store: SettingsStore) -> None:
    told: list[Setting[Any]] = []
    store.subscribe(told.append)
    with pytest.raises(BadInputError, match="Chunk size: 9 is not between 20 and 500"):
        store.set(SIZE, 9)
    assert store[SIZE] == 200
    assert told == []


@pytest.mark.parametrize("raw", ["9", '"many"', "null", "{broken", "true", "[1]", ""])
def test_a_broken_stored_value_counts_as_the_default_and_is_told(chats: Database, raw: str) -> None:
    write_raw(chats, SIZE.key, raw)
    store = SettingsStore(chats)
    assert store[SIZE] == 200
    assert len(store.problems) == 1
    assert store.problems[0].startswith("Chunk size: ")
    assert store.problems[0].endswith("200 is used instead.")
    store.set(SIZE, 250)
    assert (store[SIZE], store.problems) == (250, [])


def test_a_value_stored_under_a_former_key_is_used_and_moves_with_the_next_change(chats: Database) -> None:
    write_raw(chats, "chunk.length", "123")
    store = SettingsStore(chats)
    assert store[SIZE] == 123
    assert store.is_set(SIZE)
    store.set(SIZE, 124)
    with chats.read() as connection:
        assert connection.execute("SELECT key, value FROM settings").fetchall() == [("chunk.size", "124")]
    write_raw(chats, "size", "77")
    store.reset(SIZE)
    assert SettingsStore(chats)[SIZE] == 200


def test_the_present_key_wins_over_former_ones(chats: Database) -> None:
    write_raw(chats, "chunk.length", "123")
    write_raw(chats, "chunk.size", "124")
    assert SettingsStore(chats)[SIZE] == 124


def test_secrets_never_reach_the_database(store: SettingsStore, chats: Database) -> None:
    with pytest.raises(ValueError, match="keyring"):
        store.set(KEY, "sk-CANARY")
    assert store[KEY] == ""
    chats.close()
    assert all(b"sk-CANARY" not in file.read_bytes() for file in chats.path.parent.iterdir())


def test_listeners_hear_of_changes_until_they_leave(store: SettingsStore) -> None:
    heard: list[tuple[str, int]] = []
    stop = store.subscribe(lambda setting: heard.append((setting.key, store[SIZE])))
    store.set(SIZE, 30)
    store.reset(SIZE)
    stop()
    stop()
    store.set(SIZE, 40)
    assert heard == [("chunk.size", 30), ("chunk.size", 200)]


def test_changes_of_another_process_are_taken_over_when_asked_for(store: SettingsStore, chats: Database) -> None:
    assert (store[SIZE], store[THEME]) == (200, Theme.LIGHT)
    other_database = open_chats(chats.path)
    SettingsStore(other_database).set(SIZE, 30)
    other_database.close()
    heard: list[str] = []
    store.subscribe(lambda setting: heard.append(setting.key))
    assert store[SIZE] == 200
    store.reload()
    assert store[SIZE] == 30
    assert heard == ["chunk.size"]
