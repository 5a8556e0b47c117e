"""Folders that are hostile, odd or taken away: nothing outside comes in, nothing is lost, nothing crashes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.domain.documents import DocumentState
from app.domain.folders import FolderState
from app.services.discovery import FileDiscovery, FoundFile
from app.services.folder_scanner import FolderScanner
from app.services.folder_watcher import FolderWatcher
from app.services.ignore_rules import ScanRules
from app.services.mount_table import file_system_type, folder_identity, has_no_events
from tests.services.live.live_rig import LiveRig
from tests.services.live.privileges import bound_by_permissions

LINUX = sys.platform.startswith("linux")


@contextmanager
def mounted_tmpfs(place: Path) -> Iterator[None]:
    """A small file system mounted at ``place``; skips where that is not allowed."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "footnote-test", place], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("mounting needs root")
    try:
        yield
    finally:
        unmount(place)


def bind(source: Path, place: Path) -> None:
    subprocess.run(["mount", "--bind", source, place], check=True)


def unmount(place: Path) -> None:
    """Take a mount away; it may fail while other mounts come and go, so that it is tried again."""
    for _ in range(20):
        if not place.is_mount():
            return
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
    raise AssertionError(f"{place} is still mounted")


@pytest.fixture
def discovery() -> FileDiscovery:
    return FileDiscovery(lambda path: path.suffix in {".txt", ".md", ".json", ".pem"})


def names(discovery: FileDiscovery, folder: Path) -> set[str]:
    return {str(found.path.relative_to(folder)) for found in discovery.find([folder]) if isinstance(found, FoundFile)}


# -- what is taken away ------------------------------------------------------------------------------------------------


@pytest.mark.requirement("R12")
@pytest.mark.skipif(not LINUX, reason="mounts as on Linux")
def test_an_unmounted_drive_takes_its_documents_offline_and_back(
    make_live: Callable[..., LiveRig], tmp_path: Path
) -> None:
    place = tmp_path / "drive"
    drive = tmp_path / "contents"
    place.mkdir()
    drive.mkdir()
    with mounted_tmpfs(drive):
        (drive / "a.txt").write_text("Herons nest in the old oak.")
        bind(drive, place)
        live = make_live()
        try:
            live.folders.start()
            live.folders.add([place])
            live.until(lambda: live.is_ready(place / "a.txt"))
            embedded = live.embedded
            unmount(place)
            live.until(lambda: live.is_offline(place / "a.txt") and state_of(live) is FolderState.OFFLINE)
            assert live.rig.store.chunk_count() == 1
            bind(drive, place)
            live.until(lambda: live.is_ready(place / "a.txt") and state_of(live) is FolderState.LIVE)
            assert live.embedded == embedded
            (place / "b.txt").write_text("Newts live in the pond.")
            live.until(lambda: live.is_ready(place / "b.txt"))
        finally:
            live.folders.close()
            unmount(place)


@pytest.mark.requirement("R12")
@pytest.mark.skipif(not LINUX, reason="mounts as on Linux")
def test_a_drive_mounted_inside_a_followed_folder_is_told_from_deleted_files(
    make_live: Callable[..., LiveRig], folder: Path
) -> None:
    place = folder / "stick"
    place.mkdir()
    (folder / "here.txt").write_text("This one is on the main drive.")
    with mounted_tmpfs(place):
        (place / "a.txt").write_text("Herons nest in the old oak.")
        live = make_live()
        live.folders.start()
        live.folders.add([folder])
        live.until(lambda: live.is_ready(place / "a.txt", folder / "here.txt"))
        unmount(place)
        live.until(lambda: live.is_offline(place / "a.txt"))
        place.rmdir()
        live.folders.catch_up([folder])
        assert live.is_offline(place / "a.txt")
        assert live.is_ready(folder / "here.txt")
        place.mkdir()
        live.folders.close()


def state_of(live: LiveRig) -> FolderState:
    return live.folders.status()[0].state


@pytest.mark.requirement("R12")
@pytest.mark.parametrize("inside", ["", "sub"])
def test_a_folder_without_permission_takes_its_documents_offline_and_back(
    make_live: Callable[..., LiveRig], folder: Path, inside: str
) -> None:
    closed = folder / inside
    closed.mkdir(exist_ok=True)
    path = closed / "a.txt"
    path.write_text("Herons nest in the old oak.")
    with bound_by_permissions():
        live = make_live()
        live.folders.start()
        live.folders.add([folder])
        live.until(lambda: live.is_ready(path))
        embedded = live.embedded
        try:
            closed.chmod(0)
            live.until(lambda: live.is_offline(path))
        finally:
            closed.chmod(0o700)
        live.until(lambda: live.is_ready(path))
        assert live.embedded == embedded
        (closed / "b.txt").write_text("Newts live in the pond.")
        live.until(lambda: live.is_ready(closed / "b.txt"))
        live.folders.close()


