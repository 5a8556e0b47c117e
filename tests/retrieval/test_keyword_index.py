"""The keyword index finds words and phrases, takes any text as plain words, and mends itself."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.documents import DocumentState
from app.retrieval.function_words import STOP_WORDS
from app.retrieval.keyword_build import open_build
from app.retrieval.keyword_files import DamagedKeywordIndexError
from app.retrieval.keyword_index import KIND, KeywordIndex
from app.retrieval.keyword_query import KeywordQuery
from app.retrieval.search_text import words
from app.storage.chunk_scope import ChunkScope
from tests.retrieval.small_library import SmallLibrary

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PARAGRAPHS = (
    "The quick brown fox jumps over the lazy dog.",
    "A dog that was quick, and a fox that was brown.",
    "C++ is a language; so are C# and Python.",
    "Don't panic, said the guide to the galaxy.",
    "Title: the meaning of AND and OR in logic.",
    "人民法院依法独立行使审判权。",
    "El perro marrón corre rápidamente por las calles.",
    "Running runners ran a run.",
    "To be or not to be.",
    "我家有一只猫。",
)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SmallLibrary]:
    library = SmallLibrary(tmp_path)
    library.put("texts.txt", PARAGRAPHS)
    yield library
    library.close()


def opened(library: SmallLibrary, *, writer: bool = True) -> KeywordIndex:
    index = KeywordIndex(library.store, library.folder / "index", writer=writer)
    index.open()
    return index


def texts(library: SmallLibrary, index: KeywordIndex, query: str, k: int = 10) -> list[str]:
    ids = [chunk_id for chunk_id, _ in index.search(query, k)]
    passages = library.store.passages(ids)
    return [passages[chunk_id].text for chunk_id in ids]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("lazy dogs jumping", 0),
        ("C++", 2),
        ("c#", 2),
        ("don't", 3),
        ('AND "', 4),
        ("title:", 4),
        ("法院", 5),
        ("人民法院", 5),
        ("perros marrones", 6),
        ("runner", 7),
        ("to be or not to be", 8),
        ("猫", 9),
        ("body:fox^9 -dog +brown (lazy OR *)", 0),
    ],
)
def test_the_right_text_comes_first(library: SmallLibrary, query: str, first: int) -> None:
    index = opened(library)
    assert texts(library, index, query)[0] == PARAGRAPHS[first]
    index.close()


def test_words_side_by_side_rank_first(library: SmallLibrary) -> None:
    library.put("order.txt", ["stone cold river water beds", "cold stone water river beds"])
    index = opened(library)
    assert texts(library, index, "river water")[0].startswith("stone cold river water")
    assert texts(library, index, "stone water")[0].startswith("cold stone water")
    index.close()


@pytest.mark.parametrize("quotes", ['"{}"', "“{}”", "„{}“", "«{}»", "「{}」"])
def test_a_quoted_phrase_is_exact(library: SmallLibrary, quotes: str) -> None:
    index = opened(library)
    assert texts(library, index, quotes.format("quick brown fox")) == [PARAGRAPHS[0]]
    assert texts(library, index, quotes.format("running runner") + " dog") != [PARAGRAPHS[7]]
    assert texts(library, index, quotes.format("Running runners")) == [PARAGRAPHS[7]]
    index.close()


def test_a_quoted_phrase_that_nothing_holds_is_searched_as_words(library: SmallLibrary) -> None:
    index = opened(library)
    assert PARAGRAPHS[0] in texts(library, index, '"fox brown quick"')
    index.close()


def test_a_title_counts(library: SmallLibrary) -> None:
    library.put("a.txt", ["Figures of the year."], title="Budget 2021")
    library.put("budget-2022.txt", ["Figures of the year."], title="Untitled")
    index = opened(library)
    hits = library.store.passages([chunk_id for chunk_id, _ in index.search("budget 2021", 1)])
    assert [passage.title for passage in hits.values()] == ["Budget 2021"]
    index.close()


@pytest.mark.parametrize(
    "query",
    ["", " ", "\0", "\0fox\0", "\ud800", '"', '""', '" "', "'", "???", "😀", "*", "~", "a" * 100_000, "fox " * 25_000],
)
def test_odd_texts_are_no_errors(library: SmallLibrary, query: str) -> None:
    index = opened(library)
    for hit, score in index.search(query, 5):
        assert hit > 0
        assert 0 < score <= 1
    if "fox" in query:
        assert "fox" in texts(library, index, query)[0]
    index.close()


def test_a_pasted_page_asks_with_its_rare_words(library: SmallLibrary) -> None:
    index = opened(library)
    page = " ".join(f"word{number}" for number in range(20_000)) + " galaxy guide"
    assert texts(library, index, page) == [PARAGRAPHS[3]]
    index.close()


def test_any_text_finds_what_holds_its_words(tmp_path: Path) -> None:
    library = SmallLibrary(tmp_path)
    library.put("texts.txt", PARAGRAPHS)
    index = opened(library)
    stored = {chunk_id: set(text.split()) for chunk_id, text in library.texts().items()}

    @given(
        st.text(max_size=60) | st.lists(st.sampled_from([*"()+-:^~*\"'&|!", "AND", "fox", "NOT", "猫"])).map(" ".join)
    )
    @example("0\u07ebSO")
    @settings(max_examples=300, deadline=None)
    def check(query: str) -> None:
        found = {chunk_id for chunk_id, _ in index.search(query, 100)}
        wanted = set(words(query))
        if wanted.isdisjoint(STOP_WORDS) and '"' not in query and len(wanted) < 60:
            assert {chunk_id for chunk_id, held in stored.items() if held & wanted} <= found

    check()
    index.close()
    library.close()


operations = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "remove", "hide", "show", "reopen", "refresh"]),
        st.integers(0, 4),
        st.lists(st.sampled_from(["apple", "pear", "plum", "fig", "kiwi"]), min_size=1, max_size=6),
    ),
    min_size=3,
    max_size=14,
)


@given(steps=operations)
@settings(max_examples=12, deadline=None)
def test_owner_and_reader_follow_any_history(steps: list[tuple[str, int, list[str]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        library = SmallLibrary(Path(folder))
        index = opened(library)
        reader = opened(library, writer=False)
        documents: dict[int, int] = {}
        for operation, name, paragraphs in steps:
            if operation == "put":
                documents[name] = library.put(f"{name}.txt", [f"{each} {len(paragraphs)}" for each in paragraphs])
            elif operation == "remove" and name in documents:
                library.store.remove(documents.pop(name))
            elif operation in ("hide", "show") and name in documents:
                state = DocumentState.EXCLUDED if operation == "hide" else DocumentState.READY
                library.store.set_state(documents[name], state)
            elif operation == "reopen":
                index.close()
                index = opened(library)
            elif operation == "refresh":
                index.refresh()
            reader.refresh()
            _assert_complete(library, reader)
        index.refresh()
        _assert_complete(library, index)
        index.close()
        reader.close()
        library.close()


def _assert_complete(library: SmallLibrary, index: KeywordIndex) -> None:
    stored = {chunk_id: set(text.split()) for chunk_id, text in library.texts().items()}
    live = np.array(sorted(stored), dtype=np.int64)[::2]
    for word in ("apple", "fig"):
        holding = {chunk_id for chunk_id, held in stored.items() if word in held}
        assert {chunk_id for chunk_id, _ in index.search(word, 100)} == holding
        assert {chunk_id for chunk_id, _ in index.search(word, 100, ChunkScope.of_ids(live))} == holding & set(
            live.tolist()
        )


def test_a_scope_in_many_pieces(library: SmallLibrary) -> None:
    library.put("many.txt", [f"common paragraph {number}" for number in range(600)])
    index = opened(library)
    every_third = np.array(sorted(library.texts()), dtype=np.int64)[::3]
    hits = [chunk_id for chunk_id, _ in index.search("common paragraph", 150, ChunkScope.of_ids(every_third))]
    assert len(hits) == 150
    assert set(hits) <= set(every_third.tolist())
    rare = np.array(sorted(library.texts()), dtype=np.int64)[-1:]
    assert [chunk_id for chunk_id, _ in index.search("common paragraph", 150, ChunkScope.of_ids(rare))] == rare.tolist()
    index.close()


def test_scores_hardly_depend_on_what_is_in_the_files(library: SmallLibrary) -> None:
    """A reader scans what the owner has not indexed yet; a chunk must not rank otherwise for it."""
    library.put("base.txt", [f"some filler text about the number {number}" for number in range(50)])
    owner = opened(library)
    library.put("fresh.txt", ["A brown fox, quick as the wind.", "A quick brown fox."])
    reader = opened(library, writer=False)
    assert reader.status().unindexed == 2
    scanned = dict(reader.search("quick brown fox", 10))
    owner.refresh()
    indexed = dict(owner.search("quick brown fox", 10))
    assert scanned.keys() == indexed.keys()
    assert max(scanned, key=scanned.__getitem__) == max(indexed, key=indexed.__getitem__)
    assert scanned == pytest.approx(indexed, rel=0.25)
    reader.refresh()
    assert reader.status().unindexed == 0
    assert dict(reader.search("quick brown fox", 10)) == indexed
    reader.close()
    owner.close()


def test_a_reader_changes_no_file_and_manages_without_any(library: SmallLibrary) -> None:
    reader = opened(library, writer=False)
    assert texts(library, reader, "lazy")[0] == PARAGRAPHS[0]
    assert not (library.folder / "index").exists()
    library.put("later.txt", ["A lazy afternoon."])
    reader.refresh()
    assert len(reader.search("lazy", 5)) == 2
    reader.close()
    owner = opened(library)
    before = _listing(library)
    reader = opened(library, writer=False)
    assert len(reader.search("lazy", 5)) == 2
    reader.close()
    assert _listing(library) == before
    owner.close()


def _listing(library: SmallLibrary) -> dict[str, tuple[int, int]]:
    files = (path for path in (library.folder / "index").rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def test_a_reader_moves_to_the_owners_new_build(library: SmallLibrary) -> None:
    owner = opened(library)
    reader = opened(library, writer=False)
    owner.close()
    shutil.rmtree(library.folder / "index")
    owner = opened(library)
    library.put("later.txt", ["A lazy afternoon."])
    owner.refresh()
    reader.refresh()
    assert len(reader.search("lazy", 5)) == 2
    assert reader.status().unindexed == 0
    reader.close()
    owner.close()


def built(library: SmallLibrary) -> Path:
    index = opened(library)
    index.close()
    [folder] = (library.folder / "index").iterdir()
    return folder


def assert_mended(library: SmallLibrary) -> None:
    index = opened(library)
    assert texts(library, index, "lazy dogs")[0] == PARAGRAPHS[0]
    assert index.status().chunks == len(PARAGRAPHS)
    index.close()
    index = opened(library)
    assert index.status().problem == ""
    index.close()
    assert len(list((library.folder / "index").iterdir())) == 1, "older builds are removed"


@pytest.mark.requirement("R6")
@pytest.mark.parametrize("damage", ["gone", "empty", "no meta", "cut meta", "cut file", "lost file", "unfinished"])
def test_damaged_builds_are_replaced(library: SmallLibrary, damage: str) -> None:
    folder = built(library)
    some_file = next(folder.glob("*.idx"))
    if damage == "gone":
        shutil.rmtree(folder)
    elif damage == "empty":
        shutil.rmtree(folder)
        folder.mkdir()
    elif damage == "no meta":
        (folder / "meta.json").unlink()
    elif damage == "cut meta":
        (folder / "meta.json").write_bytes((folder / "meta.json").read_bytes()[:100])
    elif damage == "cut file":
        some_file.write_bytes(some_file.read_bytes()[:-20])
    elif damage == "lost file":
        some_file.unlink()
    else:
        meta = json.loads((folder / "meta.json").read_text())
        meta["segments"] = []
        (folder / "meta.json").write_text(json.dumps(meta))
    assert_mended(library)


def test_a_build_of_another_library_is_not_used(
    library: SmallLibrary, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = built(library)
    other = SmallLibrary(tmp_path_factory.mktemp("other"))
    other.put("x.txt", ["lazy strangers"] * 10)
    foreign = built(other)
    other.close()
    shutil.rmtree(folder)
    shutil.copytree(foreign, folder)
    assert_mended(library)


@pytest.mark.requirement("R5")
def test_flipped_bytes_never_change_an_answer(library: SmallLibrary) -> None:
    """Each flip is noticed, but in the list by which tantivy cleans up, on which no answer depends."""
    folder = built(library)
    [record] = library.store.index_segments(KIND)
    query = KeywordQuery({"lazi": 1.0, "brown": 2.0})
    expected = open_build(folder, record.sha256, record.block_checksums, writable=False).search(query, 10)
    assert len(expected) == 2
    chance = random.Random(11)
    for number in range(300):
        copy = library.folder / f"copy-{number}"
        shutil.copytree(folder, copy)
        path = chance.choice(sorted(each for each in copy.iterdir() if each.is_file() and each.stat().st_size))
        content = bytearray(path.read_bytes())
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        try:
            build = open_build(copy, record.sha256, record.block_checksums, writable=False)
        except DamagedKeywordIndexError:
            continue
        assert path.name == ".managed.json" or b'"version"' in content[-200:], f"{path.name} was altered unnoticed"
        assert build.search(query, 10) == expected


_CHILD = """
import sys
from pathlib import Path
from app.retrieval.keyword_index import KeywordIndex
from tests.retrieval.small_library import SmallLibrary

