"""What the world does to ingestion: full disks, other programs, clocks, files and folders that change under it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.domain.documents import DocumentState
from app.domain.errors import LibraryLockedError
from tests.faults.conftest import Library
from tests.faults.corpus import Corpus
from tests.faults.snapshot import differences, embedded_keys, snapshot
from tests.faults.stand_ins import FaultServices, paths_in

REPOSITORY = Path(__file__).resolve().parents[2]

_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""
_SEARCH = """
import sys
from pathlib import Path
from tests.faults.stand_ins import FaultServices, paths_in
services = FaultServices(paths_in(Path(sys.argv[1])), writer=False)
found = 0
print("open", flush=True)
for _ in range(30):
    found += len(services.library.search("pump was repaired", k=5))
services.close()
print("found", found, flush=True)
"""
_SHIFTED = """
import sys, time
from pathlib import Path
shift, real = float(sys.argv[3]), time.time
time.time = lambda: real() + shift
from tests.faults.ingest_child import ingest
ingest(Path(sys.argv[1]), Path(sys.argv[2]), "stand-in", "here")
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    made = Corpus(tmp_path / "documents", 9)
    made.add(8)
    return made


@pytest.fixture
def new(corpus: Corpus, tmp_path: Path) -> Library:
    """A library that has read nothing yet."""
    return Library(tmp_path / "home", corpus.folder)


@pytest.fixture
def undisturbed(corpus: Corpus, tmp_path: Path) -> Library:
    """Another one, for comparison."""
    return Library(tmp_path / "undisturbed", corpus.folder)


def assert_as_undisturbed(library: Library, undisturbed: Library) -> None:
    """Nothing wrong, lost, doubled, or embedded twice."""
    assert library.check().findings == ()
    undisturbed.ingest()
    told = differences(snapshot(library.home, library.documents), snapshot(undisturbed.home, undisturbed.documents))
    assert told == []


@contextmanager
def nothing_done_twice(library: Library) -> Iterator[None]:
    """No text is embedded in the block whose vector was stored before it."""
    with library.services() as services:
        stored, noted = embedded_keys(services), len(services.embedded.keys())
    yield
    with library.services() as services:
        assert not stored & set(services.embedded.keys()[noted:]), "something was embedded again"


