"""Copies of files from archives, for as long as there is room for them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from app.domain.documents import FileStamp

MOST_BYTES = 512 * 1024 * 1024
STALE_SECONDS = 3600.0
_WORK = "unpacking-"
_LONGEST_NAME = 120
# What no file name may hold on one of the systems.
_UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')


class ArchiveCache:
    """Files below ``folder``, each in a folder of its own that is named for the archive, its stamp and the member.

    At most ``most_bytes`` stay; those used longest ago go first. Several processes may share the folder. Thread-safe.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._pinned: Counter[Path] = Counter()

    def path_for(self, archive: Path, stamp: FileStamp, member: str) -> Path:
        """Where the copy of a member is, or would be. Its name is the member's, made fit for every system."""
        identity = f"{archive}\0{stamp.size}\0{stamp.mtime_ns}\0{member}".encode("utf-8", "surrogatepass")
        return self._folder / hashlib.sha256(identity).hexdigest()[:32] / fit_name(PurePosixPath(member).name)

    @contextmanager
    def pinned(self, path: Path) -> Iterator[Path]:
        """Keep the copy at ``path`` while the block runs, and count it as used just now."""
        with self._lock:
            self._pinned[path] += 1
        try:
            with contextlib.suppress(OSError):
                os.utime(path)
            yield path
        finally:
            with self._lock:
                self._pinned[path] -= 1
                if not self._pinned[path]:
                    del self._pinned[path]

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """An empty folder on the same disk, removed at the end of the block."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=_WORK, dir=self._folder))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def take_in(self, files: Mapping[Path, Path]) -> None:
        """Move unpacked files (values) to their places (keys), and make room by dropping older ones."""
        for place, file in files.items():
            place.parent.mkdir(mode=0o700, exist_ok=True)
            file.replace(place)
        self._make_room(keep=frozenset(files))

    def _make_room(self, keep: frozenset[Path]) -> None:
        copies = sorted(self._copies())
        total = sum(size for _, size, _ in copies)
        for _, size, path in copies:
            if total <= self._most_bytes:
                return
            with self._lock:
                if path in keep or path in self._pinned:
                    continue
                # Where a viewer holds the file open the system may refuse; it goes the next time.
                with contextlib.suppress(OSError):
                    path.unlink()
                    path.parent.rmdir()
                    total -= size

    def _copies(self) -> Iterator[tuple[float, int, Path]]:
        """Last use, size in bytes and place of every copy. What a killed process left half unpacked is removed."""
        for entry in self._folder.iterdir():
            if entry.name.startswith(_WORK):
                with contextlib.suppress(OSError):
                    if entry.stat().st_mtime < time.time() - STALE_SECONDS:
                        shutil.rmtree(entry, ignore_errors=True)
                continue
            with contextlib.suppress(OSError):  # another process may be making room too
                for file in entry.iterdir():
                    information = file.stat()
                    yield information.st_mtime, information.st_size, file


def fit_name(name: str) -> str:
    """``name`` as a file name that every system takes; its extension stays."""
    cleaned = _UNFIT.sub("_", name.encode("utf-8", "replace").decode()).strip(" .") or "_"
    path = PurePosixPath(cleaned)
    suffix = path.suffix[:20]
    return path.name.removesuffix(path.suffix)[: _LONGEST_NAME - len(suffix)] + suffix
