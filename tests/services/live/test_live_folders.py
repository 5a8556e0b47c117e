"""Folders that stay live: every way in which a folder changes, and what that costs."""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from app.domain.documents import DocumentState
from app.domain.errors import BadInputError
from app.domain.folders import ChangeKind, FolderState
from tests.services.live.live_rig import LONG, LiveRig


def test_a_new_file_becomes_searchable(live: LiveRig, folder: Path) -> None:
    (folder / "new.txt").write_text("The well is two metres deep.")
    live.until(lambda: live.is_ready(folder / "new.txt"))
    assert live.text_of(folder / "new.txt") == "The well is two metres deep."


def test_an_edit_embeds_only_what_changed(live: LiveRig, folder: Path) -> None:
    before = live.embedded
    (folder / "first.txt").write_text(LONG.replace("subject 77", "something else"))
    live.until(lambda: "something else" in live.text_of(folder / "first.txt") and live.is_ready(folder / "first.txt"))
    assert 1 <= live.embedded - before <= 2


def test_appended_text_becomes_searchable(live: LiveRig, folder: Path) -> None:
    before = live.embedded
    with (folder / "first.txt").open("a") as file:
        file.write("\n\nThe last paragraph is about herons.")
    live.until(lambda: "herons" in live.text_of(folder / "first.txt") and live.is_ready(folder / "first.txt"))
    assert 1 <= live.embedded - before <= 2


def test_an_atomic_replacement_is_an_edit(live: LiveRig, folder: Path) -> None:
    before = live.embedded
    (folder / "first.txt.tmp").write_text(LONG.replace("subject 77", "otters"))
    (folder / "first.txt.tmp").rename(folder / "first.txt")
    live.until(lambda: "otters" in live.text_of(folder / "first.txt") and live.is_ready(folder / "first.txt"))
    assert 1 <= live.embedded - before <= 2
    assert list(live.states()) == ["first.txt"]


def test_a_renamed_file_costs_no_embedding(live: LiveRig, folder: Path) -> None:
    before, document = live.embedded, live.rig.store.documents()[0].id
    (folder / "first.txt").rename(folder / "second.txt")
    live.until(lambda: live.is_ready(folder / "second.txt"))
    assert live.is_gone(folder / "first.txt")
    assert live.embedded == before
    assert live.rig.store.documents()[0].id == document


def test_a_renamed_folder_costs_no_embedding(live: LiveRig, folder: Path) -> None:
    (folder / "sub" / "deep").mkdir(parents=True)
    names = ["sub/a.txt", "sub/b.txt", "sub/deep/c.txt"]
    for name in names:
        (folder / name).write_text(f"This is {name}. {LONG}")
    live.until(lambda: live.is_ready(*(folder / name for name in names)))
    before = live.embedded
    (folder / "sub").rename(folder / "other")
    live.until(lambda: live.is_ready(*(folder / name.replace("sub", "other") for name in names)))
    assert live.is_gone(*(folder / name for name in names))
    assert live.embedded == before


