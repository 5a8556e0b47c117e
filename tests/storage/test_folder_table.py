"""Followed folders and documents in bulk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.documents import DocumentState, FileStamp
from app.domain.folders import FolderState
from app.storage.library_store import LibraryStore, open_library

STAMP = FileStamp(1, 2)
ODD = Path(os.fsdecode(b"/home/\xff odd"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LibraryStore]:
    database = open_library(tmp_path / "library.db")
    yield LibraryStore(database)
    database.close()


def add(store: LibraryStore, *paths: Path) -> list[int]:
    store.enqueue_many((path, STAMP) for path in paths)
    known = {Path(each.path): each.id for each in store.known_files(list(paths))}
    return [known[path] for path in paths]


def test_a_folder_is_followed_once_and_takes_in_those_below_it(store: LibraryStore) -> None:
    inner = store.add_folder(ODD / "inner")
    assert store.add_folder(ODD / "inner" / "deep") == inner
    outer = store.add_folder(ODD)
    assert [each.path for each in store.folders()] == [ODD]
    assert store.folder_holding(ODD / "inner" / "a.txt") == outer
    assert store.folder_holding(Path("/home/other")) is None


def test_a_scan_is_recorded_with_its_mounts(store: LibraryStore) -> None:
    folder = store.add_folder(Path("/home/a"))
    store.record_scan(folder.id, "7:2", [Path("/home/a/stick"), ODD])
    store.record_scan(folder.id, "7:3", [ODD])
    [found] = store.folders()
    assert (found.identity, found.mounts) == ("7:3", (ODD,))
    assert found.scanned_at is not None
    store.remove_folder(folder.id)
    store.record_scan(folder.id, "7:4", [ODD])
    assert store.folders() == []


def test_a_state_is_new_only_once(store: LibraryStore) -> None:
    folder = store.add_folder(Path("/home/a"))
    assert store.set_folder_state(folder.id, FolderState.OFFLINE, "Gone.")
    assert not store.set_folder_state(folder.id, FolderState.OFFLINE, "Gone.")
    [status] = store.folder_statuses()
    assert (status.state, status.message, status.documents) == (FolderState.OFFLINE, "Gone.", 0)


def test_known_files_are_those_at_or_below_the_prefixes(store: LibraryStore) -> None:
    paths = [Path("/a/b"), Path("/a/b/c.txt"), Path("/a/bc.txt"), ODD / "d.txt"]
    add(store, *paths)
    many = [Path(f"/x/{number}") for number in range(250)]
    assert {each.path for each in store.known_files([Path("/a/b"), *many])} == {"/a/b", "/a/b/c.txt"}
    assert [each.path for each in store.known_files([*many, ODD])] == [str(ODD / "d.txt")]
    assert len(store.known_files()) == 4


def test_files_that_change_places_both_keep_their_document(store: LibraryStore) -> None:
    one, two, third = Path("/a/1"), Path("/a/2"), Path("/a/3")
    first, second, _ = add(store, one, two, third)
    stamp = FileStamp(5, 6)
    store.move_files([(first, two, stamp, 11), (second, one, stamp, 12)])
    assert {each.path: (each.id, each.inode) for each in store.known_files([one, two])} == {
        str(one): (second, 12),
        str(two): (first, 11),
    }
    store.move_files([(first, third, stamp, 11)])
    assert [each.path for each in store.known_files()] == [str(third), str(one)]


def test_what_goes_offline_comes_back_as_it_was_and_what_is_left_out_stays_out(store: LibraryStore) -> None:
    never_read, left_out = add(store, Path("/a/1"), Path("/a/2"))
    store.set_state(left_out, DocumentState.EXCLUDED)
    store.mark_offline([never_read, left_out], "Not there.")
    assert [each.state for each in store.known_files()] == [DocumentState.OFFLINE, DocumentState.EXCLUDED]
    assert store.pending() == []
    store.bring_back([never_read, left_out])
    assert [each.state for each in store.known_files()] == [DocumentState.QUEUED, DocumentState.EXCLUDED]


def test_taking_out_a_path_ends_following_it_or_is_remembered(store: LibraryStore) -> None:
    store.add_folder(Path("/a/b"))
    store.leave_out(Path("/a/b/c.txt"))
    assert store.path_choices() == {Path("/a/b/c.txt"): False}
    store.choose_path(Path("/a/b/c.txt"), included=True)
    assert store.path_choices() == {Path("/a/b/c.txt"): True}
    store.leave_out(Path("/a"))
    assert store.folders() == []
    store.choose_path(Path("/a/b/c.txt"), included=None)
    assert store.path_choices() == {}
