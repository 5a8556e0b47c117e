"""Whatever happens to the files on the disk: it is noticed, the program starts, and only what is said is lost."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.domain.errors import DamagedDatabaseError
from app.domain.findings import FindingCode
from app.services.library_repair import salvage
from tests.faults.conftest import Library
from tests.faults.damage import flip
from tests.faults.snapshot import differences, snapshot
from tests.faults.stand_ins import paths_in

FLIPS = int(os.environ.get("FOOTNOTE_FLIPS", "30"))
INDEX_FLIPS = 10
# Columns that tell when something was done or how often it was tried: the next run writes them anew.
PASSING = {
    "documents": {"size", "mtime_ns", "priority", "attempts", "added_at", "queued_at", "updated_at"},
    "index_segments": {"created_at"},
    "sessions": {"created_at", "updated_at"},
    "messages": {"created_at"},
    "_sqlite_migrations": {"applied_at"},
}
# No result rests on them: they are cleared, or compared with the files they describe before these are used.
DERIVED = {"changes", "index_segments", "_sqlite_migrations", "sqlite_sequence", "sqlite_stat1"}


def contents(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, but what may differ."""
    with closing(sqlite3.connect(database)) as connection:
        connection.text_factory = bytes
        tables = [
            row[0].decode()
            for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        ]
        found = {}
        for table in tables:
            if table in DERIVED or "fts" in table:
                continue
            columns = [row[1].decode() for row in connection.execute(f"PRAGMA table_info({table})")]
            names = ", ".join(f'"{name}"' for name in columns if name not in PASSING.get(table, set()))
            found[table] = sorted(connection.execute(f"SELECT {names} FROM {table}").fetchall(), key=repr)
        return found


def found_by_start_or_check(library: Library) -> bool:
    try:
        return bool(library.check().problems)
    except DamagedDatabaseError:
        return True


@pytest.mark.requirement("R5")
def test_flipped_bits_in_database_pages_are_noticed(pristine: Library, tmp_path: Path) -> None:
    """A bit that changes what the database says is found; one that changes nothing (free space) need not be."""
    chance = random.Random(17)
    sound = contents(pristine.database)
    noticed = harmless = 0
    while noticed < FLIPS:
        library = Library(tmp_path / str(noticed + harmless), pristine.documents)
        shutil.copytree(pristine.home, library.home)
        place = flip(library.database, chance)
        if found_by_start_or_check(library):
            noticed += 1
        else:
            assert contents(library.database) == sound, f"the flip at {place} changed something unnoticed"
            harmless += 1
        shutil.rmtree(library.home)
    print(f"{noticed} flips in pages of library.db that change something: all noticed; {harmless} changed nothing")


