"""Which folders are used, and how they are made."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from app.domain.errors import BadInputError
from app.settings.paths import AppPaths


def test_footnote_home_overrides_every_folder(tmp_path: Path) -> None:
    paths = AppPaths.from_environment({"FOOTNOTE_HOME": str(tmp_path), "XDG_DATA_HOME": "/elsewhere"})
    used = [*paths.folders, paths.chats_db, paths.library_db, paths.library_lock]
    assert all(path.is_relative_to(tmp_path) for path in used)
    assert len(set(used)) == len(used)


def test_a_relative_home_does_not_follow_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert AppPaths.from_environment({"FOOTNOTE_HOME": "here"}).data == tmp_path / "here" / "data"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other folders and no modes")
def test_without_it_the_systems_folders_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for environ in ({}, {"FOOTNOTE_HOME": ""}):
        paths = AppPaths.from_environment(environ)
        assert paths.data == tmp_path / "share" / "footnote"
        assert paths.index_dir.is_relative_to(tmp_path / "cache" / "footnote")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_folders_are_private_even_the_home_that_was_missing(tmp_path: Path) -> None:
    home = tmp_path / "not there" / 'it\'s "here"\n😀'
    paths = AppPaths.from_environment({"FOOTNOTE_HOME": str(home)})
    paths.create()
    paths.create()  # again: nothing to do
    for folder in (home.parent, home, *paths.folders):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_file_in_the_way_is_told_and_left_alone(tmp_path: Path, below: str) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(BadInputError) as refusal:
        AppPaths.from_environment({"FOOTNOTE_HOME": str(file / below)}).create()
    assert str(file) in str(refusal.value)
    assert "FOOTNOTE_HOME" in str(refusal.value)
    assert file.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder nobody can write to, even root")
def test_a_folder_that_cant_be_made_is_told() -> None:
    with pytest.raises(BadInputError, match="/proc/footnote"):
        AppPaths.from_environment({"FOOTNOTE_HOME": "/proc/footnote"}).create()
