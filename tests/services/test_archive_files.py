"""Archives in the library: their files are found, read, shown, renewed and removed like files in a folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.domain.documents import DocumentState
from app.domain.errors import DocumentError, FailureReason
from app.domain.ingestion import FileOutcome, IngestSummary
from app.loaders.archive_names import is_archive
from app.loaders.parser_pool import ParserPool
from app.loaders.registry import Registry, loaders
from app.retrieval.text_splitter import TextSplitter
from app.services.archive_cache import ArchiveCache, fit_name
from app.services.archive_files import ArchiveFiles
from app.services.discovery import FileDiscovery
from app.services.ingest_job import IngestEvent
from app.services.ingest_service import IngestService
from app.services.library_service import LibraryService
from app.storage.library_store import LibraryStore, open_library
from tests.loaders.archive_samples import mark_encrypted, write_7z, write_archive, write_zip, zip_bytes
from tests.loaders.pdf_writer import Page, Run, write_pdf
from tests.services.conftest import HashEmbedder


@dataclass
class ArchiveRig:
    """An ingest service that looks into archives, and what it works on."""

    store: LibraryStore
    embedder: HashEmbedder
    files: ArchiveFiles
    service: IngestService
    library: LibraryService
    cache: Path
    events: list[IngestEvent] = field(default_factory=list)

    def ingest(self, *paths: Path) -> IngestSummary:
        self.events.clear()
        self.embedder.embedded.clear()
        job = self.service.add(list(paths))
        assert job.wait(60), "the ingestion did not end"
        return job.summary

    @property
    def states(self) -> dict[str, DocumentState | FailureReason]:
        """By path below the archives' folder: the state, or why it failed."""
        return {
            "/".join(record.path.parts[record.path.parts.index("documents") + 1 :]): record.reason or record.state
            for record in self.store.documents()
        }

    def outcome(self, path: Path) -> FileOutcome:
        return next(each for each in self.events if isinstance(each, FileOutcome) and each.path == path)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return loaders()


@pytest.fixture
def make(tmp_path: Path, parser_pool: ParserPool, registry: Registry) -> Iterator[Callable[..., ArchiveRig]]:
    rigs: list[ArchiveRig] = []

    def supported(path: Path) -> bool:
        return registry.loader_for(path) is not None

    def build(most_bytes: int = 1 << 29) -> ArchiveRig:
        store = LibraryStore(open_library(tmp_path / "library.db"))
        embedder = HashEmbedder()
        cache = ArchiveCache(tmp_path / "cache", most_bytes)
        files = ArchiveFiles(store, lambda: parser_pool, cache, supported, lambda: None, may_write=True)
        discovery = FileDiscovery(supported, is_archive=is_archive, list_archive=files.members)
        splitter = TextSplitter(embedder.count_tokens, max_tokens=embedder.max_tokens, target_tokens=60)
        service = IngestService(
            store, parser_pool, discovery, lambda: splitter, lambda: embedder, lambda: None, files=files
        )
        service.subscribe(files.watch)

        def no_search() -> None:
            raise AssertionError("nothing is searched here")

        library = LibraryService(store, no_search, frozenset, lambda: None, files)  # type: ignore[arg-type]  # never called
        rig = ArchiveRig(store, embedder, files, service, library, tmp_path / "cache")
        service.subscribe(rig.events.append)
        rigs.append(rig)
        return rig

    yield build
    for rig in rigs:
        rig.service.close()


@pytest.fixture
def rig(make: Callable[..., ArchiveRig]) -> ArchiveRig:
    return make()


READY = DocumentState.READY


@pytest.mark.parametrize("kind", ["a.zip", "a.7z", "a.tgz"])
def test_files_in_an_archive_become_documents_below_it(rig: ArchiveRig, folder: Path, kind: str) -> None:
    inner = zip_bytes({"deep.txt": b"The owl sleeps by day."})
    contents = {
        "x/a.txt": b"The moor frog turns blue.",
        "b.md": b"# Newts\n\nNewts swim.",
        "in.zip": inner,
        "t.exe": b"MZ",
    }
    archive = write_archive(folder / kind, contents)
    summary = rig.ingest(folder)
    assert rig.states == {
        kind: READY,
        f"{kind}/x/a.txt": READY,
        f"{kind}/b.md": READY,
        f"{kind}/in.zip": READY,
        f"{kind}/in.zip/deep.txt": READY,
    }
    assert (summary.documents, summary.failed) == (5, 0)
    record = rig.store.document_by_path(archive / "in.zip" / "deep.txt")
    assert record is not None
    assert rig.store.document_text(record.id) == "The owl sleeps by day."


