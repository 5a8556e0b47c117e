"""Collection packs: out of one library, into another, all or nothing, never twice."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.box_map import BoxMap, PlacedWord
from app.domain.cancellation import CancelToken
from app.domain.char_map import CharMap
from app.domain.documents import Chunk, DocumentState, FileStamp, ParsedDocument, Section, SectionKind, assemble
from app.domain.errors import StorageError, WorkCancelledError
from app.domain.packs import ImportSummary
from app.domain.passages import Scope, SearchMode
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.retriever import Retriever
from app.retrieval.search_text import search_text
from app.retrieval.vector_index import VectorIndex
from app.services.document_files import PlainFiles
from app.services.pack_format import PackError
from app.services.pack_paths import PathMapping
from app.services.pack_service import PackService
from app.storage.library_integrity import inspect_library
from app.storage.library_store import LibraryStore, open_library
from app.storage.vector_integrity import VectorRule
from tests.retrieval.small_library import DIMENSION, MODEL, HashEmbedder, SmallLibrary
from tests.retrieval.test_retriever import Values
from tests.services.pack_damage import DAMAGES

DOCUMENTS, PASSAGES = 5, 17
TOPICS = ("apple pie", "pear tree", "plum jam", "fig leaf")


class CountingEmbedder(HashEmbedder):
    """Counts the passages it embeds."""

    def __init__(self, model_key: str = MODEL) -> None:
        super().__init__()
        self.model_key = model_key
        self.embedded = 0

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += len(texts)
        return super().embed_passages(texts)


@dataclass
class Home:
    """A library and its packs."""

    library: SmallLibrary
    embedder: CountingEmbedder
    packs: PackService

    @property
    def store(self) -> LibraryStore:
        return self.library.store

    def take(self, pack: Path, *mapping: str, collection: str | None = None) -> ImportSummary:
        return self.packs.import_pack(pack, PathMapping.from_options(mapping), collection)

    def search(self, query: str, mode: SearchMode, scope: Scope | None = None) -> dict[tuple[str, int], float]:
        """Scores by document's name and start."""
        index = self.library.folder / "index"
        vectors = VectorIndex(self.store, index, MODEL, DIMENSION, background=False)
        keywords = KeywordIndex(self.store, index)
        vectors.open()
        keywords.open()
        embedder = self.library.embedder
        retriever = Retriever(self.store, lambda: embedder, vectors, keywords, Values(), follow=True)
        found = retriever.search(query, k=50, mode=mode, scope=scope)
        retriever.close()
        vectors.close()
        keywords.close()
        return {(each.path.name, each.start): each.score for each in found}

    def state(self) -> list[tuple[object, ...]]:
        """Everything that an import may change."""
        tables = ("documents", "sections", "chunks", "vectors", "collections", "collection_documents", "changes")
        with self.library.database.read() as connection:
            return [row for table in tables for row in connection.execute(f"SELECT * FROM {table}")]


@pytest.fixture
def make_home(tmp_path: Path) -> Iterator[Callable[..., Home]]:
    homes: list[Home] = []

    def make(name: str, model_key: str = MODEL) -> Home:
        folder = tmp_path / name
        folder.mkdir()
        embedder = CountingEmbedder(model_key)
        library = SmallLibrary(folder, embedder)
        packs = PackService(library.store, PlainFiles(), lambda: embedder, lambda: None, folder)
        homes.append(Home(library, embedder, packs))
        return homes[-1]

    yield make
    for home in homes:
        home.library.close()


@pytest.fixture
def first(make_home: Callable[..., Home]) -> Home:
    """A library of five documents, two of them in a collection; one knows where its words stand on the page."""
    home = make_home("first")
    scan = Section("read by OCR", 1, confidence=0.5, box_map=BoxMap([PlacedWord(0, 4, 0, 1, 2, 3, 4)]))
    put(
        home,
        home.library.folder / "scan.png",
        assemble([scan], title="scan", media_type="image/png"),
        [Chunk(scan.text, 0, 11)],
    )
    ids = [home.library.put(f"{topic.split()[0]}.txt", [f"{topic} {n}" for n in range(4)]) for topic in TOPICS]
    home.packs.collections.create("Kitchen")
    home.store.add_to_collection(home.store.add_collection("Garden"), ids[:1])
    home.store.add_to_collection(home.packs.collections.named("kitchen").id, ids[1:3])
    return home


@pytest.fixture
def pack(first: Home, tmp_path: Path) -> Path:
    path = tmp_path / "all.footnotepack"
    first.packs.export(path)
    return path


