"""Transactions, threads, damage, full disks."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from app.domain.errors import StorageError
from app.storage.database import Database
from app.storage.library_schema import LIBRARY_SCHEMA
from app.storage.migrations import Migration, Schema
from app.storage.session_store import SessionStore, open_chats

NOTES = Schema(
    "notes",
    0x01020304,
    (Migration("1_notes", ("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",)),),
    "Move it away.",
)


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "notes.db", NOTES, busy_seconds=0.2)
    yield database
    database.close()


def add(database: Database, text: str = "x") -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))


def add_and_fail(database: Database) -> None:
    with database.write():
        add(database, "never")
        raise KeyError


def texts(database: Database) -> list[str]:
    with database.read() as connection:
        return [row[0] for row in connection.execute("SELECT text FROM notes ORDER BY id")]


def other_connection(database: Database) -> sqlite3.Connection:
    return sqlite3.connect(database.path, timeout=0, isolation_level=None)


def test_writes_are_durable_and_readers_never_wait(notes: Database) -> None:
    assert notes.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert notes.connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert notes.connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_files_are_readable_by_their_owner_only(notes: Database) -> None:
    add(notes)
    for file in notes.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_block_that_raises_leaves_no_trace(notes: Database) -> None:
    with pytest.raises(KeyError):
        add_and_fail(notes)
    assert texts(notes) == []
    add(notes)
    assert texts(notes) == ["x"]


def test_blocks_nest_and_an_inner_failure_undoes_only_the_inner_one(notes: Database) -> None:
    with notes.write():
        add(notes, "outer")
        with pytest.raises(KeyError):
            add_and_fail(notes)
        add(notes, "last")
    assert texts(notes) == ["outer", "last"]


def test_nothing_is_visible_to_others_before_the_outermost_block_ends(notes: Database) -> None:
    with closing(other_connection(notes)) as other:
        with notes.write():
            add(notes)
            assert other.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        assert other.execute("SELECT count(*) FROM notes").fetchone() == (1,)


def test_a_write_locks_at_once_not_at_its_first_statement(notes: Database) -> None:
    with (
        closing(other_connection(notes)) as other,
        notes.write(),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")


def test_a_read_sees_one_moment_whatever_is_written_meanwhile(notes: Database) -> None:
    add(notes)
    with closing(other_connection(notes)) as other, notes.read() as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (1,)
        other.execute("INSERT INTO notes (text) VALUES ('y')")
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (1,)
    assert len(texts(notes)) == 2


def test_writing_inside_a_read_is_a_mistake(notes: Database) -> None:
    with notes.read(), pytest.raises(RuntimeError, match=r"write\(\) inside read\(\)"), notes.write():
        pass


def test_the_data_version_tells_of_others_commits(notes: Database) -> None:
    before = notes.data_version()
    with closing(other_connection(notes)) as other:
        other.execute("INSERT INTO notes (text) VALUES ('y')")
    assert notes.data_version() != before


def test_many_threads_write_without_losing_anything(notes: Database) -> None:
    def work(number: int) -> None:
        for step in range(25):
            add(notes, f"{number}-{step}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts(notes)) == sorted(f"{number}-{step}" for number in range(6) for step in range(25))


def test_connections_of_ended_threads_are_closed(notes: Database) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("open files can only be counted on Linux")
    add(notes)
    before = len(list(descriptors.iterdir()))
    for _ in range(20):
        thread = threading.Thread(target=texts, args=(notes,))
        thread.start()
        thread.join()
    assert len(list(descriptors.iterdir())) <= before + 2


def test_after_close_any_use_is_a_mistake(notes: Database) -> None:
    add(notes)
    notes.close()
    notes.close()
    with pytest.raises(RuntimeError, match="was closed"):
        texts(notes)


def test_a_lock_held_by_another_program_is_told_after_the_wait(notes: Database) -> None:
    with closing(other_connection(notes)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="in use by another program"):
            add(notes)
        other.execute("ROLLBACK")
    add(notes)


def test_a_full_disk_loses_nothing_and_work_goes_on_once_there_is_space(notes: Database) -> None:
    add(notes, "kept")
    pages = notes.connection.execute("PRAGMA page_count").fetchone()[0]
    notes.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match=r"disk.*is full.*Free some space"):
        add(notes, "large" * 10_000)
    assert texts(notes) == ["kept"]
    notes.connection.execute("PRAGMA max_page_count = 1000000")
    add(notes, "after")
    assert texts(notes) == ["kept", "after"]
    assert notes.integrity() == []


def test_our_own_mistakes_are_not_blamed_on_the_disk(notes: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError), notes.write() as connection:
        connection.execute("INSERT INTO notes (text) VALUES (NULL)")
    with pytest.raises(sqlite3.OperationalError, match="no such table"), notes.read() as connection:
        connection.execute("SELECT * FROM nowhere")


def test_a_damaged_header_is_told_with_advice_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    open_chats(path).close()
    damaged = b"\0" * 100 + path.read_bytes()[100:]
    path.write_bytes(damaged)
    with pytest.raises(StorageError) as refusal:
        open_chats(path)
    assert f"{path} is damaged" in str(refusal.value)
    assert "It holds your chats. Close Footnote and run `footnote doctor --repair`" in str(refusal.value)
    assert path.read_bytes() == damaged


def test_damage_found_while_reading_is_told_and_shown_by_the_check(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    database = open_chats(path)
    store = SessionStore(database)
    session = store.create("a")
    for _ in range(60):
        store.add_message(session.id, "user", "hello world " * 100)
    root = database.connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'messages'").fetchone()[0]
    database.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    database = open_chats(path)
    with pytest.raises(StorageError, match=r"chats\.db is damaged"):
        SessionStore(database).messages(session.id)
    database.close()


def test_an_altered_index_is_found_by_the_check(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    schema = Schema(
        "notes",
        7,
        (Migration("1", ("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)", "CREATE INDEX t ON notes (text)")),),
        "",
    )
    database = Database(path, schema)
    for word in ("alpha", "beta"):
        add(database, word)
    root = database.connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 't'").fetchone()[0]
    assert database.integrity() == []
    database.close()
    content = path.read_bytes()
    page = content[(root - 1) * 4096 : root * 4096]
    path.write_bytes(content.replace(page, page.replace(b"alpha", b"alpho")))
    database = Database(path, schema)
    assert database.integrity() != []
    database.close()


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(StorageError, match="not a Footnote library database"):
        Database(path, LIBRARY_SCHEMA)
    assert path.read_bytes() == before


def test_the_two_databases_are_not_taken_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    open_chats(path).close()
    with pytest.raises(StorageError, match="not a Footnote library database"):
        Database(path, LIBRARY_SCHEMA)


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="can't be created"):
        open_chats(tmp_path / "gone" / "chats.db")


@pytest.mark.parametrize("name", ["it's.db", 'a "quoted".db', "100%20?mode=memory#.db", "😀\n.db"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    database = Database(tmp_path / name, NOTES)
    add(database, "kept")
    database.close()
    database = Database(tmp_path / name, NOTES)
    assert texts(database) == ["kept"]
    database.close()


def test_read_only_sees_what_others_commit_and_refuses_to_write(notes: Database) -> None:
    reader = Database(notes.path, NOTES, read_only=True)
    add(notes, "later")
    assert texts(reader) == ["later"]
    with pytest.raises(StorageError, match="for reading only"):
        add(reader)
    with pytest.raises(StorageError, match="read-only"), reader.read() as connection:
        connection.execute("DELETE FROM notes")
    reader.close()
    assert texts(notes) == ["later"]


def test_read_only_of_a_missing_file_is_an_empty_database(tmp_path: Path) -> None:
    reader = Database(tmp_path / "notes.db", NOTES, read_only=True)
    assert texts(reader) == []
    reader.close()


def test_an_up_to_date_database_opens_without_the_heavy_library(tmp_path: Path) -> None:
    open_chats(tmp_path / "chats.db").close()
    code = (
        "import sys; from pathlib import Path; from app.storage.session_store import SessionStore, open_chats\n"
        f"database = open_chats(Path({str(tmp_path / 'chats.db')!r})); SessionStore(database).sessions()\n"
        "database.close(); print([name for name in ('sqlite_utils', 'numpy') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def read_until_closed(database: Database) -> None:
    while True:
        try:
            with database.read():
                pass
        except RuntimeError:
            return


def test_closing_waits_for_what_another_thread_is_reading(tmp_path: Path) -> None:
    database = Database(tmp_path / "long.db", NOTES)
    begun, go_on = threading.Event(), threading.Event()
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i FROM n"

    def read_long() -> int:
        with database.read() as connection:
            rows = connection.execute(count)
            first = rows.fetchone()[0]
            begun.set()
            go_on.wait()
            return int(first + sum(row[0] for row in rows))

    with ThreadPoolExecutor(2) as threads:
        reading = threads.submit(read_long)
        begun.wait()
        closing = threads.submit(database.close)
        read_until_closed(database)
        assert not closing.done()
        go_on.set()
        assert reading.result() == 50000 * 50001 // 2
        closing.result()