def test_an_unchanged_archive_costs_nothing_and_a_touched_one_no_embedding(rig: ArchiveRig, folder: Path) -> None:
    archive = write_zip(folder / "a.zip", {"a.txt": b"One.", "b.txt": b"Two."})
    rig.ingest(archive)
    assert rig.ingest(archive).skipped == 3
    os.utime(archive, ns=(1, 1))
    assert rig.ingest(archive).skipped == 3
    assert rig.embedder.embedded == []


def test_only_what_changed_in_an_archive_is_embedded_again(rig: ArchiveRig, folder: Path) -> None:
    archive = write_zip(folder / "a.zip", {"a.txt": b"One.", "b.txt": b"Two.", "gone.txt": b"Three."})
    rig.ingest(archive)
    write_zip(archive, {"a.txt": b"One.", "b.txt": b"Two and a half.", "new.txt": b"Four."})
    rig.ingest(archive)
    texts = [text.rpartition("\n")[2] for text in rig.embedder.embedded]
    assert sorted(text for text in texts if "txt" not in text) == ["Four.", "Two and a half."]
    assert set(rig.states) == {"a.zip", "a.zip/a.txt", "a.zip/b.txt", "a.zip/new.txt"}


def test_a_file_that_got_another_name_in_its_archive_is_known_again(rig: ArchiveRig, folder: Path) -> None:
    archive = write_zip(folder / "a.zip", {"old.txt": b"The same words."})
    rig.ingest(archive)
    known = rig.store.document_by_path(archive / "old.txt")
    write_zip(archive, {"new/name.txt": b"The same words."})
    rig.ingest(archive)
    moved = rig.store.document_by_path(archive / "new" / "name.txt")
    assert known is not None
    assert moved is not None
    assert moved.id == known.id
    assert not any("same words" in text for text in rig.embedder.embedded)


def test_a_copy_beside_the_archive_does_not_take_its_document(rig: ArchiveRig, folder: Path) -> None:
    archive = write_zip(folder / "a.zip", {"a.txt": b"The same words."})
    rig.ingest(archive)
    (folder / "a.txt").write_bytes(b"The same words.")
    rig.ingest(folder)
    assert rig.states == {"a.zip": READY, "a.zip/a.txt": READY, "a.txt": READY}


def test_a_pdf_in_an_archive_has_the_same_boxes_as_outside(rig: ArchiveRig, folder: Path) -> None:
    plain = write_pdf(folder / "plain.pdf", [Page([Run(72, 700, "The heron waits by the water.")])])
    archive = write_zip(folder / "a.zip", {"in/report.pdf": plain.read_bytes()})
    rig.ingest(folder)
    boxes = []
    for path in (plain, archive / "in" / "report.pdf"):
        record = rig.store.document_by_path(path)
        assert record is not None
        start = rig.store.document_text(record.id).index("heron")
        boxes.append(rig.library.boxes(record.id, start, start + 5))
        view = rig.library.source(record.id)
    assert boxes[0] == boxes[1]
    assert boxes[0][0] == 1
    assert len(boxes[0][1]) == 1
    assert not view.changed
    assert view.file is not None
    assert view.file.name == "report.pdf"
    assert view.file.read_bytes() == plain.read_bytes()


def test_an_archive_that_is_gone_leaves_its_text_and_says_changed(rig: ArchiveRig, folder: Path) -> None:
    archive = write_zip(folder / "a.zip", {"a.txt": b"One."})
    rig.ingest(archive)
    record = rig.store.document_by_path(archive / "a.txt")
    assert record is not None
    archive.unlink()
    view = rig.library.source(record.id)
    assert (view.changed, view.file, view.text) == (True, None, "One.")


def test_removing_an_archive_removes_what_is_in_it(rig: ArchiveRig, folder: Path) -> None:
    archive = write_zip(folder / "a.zip", {"a.txt": b"One.", "in.zip": zip_bytes({"b.txt": b"Two."})})
    (folder / "a.zipper.txt").write_text("Not in it.")
    rig.ingest(folder)
    record = rig.store.document_by_path(archive)
    assert record is not None
    assert len(rig.library.remove(record.id)) == 4
    assert rig.states == {"a.zipper.txt": READY}
    assert archive.exists()


