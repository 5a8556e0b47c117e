"""Ingestions side by side: overlap, priority, pause, restart, quarantine, transactions of many documents."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.domain.cancellation import CancelToken
from app.domain.documents import DocumentState, ParsedDocument, Section, assemble
from app.domain.errors import FailureReason
from app.domain.ingestion import FileOutcome, IngestProgress
from app.jobs.idle_gate import IdleGate, ReadWhen
from app.loaders.parser_pool import ParserPool
from app.services.document_files import PlainFiles
from tests.loaders.hostile_reader import make_reader
from tests.services.conftest import Rig
from tests.services.test_ingest_service import LONG

REPOSITORY = Path(__file__).resolve().parent.parent.parent
MakeRig = Callable[..., Rig]


class TextParser:
    """Reads text files in the program itself, one step at a time if ``gate`` is closed."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.read: list[str] = []
        self.begun = threading.Semaphore(0)
        self.warning = ""

    def parse(self, path: Path, cancel: CancelToken | None = None) -> ParsedDocument:
        self.begun.release()
        assert self.gate.wait(30)
        self.read.append(path.name)
        metadata = {"warning": self.warning} if self.warning else {}
        return assemble([Section(path.read_text())], title=path.name, media_type="text/plain", metadata=metadata)


def write(folder: Path, names: str, text: str = LONG) -> list[Path]:
    paths = [folder / f"{name}.txt" for name in names.split()]
    for path in paths:
        path.write_text(f"This is {path.stem}. {text}")
    return paths


def test_files_are_read_while_others_are_embedded(make_rig: MakeRig, folder: Path) -> None:
    parser = TextParser()
    rig = make_rig(parser)
    write(folder, "one two three", "Short.")
    for path in folder.iterdir():  # files of this size are read one by one
        path.write_text(path.read_text() + " " * 300_000)
    rig.embedder.gate.clear()
    job = rig.service.add([folder])
    assert rig.embedder.called.wait(30)
    for _ in range(3):
        assert parser.begun.acquire(timeout=30)
    assert not rig.embedder.gate.is_set()
    rig.embedder.gate.set()
    rig.wait(job)
    assert job.summary.documents == 3


def test_a_file_just_dropped_overtakes_thousands(make_rig: MakeRig, folder: Path) -> None:
    rig = make_rig(TextParser())
    many = folder / "many"
    many.mkdir()
    write(many, " ".join(f"n{number:04}" for number in range(2000)), "Short text.")
    (dropped,) = write(folder, "dropped", "Urgent text.")
    rig.embedder.gate.clear()
    long_job = rig.service.add([many])
    assert rig.embedder.called.wait(30)
    urgent = rig.service.add([dropped], priority=1)
    rig.embedder.gate.set()
    rig.wait(urgent)
    done_before = [event.path.name for event in rig.events if isinstance(event, FileOutcome)].index("dropped.txt")
    rig.wait(long_job)
    assert done_before < 1000
    assert rig.embedder.embedded.index(next(text for text in rig.embedder.embedded if "Urgent" in text)) < 600
    assert long_job.summary.documents == 2000


def test_a_paused_ingestion_rests_while_another_runs(make_rig: MakeRig, folder: Path) -> None:
    parser = TextParser()
    parser.gate.clear()
    rig = make_rig(parser)
    first, second = folder / "first", folder / "second"
    for each in (first, second):
        each.mkdir()
    write(first, "a b c")
    write(second, "d e")
    paused = rig.service.add([first])
    assert parser.begun.acquire(timeout=30)
    paused.pause()
    parser.gate.set()
    other = rig.service.add([second])
    rig.wait(other)
    assert other.summary.documents == 2
    assert not paused.wait(0.05)
    assert paused.progress.paused
    assert paused.progress.done < 3
    paused.resume()
    rig.wait(paused)
    assert paused.summary.documents == 3
    assert not paused.progress.paused


def test_a_paused_ingestion_comes_back_paused_after_a_restart(make_rig: MakeRig, folder: Path) -> None:
    parser = TextParser()
    parser.gate.clear()
    first = make_rig(parser)
    write(folder, " ".join(f"n{number}" for number in range(40)))
    job = first.service.add([folder], priority=2)
    assert parser.begun.acquire(timeout=30)
    job.pause()
    parser.gate.set()
    first.service.close()

    second = make_rig(TextParser())
    assert second.service.resume_pending() is None
    (restored,) = second.service.active_jobs
    assert restored.paused
    assert not restored.wait(0.05)
    assert second.service.add([]).wait(30)  # others are not held up
    restored.resume()
    second.wait(restored)
    assert {record.state for record in second.store.documents()} == {DocumentState.READY}
    assert len(second.store.documents()) == 40
    assert second.service.active_jobs == []
    assert second.store.jobs() == []
    assert second.service.resume_pending() is None
    assert second.store.integrity() == []


