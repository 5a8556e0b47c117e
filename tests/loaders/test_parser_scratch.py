"""Temporary folders of parsers: one a program, gone after it even if it was killed before it had read anything."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from app.domain.errors import StorageError
from app.loaders.parser_pool import ParserPool
from app.loaders.parser_scratch import LOCK_NAME, PREFIX, UNLOCKED_SECONDS, ScratchFolder, remove_abandoned

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = """
from app.loaders.parser_scratch import ScratchFolder
folder = ScratchFolder()
print(folder.path(), flush=True)
input()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def program(temporary: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary), "TEMP": str(temporary)},
    )


def test_what_a_program_killed_before_its_first_file_leaves_is_removed_by_the_next(
    temporary: Path, tmp_path: Path
) -> None:
    with program(temporary) as killed:
        assert killed.stdout is not None
        left = Path(killed.stdout.readline().strip())
        killed.kill()
    assert left.is_dir()
    (tmp_path / "a.txt").write_text("Some text.")
    with ParserPool(1) as pool:
        assert pool.parse(tmp_path / "a.txt").text == "Some text."
        assert not left.exists()
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_program_that_runs_stays(temporary: Path) -> None:
    with program(temporary) as running:
        assert running.stdout is not None
        theirs = Path(running.stdout.readline().strip())
        ours = ScratchFolder()
        assert ours.path() != theirs
        assert theirs.is_dir()
        running.communicate("\n")
    ours.remove()
    assert list(temporary.iterdir()) == []


def test_a_folder_that_was_just_made_is_left_alone_and_an_old_one_is_not(temporary: Path) -> None:
    new, old = temporary / f"{PREFIX}new", temporary / f"{PREFIX}old"
    for folder in (new, old):
        folder.mkdir()
    long_ago = time.time() - UNLOCKED_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    remove_abandoned(temporary)
    assert list(temporary.iterdir()) == [new]


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs a right of its own on Windows")
def test_a_link_under_such_a_name_is_not_followed(temporary: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / LOCK_NAME).write_text("mine")
    (temporary / f"{PREFIX}link").symlink_to(precious)
    remove_abandoned(temporary)
    assert (precious / LOCK_NAME).read_text() == "mine"


def test_a_pool_that_reads_nothing_makes_no_folder(temporary: Path) -> None:
    with ParserPool(2):
        assert list(temporary.iterdir()) == []


def test_no_room_for_temporary_files_is_told_and_blames_no_document(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.")
    temporary.rmdir()
    temporary.write_text("no folder any more")
    with ParserPool(1) as pool:
        with pytest.raises(StorageError, match="no room for temporary files"):
            pool.parse(tmp_path / "a.txt")
        temporary.unlink()
        temporary.mkdir()
        assert pool.parse(tmp_path / "a.txt").text == "Some text."