def test_archives_that_cannot_be_opened_fail_with_the_reason(rig: ArchiveRig, folder: Path) -> None:
    mark_encrypted(write_zip(folder / "locked.zip", {"a.txt": b"1"}))
    write_7z(folder / "locked.7z", {"a.txt": b"1"}, "secret")
    write_zip(folder / "bomb.zip", {"z.txt": bytes(40_000_000)})
    (folder / "torn.zip").write_bytes(write_zip(folder / "whole.zip", {"a.txt": b"1" * 999}).read_bytes()[:80])
    write_zip(folder / "many.zip", {f"{number}.txt": b"" for number in range(10_000)}, packed=False)
    mark_encrypted(write_zip(folder / "half.zip", {"open.txt": b"Read me.", "shut.txt": b"2"}), "shut.txt")
    rig.ingest(folder)
    assert rig.states == {
        "locked.zip": FailureReason.ENCRYPTED,
        "locked.7z": FailureReason.ENCRYPTED,
        "bomb.zip": FailureReason.TOO_LARGE,
        "torn.zip": FailureReason.DAMAGED,
        "many.zip": FailureReason.TOO_LARGE,
        "half.zip": READY,
        "half.zip/open.txt": READY,
        "half.zip/shut.txt": FailureReason.ENCRYPTED,
        "whole.zip": READY,
        "whole.zip/a.txt": READY,
    }
    assert "“shut.txt” is protected by a password inside its archive" in rig.outcome(folder / "half.zip/shut.txt").error


def test_a_damaged_archive_keeps_what_was_read_before(rig: ArchiveRig, folder: Path) -> None:
    archive = write_zip(folder / "a.zip", {"a.txt": b"One."})
    rig.ingest(archive)
    archive.write_bytes(b"PK\x03\x04 torn")
    rig.ingest(archive)
    assert rig.states == {"a.zip": FailureReason.DAMAGED, "a.zip/a.txt": READY}


def test_a_refused_archive_is_not_read_again_until_it_changes(tmp_path: Path, folder: Path) -> None:
    class CountingPerformer:
        asked = 0

        def perform(self, *_arguments: object) -> object:
            self.asked += 1
            raise DocumentError(FailureReason.DAMAGED, "damaged")

    performer = CountingPerformer()
    store = LibraryStore(open_library(tmp_path / "library.db"))
    cache = ArchiveCache(tmp_path / "cache")
    files = ArchiveFiles(store, lambda: performer, cache, lambda _: True, lambda: None, may_write=True)
    archive = folder / "a.zip"
    archive.write_bytes(b"torn")
    for _ in range(3):
        with pytest.raises(DocumentError, match="damaged"):
            files.members(archive)
    assert performer.asked == 1
    archive.write_bytes(b"torn anew")
    with pytest.raises(DocumentError):
        files.members(archive)
    assert performer.asked == 2


def test_only_so_many_copies_are_kept(make: Callable[..., ArchiveRig], folder: Path) -> None:
    rig = make(most_bytes=2_500)
    archives = [write_zip(folder / f"{number}.zip", {"a.txt": f"{number} ".encode() * 500}) for number in range(6)]
    rig.ingest(*archives)
    kept = [path for path in rig.cache.rglob("*") if path.is_file()]
    assert 0 < sum(path.stat().st_size for path in kept) <= 2_500
    for number, archive in enumerate(archives):
        with rig.files.opened(archive / "a.txt") as copy:
            assert copy.read_text().startswith(f"{number} ")


def test_a_copy_in_use_is_not_dropped(make: Callable[..., ArchiveRig], folder: Path) -> None:
    rig = make(most_bytes=1_000)
    one, two = (write_zip(folder / f"{name}.zip", {"a.txt": name.encode() * 900}) for name in ("1", "2"))
    with rig.files.opened(one / "a.txt") as held:
        with rig.files.opened(two / "a.txt"):
            pass
        assert held.is_file()


def test_threads_that_want_the_same_copy_get_it(rig: ArchiveRig, folder: Path) -> None:
    archive = write_7z(folder / "a.7z", {f"{number}.txt": str(number).encode() for number in range(20)})
    found: list[str] = []

    def read(number: int) -> None:
        with rig.files.opened(archive / f"{number}.txt") as copy:
            found.append(copy.read_text())

    threads = [threading.Thread(target=read, args=(number % 20,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found, key=int) == [str(number // 2) for number in range(40)]


def test_a_name_that_is_not_in_the_archive_is_not_found(rig: ArchiveRig, folder: Path) -> None:
    archive = write_zip(folder / "a.zip", {"a.txt": b"1"})
    assert rig.files.stamp(archive / "b.txt") is None
    with pytest.raises(DocumentError) as caught, rig.files.opened(archive / "b.txt"):
        pass
    assert caught.value.reason is FailureReason.NOT_FOUND


@pytest.mark.parametrize(
    ("name", "fit"),
    [("a:b?.txt", "a_b_.txt"), ("..", "_"), ("x" * 300 + ".pdf", "x" * 116 + ".pdf"), ("trailing. ", "trailing")],
)
def test_copies_have_names_that_every_system_takes(name: str, fit: str) -> None:
    assert fit_name(name) == fit