@pytest.mark.requirement("R5")
@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_database_is_rebuilt_and_kept(pristine: Library, library: Library, seed: int) -> None:
    chance = random.Random(seed)
    content = bytearray(library.database.read_bytes())
    for _ in range(3):
        page = chance.randrange(len(content) // 4096)
        content[page * 4096 : page * 4096 + 512] = chance.randbytes(512)
    library.database.write_bytes(content)
    try:
        damaged = any(each.code is FindingCode.DATABASE for each in library.check().problems)
    except DamagedDatabaseError as error:
        damaged = "footnote doctor --repair" in str(error)
    if damaged:
        kept = salvage(paths_in(library.home), library.database).kept
        assert ".corrupt" in kept.name
        assert kept.read_bytes() == bytes(content)
    library.repair(library.check())
    library.ingest()
    assert library.check().findings == ()
    told = differences(snapshot(library.home, library.documents), snapshot(pristine.home, pristine.documents))
    assert told == []


@pytest.mark.requirement("R5")
def test_chats_are_saved_out_of_a_damaged_file(library: Library) -> None:
    with library.services(writer=True) as services:
        session = services.sessions.create("Long")
        for number in range(200):
            services._session_store.add_message(session.id, "user", f"Question {number} about pumps. " * 20)
    content = bytearray(library.chats.read_bytes())
    page = len(content) // 4096 // 2
    content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    library.chats.write_bytes(content)
    salvage(paths_in(library.home), library.chats)
    with library.services(writer=True) as services:
        services.repair.run(services.check.run())
        assert services.check.run().problems == ()
        [long] = [each for each in services.sessions.sessions() if each.title == "Long"]
        kept = services.sessions.messages(long.id)
    assert len(kept) > 150
    assert all(message.text.startswith("Question ") for message in kept)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _folder_of(library: Library, name: str) -> list[Path]:
    places = {
        "index folder": [library.index],
        "cache folder": [library.home / "cache"],
        "config folder": [library.home / "config"],
        "logs folder": [library.home / "logs"],
        "backups": [library.home / "data" / "backups"],
        "shared memory": [library.database.with_name("library.db-shm"), library.chats.with_name("chats.db-shm")],
        "lock": [library.home / "data" / "library.lock"],
    }
    return places[name]


@pytest.mark.requirement("R6")
@pytest.mark.parametrize(
    "name", ["index folder", "cache folder", "config folder", "logs folder", "backups", "shared memory", "lock"]
)
def test_nothing_is_lost_with_what_can_be_deleted(library: Library, pristine: Library, name: str) -> None:
    embedded = library.embedded
    for path in _folder_of(library, name):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    library.ingest()
    with library.services(writer=True) as services:
        services.open_indexes()  # as the first question does
    assert library.check().findings == ()
    assert library.embedded == embedded, "nothing is embedded again"
    told = differences(snapshot(library.home, library.documents), snapshot(pristine.home, pristine.documents))
    assert told == []


@pytest.mark.requirement("R6")
@pytest.mark.parametrize("damage", ["deleted", "cut", "emptied"])
def test_without_its_log_a_database_is_as_it_was_before(library: Library, damage: str) -> None:
    """What had not gone from the log into the file is lost, as a whole; the files are read again."""
    log = library.database.with_name("library.db-wal")
    with library.services(writer=True) as services:
        job = services.ingest.add([library.documents])
        assert job.wait(60)
        services._store.enqueue(library.documents / "absent.txt", services._store.documents()[0].stamp)
        shutil.copyfile(library.database, library.database.with_name("copy"))
        shutil.copyfile(log, library.database.with_name("copy-wal"))
    library.database.with_name("copy").replace(library.database)
    library.database.with_name("copy-wal").replace(log)
    if damage == "deleted":
        log.unlink()
    elif damage == "cut":
        _cut(log)
    else:
        log.write_bytes(b"")
    library.ingest()
    assert library.check().problems == ()


@pytest.mark.requirement("R6")
def test_without_any_database_the_files_are_read_again(library: Library, pristine: Library) -> None:
    for path in (library.home / "data").glob("library.db*"):
        path.unlink()
    library.ingest()
    assert library.check().findings == ()
    told = differences(snapshot(library.home, library.documents), snapshot(pristine.home, pristine.documents))
    assert told == []


@pytest.mark.requirement("R5")
def test_flipped_bits_in_any_index_file_cost_nothing(own_library_with_segments: Library) -> None:
    """Vector segments and keyword files as one library has them: each flip is noticed or changes no answer."""
    library = own_library_with_segments
    chance = random.Random(23)
    expected = snapshot_hits(library)
    pristine_index = library.home / "pristine-index"
    shutil.copytree(library.index, pristine_index)
    rows = library.database.read_bytes()
    files = sorted(path.relative_to(library.index) for path in library.index.rglob("*") if path.is_file())
    files = [path for path in files if (library.index / path).stat().st_size and path.name != ".managed.json"]
    noticed = 0
    for _ in range(INDEX_FLIPS):
        flip(library.index / chance.choice([path for path in files if path.suffix != ".lock"]), chance)
        noticed += bool(library.check().problems)
        with library.services(writer=True) as services:
            services.open_indexes()
        assert library.check().findings == ()
        assert snapshot_hits(library) == expected
        shutil.rmtree(library.index)
        shutil.copytree(pristine_index, library.index)
        for path in (library.home / "data").glob("library.db-*"):
            path.unlink()
        library.database.write_bytes(rows)
    print(f"{INDEX_FLIPS} flips in index files: {noticed} noticed by the check, all mended at the next start")
    assert noticed >= INDEX_FLIPS - 1


def snapshot_hits(library: Library) -> list[tuple[int, float]]:
    from app.domain.passages import SearchMode

    with library.services() as services:
        return [
            (hit.chunk_id, round(hit.score, 5))
            for mode in (SearchMode.DENSE, SearchMode.KEYWORD)
            for query in ("pump was repaired", "harbour gate", "kettle failed")
            for hit in services.library.search(query, k=5, mode=mode)
        ]


@pytest.fixture
def own_library_with_segments(library: Library) -> Library:
    """A library whose vectors are in a segment file, however few they are."""
    with library.services(writer=True) as services:
        services.open_indexes()
        services._vector_index().maintain(save_all=True)
    assert list(library.index.glob("vectors-*"))
    return library
