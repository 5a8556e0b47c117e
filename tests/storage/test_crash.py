"""Killed at any moment, the program loses nothing that it said was stored."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.domain.documents import DocumentState
from app.domain.turns import MessageStatus
from app.storage.library_lock import LibraryLock
from app.storage.library_store import LibraryStore, open_library
from app.storage.session_store import SessionStore, open_chats
from tests.storage.samples import MODEL, vector

ROUNDS = int(os.environ.get("FOOTNOTE_CRASH_ROUNDS", "20"))


class Acknowledged:
    """What the writers said was stored, over all rounds."""

    def __init__(self) -> None:
        self.messages: set[int] = set()
        self.versions: dict[str, int] = {}

    def note(self, output: bytes) -> None:
        for line in output.split(b"\n")[:-1]:  # a last line without its end was not said
            match line.decode().split():
                case ["message", number]:
                    self.messages.add(int(number))
                case ["document", name, version]:
                    self.versions[name] = int(version)


def run_and_kill(folder: Path, seconds: float, *, while_opening: bool) -> bytes:
    """Run a writer and kill -9 it so many seconds after it is ready, or after its start. Returns what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.crash_writer", str(folder)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    if not while_opening:
        assert process.stdout.readline() == b"ready\n"
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    output = process.stdout.read()
    timer.join()
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    return output


def check_chats(folder: Path, acknowledged: Acknowledged) -> None:
    database = open_chats(folder / "chats.db")
    sessions = SessionStore(database)
    assert sessions.integrity() == []
    messages = {message.id: message for record in sessions.sessions() for message in sessions.messages(record.id)}
    assert acknowledged.messages <= messages.keys()
    for number in acknowledged.messages:
        assert messages[number].text.endswith("done")
        assert messages[number].status is MessageStatus.COMPLETE
    database.close()


def check_library(folder: Path, acknowledged: Acknowledged) -> None:
    database = open_library(folder / "library.db")
    library = LibraryStore(database)
    assert library.integrity() == []
    for name, version in acknowledged.versions.items():
        record = library.document_by_path(Path("/") / name)
        assert record is not None
        assert record.state in (DocumentState.READY, DocumentState.QUEUED, DocumentState.EMBEDDING)
        text = library.document_text(record.id)
        assert int(text.split("version ")[1].split()[0]) >= version
        assert text.count("lasting") == 10
    assert all(stored == vector(chunk_id) for chunk_id, stored in library.vectors(MODEL))
    changes = library.changes_since(0, MODEL)
    assert sorted(changes.added) == library.vector_ids(MODEL).tolist()
    database.close()


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a Unix signal")
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged = Acknowledged()
    for number in range(ROUNDS):
        while_opening = number % 5 == 0
        seconds = chance.uniform(0.05, 0.35) if while_opening else chance.uniform(0.005, 0.25)
        acknowledged.note(run_and_kill(tmp_path, seconds, while_opening=while_opening))
        check_chats(tmp_path, acknowledged)
        check_library(tmp_path, acknowledged)
        with LibraryLock(tmp_path / "library.lock"):
            pass
    print(f"{len(acknowledged.messages)} messages and {sum(acknowledged.versions.values())} documents acknowledged")
    assert acknowledged.messages
    assert acknowledged.versions