def test_an_ingestion_stopped_while_it_looked_for_files_finds_the_rest_after_a_restart(
    make_rig: MakeRig, folder: Path
) -> None:
    first = make_rig(TextParser())
    write(folder, "a b", "Short.")
    job_id = first.store.add_job([folder])  # as a kill leaves it before any file was queued
    second = make_rig(TextParser())
    resumed = second.service.resume_pending()
    assert resumed is not None
    second.wait(resumed)
    assert resumed.summary.documents == 2
    assert job_id not in [job.id for job in second.store.jobs()]


def test_cancelling_one_ingestion_leaves_the_other_alone(make_rig: MakeRig, folder: Path) -> None:
    rig = make_rig(TextParser())
    first, second = folder / "first", folder / "second"
    for each in (first, second):
        each.mkdir()
    write(first, " ".join(f"n{number}" for number in range(100)))
    write(second, "d e")
    rig.embedder.gate.clear()
    unwanted = rig.service.add([first])
    assert rig.embedder.called.wait(30)
    wanted = rig.service.add([second])
    unwanted.cancel()
    rig.embedder.gate.set()
    rig.wait(unwanted)
    rig.wait(wanted)
    assert unwanted.summary.cancelled
    assert wanted.summary.documents == 2
    left = {record.path.parent.name for record in rig.store.documents()}
    assert "second" in left
    assert rig.store.pending() == []


def test_a_document_wanted_twice_is_embedded_once(make_rig: MakeRig, folder: Path) -> None:
    rig = make_rig(TextParser())
    (path,) = write(folder, "wanted")
    rig.embedder.gate.clear()
    first = rig.service.add([folder])
    assert rig.embedder.called.wait(30)
    second = rig.service.add([path], priority=1)
    rig.embedder.gate.set()
    rig.wait(first)
    rig.wait(second)
    assert first.summary.documents == second.summary.documents == 1
    assert len(rig.embedder.embedded) == len(set(rig.embedder.embedded)) == rig.store.chunk_count()
    assert [record.state for record in rig.store.documents()] == [DocumentState.READY]


def test_a_file_that_changes_while_it_is_read_is_read_again(make_rig: MakeRig, folder: Path) -> None:
    (path,) = write(folder, "restless", "It is Monday.")

    class Restless(PlainFiles):
        changes = 1

        @contextmanager
        def opened(self, path: Path) -> Iterator[Path]:
            yield path
            if parser.read and self.changes:
                self.changes -= 1
                path.write_text(f"It is Tuesday, with {self.changes} changes to come.")

    parser = TextParser()
    rig = make_rig(parser, files=Restless())
    rig.ingest(folder)
    assert parser.read == ["restless.txt"] * 2
    record = rig.store.documents()[0]
    assert "Tuesday" in rig.store.document_text(record.id)
    assert record.stamp == PlainFiles().stamp(path)
    assert rig.ingest(folder).skipped == 1

    Restless.changes = 100  # never rests: what was read last is kept, and the next look reads it anew
    path.write_text("It is Wednesday.")
    restless = make_rig(parser, files=Restless())
    parser.read.clear()
    restless.ingest(folder)
    assert 2 <= len(parser.read) <= 5
    assert restless.store.documents()[0].stamp != PlainFiles().stamp(path)
    path.write_text("It is Sunday.")
    assert make_rig(TextParser()).ingest(folder).skipped == 0


@pytest.mark.skipif(os.name == "nt", reason="a parser that kills itself by signal")
def test_a_file_that_kills_its_parser_twice_is_left_alone_until_it_changes(make_rig: MakeRig, folder: Path) -> None:
    killer, harmless = folder / "killer.txt", folder / "harmless.txt"
    killer.write_text("die 9")
    harmless.write_text("say All is well.")
    with ParserPool(1, make_reader=make_reader) as pool:
        rig = make_rig(pool)
        assert rig.ingest(folder).failed == 1
        document = rig.store.document_by_path(killer)
        assert document is not None
        assert document.reason is FailureReason.CRASHED
        assert rig.store.document_by_path(harmless).state is DocumentState.READY  # type: ignore[union-attr]
        assert not rig.store.is_quarantined(document.id)
        assert rig.ingest(folder).failed == 1
        assert rig.store.is_quarantined(document.id)

        watched = make_rig(parser := TextParser())
        assert watched.service.resume_pending() is None
        assert watched.ingest(folder).failed == 1
        assert parser.read == []
        assert watched.outcomes["killer.txt"].error == document.message
        watched.ingest(killer)  # named itself
        assert parser.read == ["killer.txt"]

        killer.write_text("say It is harmless now.")
        assert rig.ingest(folder).failed == 0


