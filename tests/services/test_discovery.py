"""Which files a drop of paths brings in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.domain.errors import FailureReason
from app.services.discovery import FileDiscovery, FoundFile, Unreadable


@pytest.fixture
def discovery() -> FileDiscovery:
    return FileDiscovery(lambda path: path.suffix in {".txt", ".md"})


def _files(discovery: FileDiscovery, *paths: Path) -> list[Path]:
    return [found.path for found in discovery.find(list(paths)) if isinstance(found, FoundFile)]


def test_folders_are_walked_in_order_and_each_file_comes_once(tmp_path: Path, discovery: FileDiscovery) -> None:
    for name in ("b.txt", "a.md", "sub/c.txt", "sub/picture.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    found = _files(discovery, tmp_path, tmp_path / "a.md", tmp_path / "sub")
    assert found == [tmp_path / "a.md", tmp_path / "b.txt", tmp_path / "sub" / "c.txt"]


def test_hidden_entries_and_symbolic_links_in_folders_are_left_out(tmp_path: Path, discovery: FileDiscovery) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    folder = tmp_path / "folder"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "a.txt").write_text("x")
    (folder / ".hidden.txt").write_text("x")
    (folder / "loop").symlink_to(folder)
    (folder / "link.txt").symlink_to(outside)
    (folder / "plain.txt").write_text("x")
    assert _files(discovery, folder) == [folder / "plain.txt"]


def test_fifos_and_devices_are_refused_without_being_opened(tmp_path: Path, discovery: FileDiscovery) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    [found] = discovery.find([tmp_path / "pipe.txt"])
    assert isinstance(found, Unreadable)
    assert found.error.reason is FailureReason.UNSUPPORTED
    assert _files(discovery, tmp_path) == []


def test_a_named_file_of_an_unknown_kind_is_answered_for(tmp_path: Path, discovery: FileDiscovery) -> None:
    (tmp_path / "film.mkv").write_bytes(b"x")
    [found] = discovery.find([tmp_path / "film.mkv"])
    assert isinstance(found, Unreadable)
    assert found.error.reason is FailureReason.UNSUPPORTED
    assert ".mkv" in str(found.error)


def test_a_missing_path_is_answered_for(tmp_path: Path, discovery: FileDiscovery) -> None:
    [found] = discovery.find([tmp_path / "nowhere.txt"])
    assert isinstance(found, Unreadable)
    assert found.error.reason is FailureReason.NOT_FOUND


@pytest.mark.parametrize("name", ["with space.txt", "it's.txt", 'say "hi".txt', "🦊.txt", "two\nlines.txt", "-k.txt"])
def test_odd_names_are_found(tmp_path: Path, discovery: FileDiscovery, name: str) -> None:
    (tmp_path / name).write_text("text")
    assert _files(discovery, tmp_path) == [tmp_path / name]


@contextmanager
def _as_ordinary_user() -> Iterator[None]:
    """Permissions don't bind root, so a test that runs as root becomes nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_without_permission_is_named_and_the_rest_comes(discovery: FileDiscovery) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "open.txt").write_text("x")
        (folder / "locked").mkdir(mode=0)
        with _as_ordinary_user():
            found = list(discovery.find([folder]))
    assert [each.path for each in found if isinstance(each, FoundFile)] == [folder / "open.txt"]
    [refused] = [each for each in found if isinstance(each, Unreadable)]
    assert refused.error.reason is FailureReason.NO_PERMISSION
    assert "permission" in str(refused.error)