@pytest.mark.parametrize("mode", list(SearchMode))
def test_an_imported_library_gives_the_same_scores_without_embedding(
    first: Home, pack: Path, make_home: Callable[..., Home], mode: SearchMode
) -> None:
    second = make_home("second")
    summary = second.take(pack)
    assert (summary.documents, summary.added, summary.offline, summary.embedded) == (DOCUMENTS, DOCUMENTS, DOCUMENTS, 0)
    assert second.embedder.embedded == 0
    for query in ("apple pie", "tree", "jam on a leaf"):
        here, there = second.search(query, mode), first.search(query, mode)
        assert here == pytest.approx(there, abs=1e-6)
        assert here
    assert second.store.integrity() == []
    assert list(inspect_library(second.library.database, VectorRule(MODEL, DIMENSION), lambda done, total: None)) == []


def test_importing_twice_or_two_packs_that_overlap_doubles_nothing(
    first: Home, pack: Path, make_home: Callable[..., Home], tmp_path: Path
) -> None:
    kitchen = tmp_path / "kitchen.footnotepack"
    assert first.packs.export(kitchen, "kitchen").documents == 2
    second = make_home("second")
    assert second.take(kitchen).added == 2
    merged = second.take(pack)
    assert (merged.added, merged.known) == (DOCUMENTS - 2, 2)
    before = second.state()
    for each in (pack, kitchen):
        again = second.take(each)
        assert (again.added, again.known, again.chunks) == (0, again.documents, 0)
    assert second.state() == before
    assert len(second.store.documents()) == DOCUMENTS
    assert {each.name: each.documents for each in second.packs.collections.collections()} == {"Garden": 1, "Kitchen": 2}


@pytest.mark.requirement("T8")
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_pack_is_refused_with_the_reason_and_nothing_is_stored(
    pack: Path, make_home: Callable[..., Home], tmp_path: Path, damage: str
) -> None:
    harm, words = DAMAGES[damage]
    harmed = tmp_path / "harmed.footnotepack"
    harm(pack, harmed)
    second = make_home("second")
    second.library.put("own.txt", ["my own"])
    before = second.state()
    for act in (second.packs.verify, second.take):
        with pytest.raises(PackError, match=words):
            act(harmed)
    assert second.state() == before


def test_every_flipped_bit_is_noticed_or_harmless(first: Home, pack: Path, tmp_path: Path) -> None:
    """A bit may stand in a time or attribute of the container that nobody reads."""
    whole = first.packs.verify(pack)
    data = pack.read_bytes()
    for place in range(0, len(data), 7):
        harmed = bytearray(data)
        harmed[place] ^= 1 << place % 8
        target = tmp_path / "flipped.footnotepack"
        target.write_bytes(harmed)
        try:
            assert first.packs.verify(target) == whole
        except PackError:
            continue