@contextmanager
def running(program: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:  # what it complains of stands in the report of the test
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


# -- the disk ----------------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(place: Path, kind: str) -> Iterator[None]:
    """A tmpfs of 64 MB at ``place``, to be made smaller by the child; nothing for a limit."""
    place.mkdir()
    if kind == "limit":
        yield
        return
    if sys.platform != "linux" or os.getuid() != 0:
        pytest.skip("only root may mount a small disk; the limit on file sizes stands for it")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this container may not mount a small disk; the limit on file sizes stands for it")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.requirement("R7")
@pytest.mark.skipif(sys.platform != "linux", reason="disks are made small by Linux's means")
@pytest.mark.parametrize("kind", ["mount", "limit"])
def test_a_full_disk_loses_nothing_and_work_goes_on_when_there_is_room(
    corpus: Corpus, new: Library, undisturbed: Library, kind: str
) -> None:
    corpus.add(40)
    with small_disk(new.home, kind):
        child = subprocess.run(
            [sys.executable, "-m", "tests.faults.full_disk_child", str(new.home), str(corpus.folder), kind],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert child.returncode == 0, child.stderr
        *told, last = child.stdout.splitlines()
        assert int(last.removeprefix("done ")) >= 3, child.stdout
        assert all("is full" in line or "error" in line for line in told), told
        print(f"{kind}: no room {len(told)} times, told as: {told[0]}")
        assert_as_undisturbed(new, undisturbed)
        with new.services() as services:
            noted = services.embedded.keys()
            stored = services._store.chunk_count()
        # What was embedded but could not be stored was lost, one batch each time; nothing else was done twice.
        assert len(set(noted)) == stored


# -- other programs ----------------------------------------------------------------------------------------------------


def test_a_database_locked_by_another_program_stops_the_job_with_words_and_loses_nothing(
    new: Library, undisturbed: Library
) -> None:
    services = FaultServices(paths_in(new.home), writer=True, pool=False, busy_seconds=0.2)
    with closing(services), running(_HOLD, new.database) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "locked\n"
        job = services.ingest.add([new.documents])
        assert job.wait(30)
        assert "in use by another program" in str(job.failure)
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert holder.wait(30) == 0
        again = services.ingest.add([new.documents])
        assert again.wait(60)
        assert again.failure is None
    assert_as_undisturbed(new, undisturbed)


def test_a_lock_that_is_given_up_in_time_is_waited_for(new: Library, undisturbed: Library) -> None:
    with new.services(writer=True) as services, running(_HOLD, new.database) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        job = services.ingest.add([new.documents])
        assert not job.wait(0.3)
        holder.communicate("\n", timeout=30)
        assert job.wait(60)
        assert job.failure is None
    assert_as_undisturbed(new, undisturbed)


@pytest.mark.requirement("R9")
def test_one_program_writes_while_others_search(corpus: Corpus, new: Library, undisturbed: Library) -> None:
    new.ingest()
    corpus.add(10)
    with new.services(writer=True) as owner, running(_SEARCH, new.home) as one, running(_SEARCH, new.home) as other:
        for reader in (one, other):
            assert reader.stdout is not None
            assert reader.stdout.readline() == "open\n"
        job = owner.ingest.add([new.documents])
        with pytest.raises(LibraryLockedError) as refusal:
            FaultServices(paths_in(new.home), writer=True)
        assert str(os.getpid()) in str(refusal.value)
        # communicate() would miss what readline() has read ahead.
        found = [reader.stdout.read().split() for reader in (one, other) if reader.stdout is not None]
        assert job.wait(60)
        assert [words[0] for words in found] == ["found", "found"]
        assert all(int(words[1]) == 150 for words in found)
    assert_as_undisturbed(new, undisturbed)


@pytest.mark.requirement("R9")
def test_a_second_program_is_told_who_owns_the_library(new: Library, corpus: Corpus) -> None:
    with new.services(writer=True):
        second = subprocess.run(
            [sys.executable, "-m", "app", "ingest", str(corpus.folder)],
            cwd=REPOSITORY,
            env=os.environ | {"FOOTNOTE_HOME": str(new.home), "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert second.returncode == 1
    assert f"process {os.getpid()}" in second.stderr


# -- the clock ---------------------------------------------------------------------------------------------------------

YEAR = 365 * 86_400


def ingest_at(library: Library, shift: float, kind: str) -> None:
    """A run of the program whose clock is ``shift`` seconds off."""
    arguments: list[str | Path] = [sys.executable, "-c", _SHIFTED, library.home, library.documents, str(shift)]
    if kind == "faketime":
        if shutil.which("faketime") is None:
            pytest.skip("no faketime here: apt-get install faketime")
        arguments = ["faketime", "-f", f"{shift:+.0f}", *arguments[:-1], "0"]
    child = subprocess.run(
        list(map(str, arguments)), cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert child.returncode == 0, child.stderr
    assert "failure" not in child.stdout


@pytest.mark.requirement("R10")
@pytest.mark.parametrize("kind", ["clock", "faketime"])
def test_a_clock_that_jumps_changes_nothing(corpus: Corpus, new: Library, undisturbed: Library, kind: str) -> None:
    for shift in (0.0, -YEAR, YEAR, -3_600.0):
        with nothing_done_twice(new):
            ingest_at(new, shift, kind)
        assert new.check().findings == ()
        corpus.edit(3)
        corpus.add(1)
    with nothing_done_twice(new):
        ingest_at(new, 0.0, kind)
    embedded = new.embedded
    ingest_at(new, -YEAR, kind)
    assert new.embedded == embedded
    with new.services() as services:
        assert [record.id for record in services.library.documents()] == sorted(
            record.id for record in services.library.documents()
        )
    assert_as_undisturbed(new, undisturbed)


# -- files and folders -------------------------------------------------------------------------------------------------


def read_while(library: Library, change: threading.Event, act: threading.Event) -> None:
    """Ingest; at the first file ``act`` is set, and reading goes on once ``change`` is."""

    def tell(event: str) -> None:
        if event == "parse" and not act.is_set():
            act.set()
            assert change.wait(30)

    services = FaultServices(paths_in(library.home), writer=True, pool=False, tell=tell)
    with closing(services):
        job = services.ingest.add([library.documents])
        assert job.wait(60)
        assert job.failure is None, job.failure


@contextmanager
def in_the_middle_of_reading(library: Library) -> Iterator[None]:
    """The block runs while a file was hashed but not yet parsed."""
    change, act = threading.Event(), threading.Event()
    reader = threading.Thread(target=read_while, args=(library, change, act))
    reader.start()
    try:
        assert act.wait(30)
        yield
    finally:
        change.set()
        reader.join(60)


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("change", ["rewritten", "emptied", "deleted"])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, undisturbed: Library, change: str) -> None:
    folder = tmp_path / "documents"
    shutil.rmtree(folder)
    folder.mkdir()
    file = folder / "note.txt"
    file.write_text("The first version tells of a pump.")
    library = Library(tmp_path / "home", folder)
    with in_the_middle_of_reading(library):
        if change == "rewritten":
            file.write_text("The second version tells of a gate, and is longer than the first was.")
        elif change == "emptied":
            file.write_text("")
        else:
            file.unlink()
    assert library.check().problems == ()
    file.write_text("The last version tells of a bridge over the river.")
    library.ingest()
    with library.services() as services:
        [record] = services.library.documents()
        assert record.state is DocumentState.READY
        assert services.library.source(record.id).text == file.read_text()
    assert_as_undisturbed(library, undisturbed)


@pytest.mark.requirement("R13")
def test_a_file_that_was_read_while_it_changed_is_read_again(tmp_path: Path) -> None:
    """Without another change to the file: the stamp it was queued with is not the one it has."""
    folder = tmp_path / "documents"
    folder.mkdir()
    file = folder / "note.txt"
    file.write_text("The first version tells of a pump.")
    library = Library(tmp_path / "home", folder)
    with in_the_middle_of_reading(library):
        file.write_text("The second version tells of a gate, and is longer than the first was.")
    library.ingest()
    with library.services() as services:
        [record] = services.library.documents()
        assert services.library.source(record.id).text == file.read_text()
    assert library.check().findings == ()


@pytest.mark.requirement("R12")
def test_a_folder_that_vanishes_while_it_is_read_loses_nothing(
    corpus: Corpus, new: Library, undisturbed: Library, tmp_path: Path
) -> None:
    new.ingest()
    corpus.add(4)
    corpus.edit(3)
    with new.services() as services:
        before = {record.path for record in services.library.documents()}
    away = tmp_path / "unplugged"
    with nothing_done_twice(new), in_the_middle_of_reading(new):
        corpus.folder.rename(away)
    with new.services() as services:
        assert {record.path for record in services.library.documents()} >= before
        assert len(services.library.search("pump was repaired", k=5)) == 5
    assert new.check().problems == ()
    away.rename(corpus.folder)
    with nothing_done_twice(new):
        new.ingest()
    assert_as_undisturbed(new, undisturbed)
