"""One process owns a library."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.domain.errors import LibraryLockedError, StorageError
from app.storage.library_lock import LibraryLock


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns the library at ``path``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.lock_holder", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_told_who_owns_the_library(tmp_path: Path) -> None:
    path = tmp_path / "library.lock"
    with holder(path) as owner:
        with pytest.raises(LibraryLockedError) as refusal:
            LibraryLock(path).acquire()
        assert refusal.value.owner_pid == owner.pid
        assert str(owner.pid) in str(refusal.value)
        assert LibraryLock(path).owner() == owner.pid


def test_an_owner_that_was_killed_leaves_the_library_free(tmp_path: Path) -> None:
    path = tmp_path / "library.lock"
    with holder(path) as owner:
        owner.kill()
        owner.wait()
        assert LibraryLock(path).owner() is None
        with LibraryLock(path) as lock:
            assert lock.owner() == os.getpid()


def test_an_owner_that_ends_leaves_the_library_free(tmp_path: Path) -> None:
    path = tmp_path / "library.lock"
    with holder(path) as owner:
        owner.communicate()
        assert owner.returncode == 0
        assert LibraryLock(path).owner() is None
        with LibraryLock(path) as lock:
            assert lock.owner() == os.getpid()


def test_the_same_process_does_not_get_it_twice(tmp_path: Path) -> None:
    path = tmp_path / "library.lock"
    first, second = LibraryLock(path), LibraryLock(path)
    first.acquire()
    with pytest.raises(LibraryLockedError) as refusal:
        second.acquire()
    assert refusal.value.owner_pid == os.getpid()
    second.release()  # was never its own
    assert first.owner() == os.getpid()
    first.release()
    second.acquire()
    second.release()
    second.release()


def test_child_processes_do_not_inherit_it(tmp_path: Path) -> None:
    path = tmp_path / "library.lock"
    lock = LibraryLock(path)
    lock.acquire()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        lock.release()
        with holder(path) as owner:
            assert LibraryLock(path).owner() == owner.pid
        child.communicate(b"\n")


def test_an_unreadable_note_of_the_owner_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "library.lock"
    with holder(path):
        LibraryLock(path).owner_file.write_bytes(b"\xff not a number")
        with pytest.raises(LibraryLockedError) as refusal:
            LibraryLock(path).acquire()
        assert refusal.value.owner_pid is None


def test_a_place_that_cant_be_locked_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"library\.lock can't be locked"):
        LibraryLock(tmp_path / "file" / "library.lock").acquire()