@pytest.mark.requirement("R13")
def test_a_file_that_may_be_read_again_is_tried_again(make_live: Callable[..., LiveRig], folder: Path) -> None:
    path = folder / "a.txt"
    path.write_text("Herons nest in the old oak.")
    with bound_by_permissions():
        path.chmod(0)
        live = make_live()
        live.folders.start()
        live.folders.add([folder])
        live.until(lambda: live.states().get("a.txt") is DocumentState.FAILED)
        path.chmod(0o600)
        live.until(lambda: live.is_ready(path))
        live.folders.close()


# -- what must not come in ---------------------------------------------------------------------------------------------


def test_a_hostile_tree_brings_in_only_its_own_plain_files(discovery: FileDiscovery, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "plain.txt").write_text("x")
    (folder / "sub" / "deep.txt").write_text("x")
    (folder / "loop").symlink_to(folder)
    (folder / "sub" / "up").symlink_to("..")
    (folder / "out").symlink_to(outside)
    (folder / "out.txt").symlink_to(outside / "secret.txt")
    (folder / "zero.txt").symlink_to("/dev/zero")
    (folder / "broken.txt").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.txt")
    os.mkfifo(folder / ".footnoteignore")  # must not be waited for
    assert names(discovery, folder) == {"plain.txt", "sub/deep.txt"}


@pytest.mark.parametrize(
    "name",
    ["id_rsa", "id_ed25519.txt", "server.pem", ".env", "prod.env", ".ssh/config.txt", "credentials.json", "a.kdbx"],
)
def test_keys_are_left_out_of_folders_even_where_hidden_files_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----")
    (tmp_path / ".notes.txt").write_text("x")
    scanner = FolderScanner(lambda _path: True, lambda: ScanRules(hidden_files=True))
    assert list(scanner.scan(tmp_path).files) == [str(tmp_path / ".notes.txt")]