library = SmallLibrary(Path(sys.argv[1]))
index = KeywordIndex(library.store, library.folder / "index")
print("ready", flush=True)
index.open()
for number in range(1000):
    library.put(f"{number % 7}.txt", [f"apple {number} {row}" for row in range(20)])
    index.refresh()
    print(number, flush=True)
"""


@pytest.mark.requirement("R2")
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed by signal")
def test_a_killed_process_leaves_an_index_that_catches_up(tmp_path: Path) -> None:
    chance = random.Random(3)
    for _ in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(tmp_path)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        for _ in range(chance.randrange(1, 8)):
            child.stdout.readline()
        child.kill()
        child.communicate(timeout=60)
        library = SmallLibrary(tmp_path)
        index = opened(library)
        assert {chunk_id for chunk_id, _ in index.search("apple", 1000)} == set(library.texts())
        index.close()
        library.close()


_CHILD_WITHOUT_DISK = """
import resource, signal, sys
from pathlib import Path
from app.retrieval.keyword_index import KeywordIndex
from tests.retrieval.small_library import SmallLibrary

library = SmallLibrary(Path(sys.argv[1]))
index = KeywordIndex(library.store, library.folder / "index")
if sys.argv[2] == "later":
    index.open()
library.put("more.txt", ["A lazy afternoon."])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
if sys.argv[2] == "later":
    index.refresh()