def test_watchers_leave_files_that_failed_alone_until_they_change(make_rig: MakeRig, folder: Path) -> None:
    (folder / "empty.txt").write_bytes(b"")
    rig = make_rig(parser := TextParser())
    assert rig.ingest(folder).failed == 1
    job = rig.service.add([folder], retry=False)
    rig.wait(job)
    assert len(parser.read) == 1
    assert (job.summary.failed, job.summary.skipped) == (1, 0)
    (folder / "empty.txt").write_text("No longer.")
    job = rig.service.add([folder], retry=False)
    rig.wait(job)
    assert job.summary.documents == 1


def test_what_is_missing_of_a_file_is_said(make_rig: MakeRig, folder: Path) -> None:
    parser = TextParser()
    parser.warning = "3 of 9 pages are damaged and could not be read."
    rig = make_rig(parser)
    write(folder, "partly")
    rig.ingest(folder)
    assert rig.outcomes["partly.txt"].warning == parser.warning
    assert rig.store.documents()[0].warning == parser.warning
    rig.events.clear()
    rig.ingest(folder)
    assert rig.outcomes["partly.txt"].warning == parser.warning


def test_work_waits_for_mains_power_and_says_so(make_rig: MakeRig, folder: Path) -> None:
    plugged_in = threading.Event()
    gate = IdleGate(lambda: ReadWhen.ON_MAINS, mains=plugged_in.is_set, look_seconds=0.01)
    parser = TextParser()
    parser.gate.clear()
    rig = make_rig(parser, gate=gate)
    said = threading.Event()
    rig.service.subscribe(lambda event: said.set() if isinstance(event, IngestProgress) and event.waiting_for else None)
    write(folder, "a b")
    job = rig.service.add([folder])
    assert said.wait(30)
    parser.gate.set()
    assert job.progress.waiting_for == "the computer is plugged in"
    rig.service.resume()  # all the same
    rig.wait(job)
    assert job.summary.documents == 2
    assert job.progress.waiting_for == ""


def test_many_small_files_share_transactions(make_rig: MakeRig, folder: Path) -> None:
    rig = make_rig(TextParser())
    write(folder, " ".join(f"n{number}" for number in range(400)), "Short.")
    rig.ingest(folder)
    log = rig.store._database.path.with_name("library.db-wal")
    commits = _commits(log)
    assert 0 < commits < 200  # four for each file, were they written one by one


def _commits(log: Path) -> int:
    """Commits in a write-ahead log: frames whose header says how large the database is after them.

    https://www.sqlite.org/fileformat2.html#the_write_ahead_log
    """
    data = log.read_bytes()
    page = int.from_bytes(data[8:12], "big")
    salt = data[16:24]
    count = 0
    for start in range(32, len(data) - 24 - page + 1, 24 + page):
        if data[start + 8 : start + 16] == salt:
            count += data[start + 4 : start + 8] != b"\0\0\0\0"
    return count


@pytest.mark.skipif(os.name == "nt", reason="kills itself by signal")
@pytest.mark.parametrize(
    ("method", "number"),
    [("enqueue_many", 1), ("begin_parsing", 2), ("replace_content", 20), ("store_vectors", 2), ("finish", 30)],
)
def test_a_kill_inside_a_shared_transaction_loses_and_doubles_nothing(
    method: str, number: int, make_rig: MakeRig, folder: Path, tmp_path: Path
) -> None:
    write(folder, " ".join(f"n{number}" for number in range(60)), "Short.")
    (folder / "long.txt").write_text(LONG * 5)
    killed = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.services.killed_ingest",
            str(tmp_path / "library.db"),
            str(folder),
            method,
            str(number),
        ],
        cwd=REPOSITORY,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -9
    rig = make_rig(TextParser())
    stored = set(rig.store.vector_ids("hash-8").tolist())
    resumed = rig.service.resume_pending()
    if resumed:
        rig.wait(resumed)
    assert rig.ingest(folder).documents == 61
    records = rig.store.documents()
    assert {record.state for record in records} == {DocumentState.READY}
    assert len({record.path for record in records}) == len(records) == 61
    assert rig.store.chunk_count() == rig.store.vector_count("hash-8") == sum(each.chunk_count for each in records)
    assert len(rig.embedder.embedded) <= rig.store.chunk_count() - len(stored)
    assert rig.store.integrity() == []