def test_a_move_between_followed_folders_costs_no_embedding(live: LiveRig, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    live.folders.add([other])
    before = live.embedded
    (folder / "first.txt").rename(other / "first.txt")
    live.until(lambda: live.is_ready(other / "first.txt"))
    assert live.is_gone(folder / "first.txt")
    assert live.embedded == before


def test_a_copy_that_takes_the_place_of_its_deleted_original_is_a_move(live: LiveRig, folder: Path) -> None:
    before = live.embedded
    shutil.copy2(folder / "first.txt", folder.parent / "aside.txt")
    (folder / "first.txt").unlink()
    shutil.copy2(folder.parent / "aside.txt", folder / "again.txt")
    live.until(lambda: live.is_ready(folder / "again.txt") and live.is_gone(folder / "first.txt"))
    assert live.embedded == before


def test_files_that_change_places_keep_their_own_text(live: LiveRig, folder: Path) -> None:
    one, two = folder / "first.txt", folder / "second.txt"
    two.write_text("The second file is about newts.")
    live.until(lambda: live.is_ready(two))
    one.rename(folder / "aside.tmp")
    two.rename(one)
    (folder / "aside.tmp").rename(two)
    live.until(lambda: "newts" in live.text_of(one) and "subject 77" in live.text_of(two))
    live.until(lambda: live.is_ready(one, two))


def test_a_deleted_file_is_gone(live: LiveRig, folder: Path) -> None:
    (folder / "first.txt").unlink()
    live.until(lambda: live.happened(ChangeKind.REMOVED, folder / "first.txt"))
    assert live.is_gone(folder / "first.txt")
    assert live.rig.store.chunk_count() == 0


def test_a_deleted_folder_is_gone_with_all_in_it(live: LiveRig, folder: Path) -> None:
    (folder / "sub").mkdir()
    paths = [folder / "sub" / f"{number}.txt" for number in range(5)]
    for path in paths:
        path.write_text(f"This is {path.name}.")
    live.until(lambda: live.is_ready(*paths))
    shutil.rmtree(folder / "sub")
    live.until(lambda: live.is_gone(*paths))
    assert live.is_ready(folder / "first.txt")


@pytest.mark.requirement("R12")
def test_a_followed_folder_that_is_renamed_away_and_back_loses_nothing(live: LiveRig, folder: Path) -> None:
    before = live.embedded
    folder.rename(folder.parent / "away")
    live.until(lambda: live.is_offline(folder / "first.txt") and live.folders.status()[0].state is FolderState.OFFLINE)
    assert live.rig.store.chunk_count() > 0, "what was read stays searchable"
    (folder.parent / "away").rename(folder)
    live.until(lambda: live.is_ready(folder / "first.txt") and live.folders.status()[0].state is FolderState.LIVE)
    assert live.embedded == before
    (folder / "after.txt").write_text("Events come again.")
    live.until(lambda: live.is_ready(folder / "after.txt"))


def test_an_empty_folder_in_the_place_of_a_followed_one_deletes_nothing(live: LiveRig, folder: Path) -> None:
    folder.rename(folder.parent / "away")
    folder.mkdir()
    live.until(lambda: live.is_offline(folder / "first.txt") and live.happened(ChangeKind.FOLDER, folder))
    assert "Rescan" in live.folders.status()[0].message
    live.folders.rescan(folder)
    assert live.rig.store.documents() == []
    assert live.folders.status()[0].state is FolderState.LIVE


def test_what_changed_while_nobody_watched_is_found_at_the_next_start(
    make_live: Callable[..., LiveRig], folder: Path
) -> None:
    for name in ("kept", "edited", "moved", "deleted"):
        (folder / f"{name}.txt").write_text(f"This one is {name}. {LONG}")
    first = make_live()
    first.rig.wait(first.folders.add([folder]))
    (folder / "edited.txt").write_text(f"This one is edited. {LONG.replace('subject 77', 'badgers')}")
    (folder / "moved.txt").rename(folder / "elsewhere.txt")
    (folder / "deleted.txt").unlink()
    (folder / "added.txt").write_text("This one is new.")
    second = make_live()
    second.folders.start()
    paths = [folder / f"{name}.txt" for name in ("kept", "edited", "elsewhere", "added")]
    second.until(lambda: second.is_ready(*paths) and second.is_gone(folder / "deleted.txt"))
    assert "badgers" in second.text_of(folder / "edited.txt")
    assert second.embedded <= 3
    assert len(second.states()) == 4


def test_documents_added_one_by_one_are_looked_at_when_the_program_starts(
    make_live: Callable[..., LiveRig], folder: Path
) -> None:
    paths = [folder / f"{name}.txt" for name in ("kept", "edited", "lost")]
    for path in paths:
        path.write_text(f"This is {path.name}.")
    first = make_live()
    first.rig.wait(first.folders.add(paths))
    (folder / "edited.txt").write_text("This one speaks of moles now.")
    (folder / "lost.txt").rename(folder.parent / "aside.txt")
    (folder / "neighbour.txt").write_text("Nobody added me.")
    second = make_live()
    second.folders.start()
    second.until(lambda: "moles" in second.text_of(folder / "edited.txt") and second.is_offline(folder / "lost.txt"))
    assert second.is_gone(folder / "neighbour.txt")
    third = make_live()
    (folder.parent / "aside.txt").rename(folder / "lost.txt")
    third.folders.start()
    third.until(lambda: third.is_ready(folder / "lost.txt"))
    assert third.embedded == 0


def test_what_the_user_takes_out_stays_out_until_he_adds_it_again(live: LiveRig, folder: Path) -> None:
    assert live.folders.exclude(folder / "first.txt") == [folder / "first.txt"]
    live.folders.rescan()
    assert live.is_gone(folder / "first.txt")
    live.rig.wait(live.folders.add([folder / "first.txt"]))
    assert live.is_ready(folder / "first.txt")
    live.folders.rescan()
    assert live.is_ready(folder / "first.txt")


def test_an_ignore_file_takes_effect_when_it_is_written(live: LiveRig, folder: Path) -> None:
    (folder / "drafts").mkdir()
    (folder / "drafts" / "one.txt").write_text("A draft.")
    live.until(lambda: live.is_ready(folder / "drafts" / "one.txt"))
    (folder / ".footnoteignore").write_text("drafts/\n")
    live.until(lambda: live.is_gone(folder / "drafts" / "one.txt"))
    (folder / ".footnoteignore").unlink()
    live.until(lambda: live.is_ready(folder / "drafts" / "one.txt"))


def test_removing_a_folder_ends_following_and_keeps_the_files(live: LiveRig, folder: Path) -> None:
    live.folders.remove_folder(folder)
    assert live.folders.status() == []
    assert live.rig.store.documents() == []
    assert (folder / "first.txt").exists()
    with pytest.raises(BadInputError, match="not a followed folder"):
        live.folders.remove_folder(folder)


def test_a_folder_inside_a_followed_one_is_part_of_it(live: LiveRig, folder: Path) -> None:
    (folder / "sub").mkdir()
    live.folders.add([folder / "sub"])
    assert [each.path for each in live.folders.status()] == [folder]
    live.folders.add([folder.parent])
    assert [each.path for each in live.folders.status()] == [folder.parent]


def test_a_burst_of_files_is_read_whole(live: LiveRig, folder: Path) -> None:
    paths = [folder / f"burst {number}.txt" for number in range(60)]
    for path in paths:
        path.write_text(f"This is {path.name}.")
    live.until(lambda: live.is_ready(*paths))
    assert len(live.rig.store.documents()) == 61


def test_a_file_that_grows_for_a_while_ends_with_its_last_content(live: LiveRig, folder: Path) -> None:
    path = folder / "growing.txt"
    with path.open("w") as file:
        for number in range(40):
            file.write(f"Line {number} of a file that is still written. ")
            file.flush()
            os.fsync(file.fileno())
    live.until(lambda: live.is_ready(path) and "Line 39" in live.text_of(path))


def test_a_file_that_changes_while_it_is_read_ends_with_its_last_content(live: LiveRig, folder: Path) -> None:
    path = folder / "changing.txt"
    live.rig.embedder.hold()
    path.write_text("The first content is about swans.")
    assert live.rig.embedder.called.wait(20)
    path.write_text("The last content is about geese.")
    live.rig.embedder.gate.set()
    live.until(lambda: "geese" in live.text_of(path) and live.is_ready(path))


def test_a_file_moved_while_it_is_read_is_found_in_its_new_place(live: LiveRig, folder: Path) -> None:
    live.rig.embedder.hold()
    (folder / "here.txt").write_text("This file is about cranes.")
    assert live.rig.embedder.called.wait(20)
    (folder / "here.txt").rename(folder / "there.txt")
    live.until(lambda: live.happened(ChangeKind.MOVED, folder / "there.txt"))
    live.rig.embedder.gate.set()
    live.until(lambda: live.is_ready(folder / "there.txt"))
    assert live.is_gone(folder / "here.txt")


def stop_reading(live: LiveRig) -> None:
    for job in live.rig.service.active_jobs:
        job.cancel()


def stopped_files(live: LiveRig, folder: Path, count: int) -> list[Path]:
    """So many new files whose reading was stopped, while the embedder still has the first of them."""
    live.rig.embedder.hold()
    paths = [folder / f"more {number}.txt" for number in range(count)]
    for path in paths:
        path.write_text(f"{path.name}. {LONG}")
    live.until(lambda: all(live.happened(ChangeKind.READING, path) for path in paths))
    assert live.rig.embedder.called.wait(20)
    stop_reading(live)
    return paths


def is_resting(live: LiveRig) -> bool:
    return live.folders.status()[0].state is FolderState.PAUSED


def test_after_the_user_cancelled_a_folder_rests_until_it_is_looked_through(live: LiveRig, folder: Path) -> None:
    paths = stopped_files(live, folder, 60)
    live.rig.embedder.gate.set()
    live.until(lambda: is_resting(live))
    live.until(lambda: not live.rig.service.active_jobs)
    left_out = [path for path in paths if live.is_gone(path)]
    assert left_out, "more than one batch was embedded"
    live.folders.rescan(folder)
    live.until(lambda: live.is_ready(*paths))
    assert live.folders.status()[0].state is FolderState.LIVE


def test_what_comes_while_a_stopped_reading_ends_is_not_read(live: LiveRig, folder: Path) -> None:
    live.rig.embedder.hold()
    (folder / "early.txt").write_text(LONG)
    assert live.rig.embedder.called.wait(20)
    stop_reading(live)
    (folder / "late.txt").write_text("This file came after the reading was stopped.")
    live.until(lambda: is_resting(live), "the folder's rest, before the stopped reading has ended,")
    live.rig.embedder.gate.set()
    live.until(lambda: not live.rig.service.active_jobs)
    assert live.is_gone(folder / "late.txt")


def test_what_was_begun_while_the_user_stopped_the_reading_is_stopped_too(live: LiveRig, folder: Path) -> None:
    live.rig.embedder.hold()
    (folder / "first job.txt").write_text(f"First. {LONG}")
    assert live.rig.embedder.called.wait(20)
    [stopped] = live.rig.service.active_jobs
    (folder / "second job.txt").write_text(f"Second. {LONG}")
    live.until(lambda: live.happened(ChangeKind.READING, folder / "second job.txt"))
    stopped.cancel()
    (folder / "news.txt").write_text("News wake the thread.")
    live.until(lambda: is_resting(live))
    live.rig.embedder.gate.set()
    live.until(lambda: not live.rig.service.active_jobs)
    assert live.is_gone(folder / "second job.txt", folder / "news.txt")


def test_a_folder_looked_through_while_a_stopped_reading_ends_is_read_and_stays_live(
    live: LiveRig, folder: Path
) -> None:
    paths = stopped_files(live, folder, 3)
    live.folders.rescan(folder)
    live.rig.embedder.gate.set()
    live.until(lambda: live.is_ready(*paths))
    live.until(lambda: not live.rig.service.active_jobs)
    assert live.folders.status()[0].state is FolderState.LIVE


def test_a_single_file_that_was_missed_is_the_same_document_where_it_is_added_again(
    live: LiveRig, tmp_path: Path
) -> None:
    """Footnotes of old answers lead to it by its id."""
    before, after = tmp_path / "single.txt", tmp_path / "found again.txt"
    before.write_text("A single file is about storks.")
    live.folders.add([before])
    live.until(lambda: live.is_ready(before))
    document = live.rig.store.document_by_path(before)
    embedded = live.embedded
    before.rename(after)
    live.folders.rescan()
    live.until(lambda: live.is_offline(before))
    live.folders.add([after])
    live.until(lambda: live.is_ready(after))
    assert [each.id for each in live.rig.store.documents() if each.path == after] == [document and document.id]
    assert live.is_gone(before)
    assert live.embedded == embedded


def test_a_copy_of_a_file_in_a_folder_that_is_away_is_another_document(
    live: LiveRig, folder: Path, tmp_path: Path
) -> None:
    folder.rename(tmp_path / "away")
    live.until(lambda: live.is_offline(folder / "first.txt"))
    copy = tmp_path / "copy.txt"
    copy.write_text(LONG)
    live.folders.add([copy])
    live.until(lambda: live.is_ready(copy))
    assert live.is_offline(folder / "first.txt")
    (tmp_path / "away").rename(folder)
    live.until(lambda: live.is_ready(folder / "first.txt", copy))


def test_what_fails_as_a_whole_is_not_read_again_and_again(live: LiveRig, folder: Path) -> None:
    live.rig.embedder.failure = OSError(errno.ENOSPC, "no room")
    for path in (folder / "one.txt", folder / "two.txt", folder / "three.txt"):
        path.write_text(f"{path.name}. {LONG}")
        live.until(partial(live.happened, ChangeKind.READING, path))
        live.until(lambda: not live.rig.service.active_jobs)
    read = [change.path.name for change in live.changes if change.kind is ChangeKind.READING]
    assert read == ["first.txt", "one.txt", "two.txt", "three.txt"]


def test_one_database_state_for_every_document(live: LiveRig, folder: Path) -> None:
    (folder / "bad.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<<")
    live.until(lambda: live.states().get("bad.pdf") is DocumentState.FAILED)
    (folder / "bad.pdf").unlink()
    live.until(lambda: live.is_gone(folder / "bad.pdf"))
    assert live.rig.store.integrity() == []


@pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")
@pytest.mark.parametrize("seed", [1, 2])
def test_after_a_storm_of_changes_the_library_holds_what_is_on_the_disk(
    live: LiveRig, folder: Path, tmp_path: Path, seed: int
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    live.folders.add([other])
    storm = Storm(seed, [folder, other])
    for number in range(6):
        for _ in range(15):
            storm.step()
        seen = len(live.changes)
        (folder / f"round {number}.txt").write_text(f"Round {number} is over.")
        live.until(lambda: len(live.changes) > seen)  # noqa: B023  called before the next round
    expected = storm.texts()
    live.until(lambda: {Path(each.path): live.text_of(each.path) for each in live.rig.store.documents()} == expected)
    live.until(lambda: live.is_ready(*expected))
    assert live.rig.store.integrity() == []


class Storm:
    """Changes folders at random, faster than anybody can follow."""

    def __init__(self, seed: int, roots: list[Path]) -> None:
        self._random = random.Random(seed)
        self._roots = roots
        self._count = 0

    def texts(self) -> dict[Path, str]:
        return {path: path.read_text() for path in self._files()}

    def step(self) -> None:
        files, folders = self._files(), self._folders()
        change = self._random.choice(("add", "add", "edit", "replace", "rename", "delete", "folder", "move", "remove"))
        if change == "add" or not files:
            self._write(self._new_name(self._random.choice([*self._roots, *folders])))
        elif change == "edit":
            self._write(self._random.choice(files))
        elif change == "replace":
            aside = self._write(self._random.choice(self._roots) / "aside.tmp")
            aside.rename(self._random.choice(files))
        elif change == "rename":
            self._random.choice(files).rename(self._new_name(self._random.choice([*self._roots, *folders])))
        elif change == "delete":
            self._random.choice(files).unlink()
        else:
            self._change_folder(change, folders)

    def _change_folder(self, change: str, folders: list[Path]) -> None:
        self._count += 1
        place = self._random.choice(self._roots) / f"folder {self._count}"
        if change == "folder" or not folders:
            place.mkdir()
            self._write(self._new_name(place))
        elif change == "move":
            self._random.choice(folders).rename(place)
        elif self._random.random() < 0.3:
            shutil.rmtree(self._random.choice(folders))

    def _write(self, path: Path) -> Path:
        self._count += 1
        path.write_text(f"Text number {self._count} was written here.")
        return path

    def _new_name(self, place: Path) -> Path:
        self._count += 1
        return place / f"{self._count}.txt"

    def _files(self) -> list[Path]:
        return sorted(path for root in self._roots for path in root.rglob("*.txt"))

    def _folders(self) -> list[Path]:
        return sorted(path for root in self._roots for path in root.iterdir() if path.is_dir())