def test_equal_libraries_give_equal_packs(first: Home, pack: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.footnotepack"
    first.packs.export(again)
    assert again.read_bytes() == pack.read_bytes()
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_another_search_model_embeds_again_and_says_so_before(pack: Path, make_home: Callable[..., Home]) -> None:
    second = make_home("second", "other-8")
    told: list[int] = []

    def before(plan: ImportSummary) -> None:
        assert second.store.documents() == []
        assert second.embedder.embedded == 0
        told.append(plan.embedded)

    summary = second.packs.import_pack(pack, PathMapping(), before=before)
    assert told == [PASSAGES]
    assert (summary.embedded, second.embedder.embedded) == (PASSAGES, PASSAGES)
    assert second.store.vector_count("other-8") == PASSAGES
    assert second.store.vector_count(MODEL) == 0


def test_folders_are_mapped_and_files_that_are_here_are_ready(
    first: Home, make_home: Callable[..., Home], tmp_path: Path
) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    here.mkdir()
    for name, text in (("same.txt", "apple"), ("other.txt", "pear"), ("gone.txt", "plum")):
        put_file_document(first, there / name, text)
    (here / "same.txt").write_text("apple")
    (here / "other.txt").write_text("changed since")
    pack = tmp_path / "some.footnotepack"
    first.packs.export(pack)
    second = make_home("second")
    second.take(pack, f"{there}={here}")
    records = {each.path: each for each in second.store.documents()}
    assert records[here / "same.txt"].state is DocumentState.READY
    assert records[here / "same.txt"].stamp.mtime_ns == (here / "same.txt").stat().st_mtime_ns
    assert records[here / "other.txt"].state is DocumentState.OFFLINE
    assert "another one" in records[here / "other.txt"].message
    assert records[here / "gone.txt"].state is DocumentState.OFFLINE
    assert second.store.document_text(records[here / "gone.txt"].id) == "plum"
    assert ("gone.txt", 0) in second.search("plum", SearchMode.HYBRID)


def test_a_second_import_with_a_mapping_moves_what_the_first_one_brought(
    first: Home, make_home: Callable[..., Home], tmp_path: Path
) -> None:
    put_file_document(first, tmp_path / "there" / "a.txt", "apple")
    pack = tmp_path / "one.footnotepack"
    first.packs.export(pack)
    second = make_home("second")
    second.take(pack)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a.txt").write_text("apple")
    assert second.take(pack, f"{tmp_path / 'there'}={tmp_path / 'here'}").moved == 1
    [record] = [each for each in second.store.documents() if each.path.name == "a.txt"]
    assert (record.path, record.state) == (tmp_path / "here" / "a.txt", DocumentState.READY)
    assert second.embedder.embedded == 0


def test_what_the_library_has_of_its_own_stays(first: Home, make_home: Callable[..., Home], tmp_path: Path) -> None:
    put_file_document(first, tmp_path / "note.txt", "theirs")
    pack = tmp_path / "note.footnotepack"
    first.packs.export(pack)
    second = make_home("second")
    (tmp_path / "note.txt").write_text("mine")
    put_file_document(second, tmp_path / "note.txt", "mine")
    assert second.take(pack).kept == 1
    [record] = [each for each in second.store.documents() if each.path.name == "note.txt"]
    assert second.store.document_text(record.id) == "mine"


def test_what_was_left_out_here_does_not_come_in(first: Home, pack: Path, make_home: Callable[..., Home]) -> None:
    second = make_home("second")
    second.store.add_folder(first.library.folder)
    second.store.choose_path(first.library.folder / "pear.txt", included=False)
    summary = second.take(pack)
    assert (summary.excluded, summary.added) == (1, DOCUMENTS - 1)
    assert not any(name == "pear.txt" for name, _ in second.search("pear tree", SearchMode.KEYWORD))


def test_nobody_looks_for_the_files_of_a_pack(pack: Path, make_home: Callable[..., Home]) -> None:
    second = make_home("second")
    second.take(pack)
    assert second.store.known_files() == []
    assert len(second.store.known_files(packed=True)) == DOCUMENTS
    record = second.store.documents()[0]
    second.store.enqueue(record.path, FileStamp(1, 1))
    assert [each.id for each in second.store.known_files()] == [record.id]


def test_places_on_the_page_and_all_else_travel_along(
    first: Home, make_home: Callable[..., Home], tmp_path: Path
) -> None:
    sections = [
        Section("Grüße 東京", 1, ("Title", "§ 2"), char_map=CharMap(8, [(0, 5, 5), (6, 12, 2)])),
        Section("a | b", 2, kind=SectionKind.TABLE),
        Section("read by OCR", 3, confidence=0.75, box_map=BoxMap([PlacedWord(0, 4, 0, 1.5, 2, 3, 4.25)])),
        Section("said again", kind=SectionKind.REPEATED),
    ]
    parsed = assemble(sections, title="Odd", media_type="application/pdf", page_count=3, metadata={"warning": "half"})
    path = Path(os.fsdecode(b"/odd/\xff.pdf"))
    chunks = [
        Chunk(each.section.text, each.start, each.end, each.section.page, each.section.headings, "Odd", 3)
        for each in parsed.sections[:3]
    ]
    put(first, path, parsed, chunks)
    pack = tmp_path / "odd.footnotepack"
    first.packs.export(pack)
    second = make_home("second")
    second.take(pack)
    one, other = first.store.document_by_path(path), second.store.document_by_path(path)
    assert one is not None
    assert other is not None
    there, here = first.store.whole_document(one.id, MODEL), second.store.whole_document(other.id, MODEL)
    assert there is not None
    assert there == here
    assert there.parsed == parsed
    assert other.warning == "half"
    assert second.store.sections(other.id)[2].box_map == sections[2].box_map


def test_stopping_an_import_leaves_the_library_as_it_was(pack: Path, make_home: Callable[..., Home]) -> None:
    second = make_home("second")
    second.library.put("own.txt", ["my own"])
    before = second.state()
    token = CancelToken()

    def stop(done: int, total: int) -> None:
        if done == 2:
            token.cancel()

    with pytest.raises(WorkCancelledError):
        second.packs.import_pack(pack, PathMapping(), progress=stop, cancel=token)
    assert second.state() == before


def import_and_be_killed(folder: Path, pack: Path, at: int) -> None:
    """Runs in a process of its own, which ends without any clean-up in the middle of the import."""
    store = LibraryStore(open_library(folder / "library.db"))
    packs = PackService(store, PlainFiles(), CountingEmbedder, lambda: None, folder)

    def die(done: int, total: int) -> None:
        if done == at:
            os.kill(os.getpid(), signal.SIGKILL)

    packs.import_pack(pack, PathMapping(), progress=die)


@pytest.mark.skipif(os.name == "nt", reason="kills by a signal")
def test_a_kill_in_the_middle_leaves_the_library_as_it_was(pack: Path, make_home: Callable[..., Home]) -> None:
    second = make_home("second")
    put_file_document(second, second.library.folder / "own.txt", "my own")
    before = second.state()
    context = multiprocessing.get_context("spawn")
    for at in (1, DOCUMENTS):
        child = context.Process(target=import_and_be_killed, args=(second.library.folder, pack, at))
        child.start()
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
        assert second.state() == before
    assert second.take(pack).added == DOCUMENTS


def test_a_full_disk_leaves_the_library_as_it_was(first: Home, make_home: Callable[..., Home], tmp_path: Path) -> None:
    first.library.put("large.txt", [f"paragraph {n} of a large file" for n in range(2_000)])
    pack = tmp_path / "large.footnotepack"
    first.packs.export(pack)
    second = make_home("second")
    second.library.put("own.txt", ["my own"])
    before = second.state()
    pages = second.library.database.connection.execute("PRAGMA page_count").fetchone()[0]
    second.library.database.connection.execute(f"PRAGMA max_page_count = {pages:d}")
    with pytest.raises(StorageError, match="full"):
        second.take(pack)
    assert second.state() == before


@pytest.mark.parametrize(
    ("path", "windows", "place"),
    [
        ("/home/a/docs/x.txt", False, "/here/x.txt"),
        ("/home/a/docs/deep/x.txt", False, "/deep/x.txt"),
        ("/home/a/docsshop/x.txt", False, "/home/a/docsshop/x.txt"),
        ("C:\\Users\\a\\x.txt", True, "/windows/a/x.txt"),
        ("D:\\y.txt", True, "/D:/y.txt"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="expects the paths of a POSIX system")
def test_places_of_paths(path: str, windows: bool, place: str) -> None:
    mapping = PathMapping.from_options(["/home/a/docs=/here", "/home/a/docs/deep=/deep", "c:\\users=/windows"])
    assert mapping.place(path, windows=windows) == Path(place)


def test_an_import_into_a_collection_of_ones_own(pack: Path, make_home: Callable[..., Home]) -> None:
    second = make_home("second")
    second.take(pack, collection="From the office")
    [record] = second.packs.collections.collections()
    assert (record.name, record.documents) == ("From the office", DOCUMENTS)


def put_file_document(home: Home, path: Path, text: str) -> int:
    """A document as if read from a file with this text."""
    parsed = assemble([Section(text)], title=path.stem, media_type="text/plain")
    return put(
        home, path, parsed, [Chunk(text, 0, len(text), token_count=1)], hashlib.sha256(text.encode()).hexdigest()
    )


def put(home: Home, path: Path, parsed: ParsedDocument, chunks: list[Chunk], content_hash: str = "ab" * 32) -> int:
    record = home.store.enqueue(path, FileStamp(3, 5))
    texts = [search_text(parsed.title, each.headings, each.text) for each in chunks]
    result = home.store.replace_content(record.id, parsed, content_hash, chunks, texts)
    vectors = home.library.embedder.embed_passages([each.embed_text for each in result.new]).astype("<f2")
    rows = [(each.chunk_id, vector.tobytes()) for each, vector in zip(result.new, vectors, strict=True)]
    home.store.store_vectors(MODEL, rows)
    home.store.finish(record.id, MODEL)
    return record.id


def test_only_loopholes_that_are_known() -> None:
    """No pickle, no FAISS file, no evaluation in what reads a pack."""
    folder = Path(open_library.__code__.co_filename).parent.parent / "services"
    sources = "".join(path.read_text() for path in folder.glob("pack_*.py"))
    assert not re.search(r"\bpickle|read_index|allow_pickle=True|\beval\(|extractall|\.extract\(", sources)