def test_a_key_that_the_user_names_is_read(discovery: FileDiscovery, tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_text("x")
    assert [found.path for found in discovery.find([tmp_path / "server.pem"])] == [tmp_path / "server.pem"]


def test_ignore_files_count_for_their_folder_and_can_be_taken_back_below(
    discovery: FileDiscovery, tmp_path: Path
) -> None:
    for name in ("a.txt", "a.md", "keep.md", "sub/b.txt", "sub/b.md", "sub/deep/c.txt", "build/d.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".footnoteignore").write_text("# notes\n*.md\n!keep.md\n/build/\n!\n")
    (tmp_path / "sub" / ".footnoteignore").write_text("!b.md\ndeep\n")
    assert names(discovery, tmp_path) == {"a.txt", "keep.md", "sub/b.txt", "sub/b.md"}


def test_large_files_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_bytes(b"x" * 10)
    (tmp_path / "large.txt").write_bytes(b"x" * 11)
    scan = FolderScanner(lambda _path: True, lambda: ScanRules(largest_bytes=10)).scan(tmp_path)
    assert list(scan.files) == [str(tmp_path / "small.txt")]
    assert scan.passed_over == {"too large": 1}


@pytest.mark.skipif(not LINUX, reason="mounts as on Linux")
def test_one_drive_only_means_one_drive_only(tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    (tmp_path / "here.txt").write_text("x")
    with mounted_tmpfs(tmp_path / "stick"):
        (tmp_path / "stick" / "there.txt").write_text("x")
        both = FolderScanner(lambda _path: True).scan(tmp_path)
        one = FolderScanner(lambda _path: True, lambda: ScanRules(one_file_system=True)).scan(tmp_path)
    assert {Path(path).name for path in both.files} == {"here.txt", "there.txt"}
    assert both.mounts == [str(tmp_path / "stick")]
    assert {Path(path).name for path in one.files} == {"here.txt"}


# -- what is odd -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("R13")
def test_odd_names_and_deep_paths_are_found_and_followed(make_live: Callable[..., LiveRig], folder: Path) -> None:
    deep = folder.joinpath(*["a" * 60] * 6)
    deep.mkdir(parents=True)
    paths = [folder / "two\nlines.txt", folder / os.fsdecode(b"not \xff unicode.txt"), deep / ("n" * 200 + ".txt")]
    assert len(str(paths[2])) > 500
    live = make_live()
    live.folders.start()
    live.folders.add([folder])
    for path in paths:
        path.write_text(f"This is the text of {path.name!r}.")
    live.until(lambda: live.is_ready(*paths))
    moved = folder / os.fsdecode(b"moved \xfe.txt")
    paths[1].rename(moved)
    live.until(lambda: live.is_ready(moved) and live.is_gone(paths[1]))
    for path in (paths[0], moved, paths[2]):
        path.unlink()
    live.until(lambda: live.is_gone(paths[0], moved, paths[2]))


@pytest.mark.requirement("R13")
def test_a_tree_of_a_hundred_thousand_files_is_counted_before_it_is_read(tmp_path: Path) -> None:
    for number in range(100):
        folder = tmp_path / "tree" / f"{number}"
        folder.mkdir(parents=True)
        (folder / "0.txt").write_text("x")
        for name in range(1, 1000):
            os.link(folder / "0.txt", folder / f"{name}.txt")  # a link takes no time to write
    preview = FileDiscovery(lambda path: path.suffix == ".txt").preview([tmp_path / "tree"])
    assert (preview.files, preview.size) == (100_000, 100_000)


@pytest.mark.skipif(not LINUX, reason="the queue of events as on Linux")
def test_lost_events_are_told(folder: Path) -> None:
    lost = threading.Event()
    watcher = FolderWatcher(lambda _path: None, lost.set, lambda _path: None)
    # In turn, as equal events become one; in a process of its own, which is faster than the reader.
    flood = "import os\nwhile True:\n os.utime('one')\n os.utime('two')"
    for name in ("one", "two"):
        (folder / name).touch()
    watcher.watch(folder)
    flooding = subprocess.Popen([sys.executable, "-c", flood], cwd=folder)
    try:
        assert lost.wait(20)
    finally:
        flooding.kill()
        flooding.wait()
        watcher.close()


@pytest.mark.skipif(not LINUX, reason="the table of mounts as on Linux")
def test_network_shares_are_known_by_the_table_of_mounts(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "30 22 0:40 / /mnt/with\\040space rw - nfs4 server:/export rw\n"
        "31 22 0:41 / /mnt/ssh rw - fuse.sshfs me@server: rw\n"
    )
    assert file_system_type(Path("/mnt/with space/papers"), table) == "nfs4"
    assert has_no_events(Path("/mnt/with space"), table)
    assert has_no_events(Path("/mnt/ssh/a/b"), table)
    assert not has_no_events(Path("/mnt/sshd"), table)
    assert not has_no_events(Path("/home"), tmp_path / "nowhere")


def test_a_folder_made_anew_at_the_same_path_is_another_one(tmp_path: Path) -> None:
    folder, aside = tmp_path / "folder", tmp_path / "aside"
    folder.mkdir()
    before = folder_identity(folder)
    folder.rename(aside)
    assert folder_identity(aside) == before
    folder.mkdir()
    assert folder_identity(folder) != before


LIMITED = """
import sys, threading
from pathlib import Path
from app.services.folder_watcher import FolderWatcher, WatchLimitError

Path("/proc/sys/user/max_inotify_watches").write_text("3")
root, limited = Path(sys.argv[1]), threading.Event()
watcher = FolderWatcher(lambda path: None, lambda: None, lambda path: limited.set())
watcher.watch(root / "small")
watcher.watch(root / "large")
print("told" if limited.wait(10) else "not told")
try:
    watcher.watch(root / "third")
    print("watched")
except WatchLimitError as error:
    print(error)
watcher.close()
"""


@pytest.mark.skipif(not LINUX, reason="limits as on Linux")
def test_too_many_folders_for_the_system_are_told(tmp_path: Path) -> None:
    for name in ("small", "third", "large/1", "large/2", "large/3"):
        (tmp_path / name).mkdir(parents=True)
    apart = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode:
        pytest.skip("limits of our own need a user namespace")
    told = subprocess.run(
        [*apart, sys.executable, "-c", LIMITED, tmp_path], capture_output=True, text=True, check=False, timeout=60
    )
    assert told.stdout.startswith("told\n"), told.stderr
    assert "The system can't watch more folders" in told.stdout


POLLED = """
import sys, threading
from pathlib import Path
from app.domain.cancellation import CancelToken
from app.services.discovery import FileDiscovery
from app.services.folder_scanner import FolderScanner
from app.services.live_folders import LiveFolders
from app.storage.library_store import LibraryStore, open_library
from tests.services.live.live_rig import DefaultSettings

class Job:
    ended, failure, token = False, None, CancelToken()

class Ingest:
    active_jobs = []
    def subscribe(self, listener): return lambda: None
    def add(self, paths, *, priority=0):
        print("read", *[path.name for path in paths])
        read.set()
        return Job()

Path("/proc/sys/user/max_inotify_instances").write_text("0")
root, read, polling = Path(sys.argv[1]), threading.Event(), threading.Event()
database = open_library(root.parent / "library.db")
store, supported = LibraryStore(database), lambda path: path.suffix == ".txt"
scanner = FolderScanner(supported)
folders = LiveFolders(store, scanner, FileDiscovery(supported, scanner), Ingest, DefaultSettings(), lambda: None)
folders.subscribe(lambda change: polling.set())
store.add_folder(root)
folders.start()
print("polling" if polling.wait(20) else "never told", folders.status()[0].state)
read.wait(20)
read.clear()
(root / "new.txt").write_text("x")
read.wait(20)
folders.close()
database.close()
"""


@pytest.mark.skipif(not LINUX, reason="limits as on Linux")
def test_a_folder_without_events_is_looked_through_again_and_again(folder: Path) -> None:
    apart = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode:
        pytest.skip("limits of our own need a user namespace")
    (folder / "old.txt").write_text("x")
    told = subprocess.run(
        [*apart, sys.executable, "-c", POLLED, folder], capture_output=True, text=True, check=False, timeout=60
    )
    assert told.stdout.splitlines()[:2] == ["polling polling", "read old.txt"], told.stderr
    assert "new.txt" in told.stdout.splitlines()[2]