else:
    index.open()
found = len(index.search("lazy", 10))
problem = index.status().problem
index.close()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(found, problem)
"""


@pytest.mark.requirement("R7")
@pytest.mark.skipif(sys.platform != "linux", reason="a limit on file sizes stands for the full disk")
@pytest.mark.parametrize("when", ["later", "at once"])
def test_without_room_on_the_disk_searches_still_find_everything(library: SmallLibrary, when: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", _CHILD_WITHOUT_DISK, str(library.folder), when],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found, _, problem = child.stdout.strip().partition(" ")
    assert (found, "can't be saved" in problem) == ("2", True)
    index = opened(library)
    assert len(index.search("lazy", 10)) == 2
    index.close()


def test_a_pruned_log_means_a_new_build(library: SmallLibrary) -> None:
    built(library)
    library.put("texts.txt", [*PARAGRAPHS[1:], "A lazy replacement."])
    library.store.prune_changes(library.store.current_sequence())
    index = opened(library)
    assert texts(library, index, "lazy") == ["A lazy replacement."]
    index.close()


def test_renamed_documents_are_found_by_their_new_name(library: SmallLibrary) -> None:
    index = opened(library)
    document = library.put("before.txt", ["Something else entirely."])
    index.refresh()
    library.store.rename(document, library.folder / "zanzibar.txt")
    index.refresh()
    hits = library.store.passages([chunk_id for chunk_id, _ in index.search("zanzibar entirely", 1)])
    assert [re.sub(r".*/", "", str(passage.path)) for passage in hits.values()] == ["zanzibar.txt"]
    index.close()


def test_scores_after_many_edits_are_those_of_a_fresh_index(library: SmallLibrary) -> None:
    """Frequencies of words count removed chunks too; opening makes a worn index anew."""
    index = opened(library)
    for kept in (8, 6, 5):
        library.put("texts.txt", PARAGRAPHS[:kept])
        index.refresh()
    index.close()
    index = opened(library)
    worn = index.search("lazy fox", 10)
    index.close()
    shutil.rmtree(library.folder / "index")
    index = opened(library)
    assert dict(worn) == pytest.approx(dict(index.search("lazy fox", 10)), abs=1e-5)
    index.close()


def test_one_edit_in_a_small_library_leaves_no_trace_in_scores(library: SmallLibrary) -> None:
    """So that a pack is searched with equal scores wherever it was taken in."""
    index = opened(library)
    library.put("other.txt", ["The lazy dog sleeps."])
    index.refresh()
    library.put("other.txt", ["A fox that is awake."])
    index.refresh()
    index.close()
    again = opened(library)
    again.wait()
    shutil.rmtree(library.folder / "fresh", ignore_errors=True)
    fresh = KeywordIndex(library.store, library.folder / "fresh")
    fresh.open()
    fresh.wait()
    for query in ("lazy fox", "dog", "quick brown"):
        assert again.search(query, 10) == fresh.search(query, 10)
    again.close()
    fresh.close()
