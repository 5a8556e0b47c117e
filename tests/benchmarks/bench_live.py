"""Live folders: seconds from a change on the disk to the search, embeddings it costs, and a look at 10,000 files.

Everything is real: the model, the parser processes, both indexes, the events of the system. The clock starts before the
change and ends when a search shows it. The plain look is os.walk with a stat a file, which compares nothing.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.bootstrap import Services, open_services
from app.domain.documents import DocumentState, FileStamp
from app.domain.passages import Passage, SearchMode
from tests.benchmarks.report import Report
from tests.services.live.privileges import bound_by_permissions

GOAL_SECONDS = 3.0
LONGEST_SECONDS = 30.0
LOOK_SECONDS = 0.02
FILES, FOLDERS, LOOKS = 10_000, 100, 5
RESCAN_GOAL_SECONDS = 1.5
TOPICS = ("orchard", "harbour", "library", "railway", "glacier", "theatre", "vineyard", "quarry")


def run(report: Report) -> None:
    """Every kind of change, then the look at files that did not change."""
    with tempfile.TemporaryDirectory() as name, bound_by_permissions():
        home = Path(name)
        with open_services(os.environ | {"FOOTNOTE_HOME": str(home / "home")}, writer=True) as services:
            _Changes(report, services, home / "documents").run()
        with open_services(os.environ | {"FOOTNOTE_HOME": str(home / "home")}, writer=True) as services:
            _rescan(report, services, home)


@dataclass
class _Changes:
    """A followed folder that is changed in every way, one change after the other."""

    report: Report
    services: Services
    folder: Path

    def run(self) -> None:
        """All changes."""
        self.folder.mkdir()
        for topic in TOPICS:
            (self.folder / f"{topic}.txt").write_text(_text(topic))
        self.services.folders.start()
        job = self.services.folders.add([self.folder])
        assert job.wait(120)
        self._until(lambda: all(self._finds(topic, self.folder / f"{topic}.txt") for topic in TOPICS))
        self._files()
        self._folders()
        self._roots()

    def _files(self) -> None:
        folder = self.folder
        new, orchard, moved = folder / "new.txt", folder / "orchard.txt", folder / "moved.txt"
        self._measure("add a file", lambda: new.write_text("Kingfishers nest by the weir."), "kingfishers", new)
        self._measure(
            "edit a file of 12 passages",
            lambda: orchard.write_text(_text("orchard").replace("number 5 ", "number 5 about marmots ")),
            "marmots",
            orchard,
        )
        self._measure("append to a file", lambda: _append(orchard, "\n\nDormice sleep long."), "dormice", orchard)
        self._measure("replace a file atomically", lambda: _replace(new, "Sandpipers run."), "sandpipers", new)
        self._measure("rename a file", lambda: new.rename(moved), "sandpipers", moved, gone=new)
        self._measure("delete a file", moved.unlink, "sandpipers", gone=moved)

    def _folders(self) -> None:
        one, two = self.folder / "one", self.folder / "two"
        other = self.folder.parent / "other"
        other.mkdir()
        self.services.folders.add([other])
        one.mkdir()
        for number in range(50):
            (one / f"{number}.txt").write_text(f"Lapwings of field {number} were counted in May. Ringed: {number * 7}.")
        self._until(lambda: all(self._known(one / f"{number}.txt") for number in range(50)))
        self._measure("rename a folder of 50 files", lambda: one.rename(two), "lapwings", two / "7.txt", gone=one)
        self._measure(
            "move a folder of 50 files between followed folders",
            lambda: two.rename(other / "two"),
            "lapwings",
            other / "two" / "7.txt",
            gone=two,
        )
        self._measure(
            "delete a folder of 50 files", lambda: shutil.rmtree(other / "two"), "lapwings", gone=other / "two"
        )

    def _roots(self) -> None:
        away = self.folder.with_name("away")
        harbour = self.folder / "harbour.txt"
        self._measure(
            "rename the followed folder away: offline",
            lambda: self.folder.rename(away),
            until=lambda: self._state(harbour) is DocumentState.OFFLINE,
        )
        self._measure(
            "and back: ready",
            lambda: away.rename(self.folder),
            until=lambda: self._state(harbour) is DocumentState.READY,
        )
        self._measure(
            "take the permission away: offline",
            lambda: self.folder.chmod(0),
            until=lambda: self._state(harbour) is DocumentState.OFFLINE,
        )
        self._measure(
            "give it back: ready",
            lambda: self.folder.chmod(0o700),
            until=lambda: self._state(harbour) is DocumentState.READY,
        )

    def _measure(
        self,
        what: str,
        change: Callable[[], object],
        word: str = "",
        path: Path | None = None,
        *,
        gone: Path | None = None,
        until: Callable[[], bool] | None = None,
    ) -> None:
        """Time a change until the search shows ``word`` in ``path``, and nothing below ``gone``."""
        before, began = self._embedded(), time.perf_counter()
        change()
        self._until(until or (lambda: self._shows(word, path, gone)))
        seconds = time.perf_counter() - began
        self.report.figure(f"{what}, until searches know", seconds, "s", goal=GOAL_SECONDS, higher_is_better=False)
        self.report.figure(f"{what}, embeddings", len(self._embedded() - before), "passages")

    def _shows(self, word: str, path: Path | None, gone: Path | None) -> bool:
        paths = {passage.path for passage in self._search(word)}
        without = gone is None or not any(gone in (each, *each.parents) for each in paths)
        return without and (path is None or path in paths)

    def _finds(self, word: str, path: Path) -> bool:
        return path in {passage.path for passage in self._search(word)}

    def _search(self, word: str) -> list[Passage]:
        return self.services.library.search(word, k=60, mode=SearchMode.KEYWORD)

    def _known(self, path: Path) -> bool:
        return self._state(path) is DocumentState.READY

    def _state(self, path: Path) -> DocumentState | None:
        return next((each.state for each in self.services.library.documents() if each.path == path), None)

    def _embedded(self) -> set[int]:
        """The passages that have a vector; their numbers are never used twice."""
        with _database(self.services) as connection:
            return {row[0] for row in connection.execute("SELECT chunk_id FROM vectors")}

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("a change was not noticed")
            time.sleep(LOOK_SECONDS)


def _rescan(report: Report, services: Services, home: Path) -> None:
    """Look through 10,000 files of which none has changed."""
    folder = home / "many"
    paths = _make_files(folder)
    services.folders.register([folder])
    _note_as_read(services, paths)
    services.folders.rescan(folder)  # the first look also notes which inode each file has
    ours, plain = [], []
    for _ in range(LOOKS):
        began = time.perf_counter()
        job = services.folders.rescan(folder)
        ours.append(time.perf_counter() - began)
        assert job is None, "unchanged files were read"
        began = time.perf_counter()
        assert _plain_look(folder) == FILES
        plain.append(time.perf_counter() - began)
    report.figure(
        f"look at {FILES:,} unchanged files",
        statistics.median(ours),
        "s",
        baseline=statistics.median(plain),
        goal=RESCAN_GOAL_SECONDS,
        higher_is_better=False,
    )


def _make_files(folder: Path) -> list[Path]:
    paths = []
    for number in range(FILES):
        path = folder / f"folder {number % FOLDERS}" / f"file {number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"File {number}.")
        paths.append(path)
    return paths


def _note_as_read(services: Services, paths: list[Path]) -> None:
    """Put the files into the library as if they had been read: what they hold plays no part here."""
    stamps = [FileStamp(path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    with _database(services) as connection:
        connection.executemany(
            "INSERT INTO documents (path, title, media_type, size, mtime_ns, content_hash, state, message, "
            "chunk_count, metadata, priority, attempts, added_at, queued_at, updated_at) "
            "VALUES (?, ?, 'text/plain', ?, ?, 'x', 'ready', '', 0, '', 0, 0, 0, 0, 0)",
            [(str(path), path.name, stamp.size, stamp.mtime_ns) for path, stamp in zip(paths, stamps, strict=True)],
        )


def _plain_look(folder: Path) -> int:
    count = 0
    for base, _, names in os.walk(folder):
        for name in names:
            os.stat(os.path.join(base, name))  # noqa: PTH116, PTH118  what is measured is the plain way
            count += 1
    return count


@contextmanager
def _database(services: Services) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(services.paths.library_db, timeout=30)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def _text(topic: str) -> str:
    return "\n\n".join(
        f"Note number {number} on the {topic}. " + f"It has item {number * 7}. " * 30 for number in range(12)
    )


def _append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def _replace(path: Path, text: str) -> None:
    aside = path.with_suffix(".tmp")
    aside.write_text(text)
    aside.rename(path)
