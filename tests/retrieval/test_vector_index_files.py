"""Whatever happens to the vector index's files, answers stay right and the files mend themselves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.retrieval.segment_policy import FAN_IN, LARGEST_ROWS, SMALLEST_ROWS, PartSize, parts_to_rewrite
from app.retrieval.vector_index import KIND, VectorIndex
from tests.retrieval.small_library import DIMENSION, MODEL, SmallLibrary, random_units

QUERIES = random_units(77, 2)
STEPS = ("written", "synced", "renamed", "folder synced", "recorded", "old files removed")


class ProcessEndedError(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SmallLibrary]:
    library = SmallLibrary(tmp_path)
    library.put_vectors("one.txt", random_units(1, 300))
    yield library
    library.close()


def opened(library: SmallLibrary, *, on_step: Callable[[str], None] = lambda step: None) -> VectorIndex:
    index = VectorIndex(library.store, library.folder / "index", MODEL, DIMENSION, background=False, on_step=on_step)
    index.open()
    return index


def saved(library: SmallLibrary) -> Path:
    """Write the index and return its one file."""
    index = opened(library)
    index.maintain(save_all=True)
    index.close()
    [path] = (library.folder / "index").iterdir()
    return path


def assert_sound(library: SmallLibrary) -> None:
    """Answers are exact; the folder holds exactly the recorded files; opening again finds nothing to mend."""
    for _ in range(2):
        index = opened(library)
        for query in QUERIES:
            assert [hit for hit, _ in index.search(query, 10)] == library.nearest(query, 10)
        index.close()
    recorded = {segment.file_name for segment in library.store.index_segments(KIND, MODEL)}
    assert {path.name for path in (library.folder / "index").iterdir()} == recorded
    assert index.status().problem == ""


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("work", ["first segment", "merge", "dead rows"])
def test_ending_after_any_step_loses_nothing(library: SmallLibrary, step: str, work: str) -> None:
    if work != "first segment":
        for number in range(FAN_IN - 1):
            saved_index = opened(library)
            saved_index.maintain(save_all=True)
            saved_index.close()
            library.put_vectors(f"{number}.txt", random_units(number + 10, 300))
    if work == "dead rows":
        document = library.store.document_by_path(library.folder / "one.txt")
        assert document is not None
        library.store.remove(document.id)

    def end(reached: str) -> None:
        if reached == step:
            raise ProcessEndedError

    index = opened(library, on_step=end)
    with pytest.raises(ProcessEndedError):
        index.maintain(save_all=True)
    assert_sound(library)


_CHILD = """
import os, signal, sys
from pathlib import Path
from app.retrieval.vector_index import VectorIndex
from app.storage.library_store import LibraryStore, open_library

folder, step = Path(sys.argv[1]), sys.argv[2]

def end(reached):
    if reached == step:
        os.kill(os.getpid(), signal.SIGKILL)

store = LibraryStore(open_library(folder / "library.db"))
index = VectorIndex(store, folder / "index", "{model}", {dimension}, on_step=end)
index.open()
index.maintain(save_all=True)
"""


@pytest.mark.requirement("R3")
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed by signal")
@pytest.mark.parametrize("step", STEPS)
def test_a_killed_process_loses_nothing(library: SmallLibrary, step: str) -> None:
    saved(library)
    library.put_vectors("two.txt", random_units(2, 300))
    program = _CHILD.format(model=MODEL, dimension=DIMENSION)
    child = subprocess.run([sys.executable, "-c", program, str(library.folder), step], timeout=60, check=False)
    assert child.returncode == -signal.SIGKILL
    assert_sound(library)


@pytest.mark.requirement("R5", "T8")
def test_every_flipped_byte_is_noticed(library: SmallLibrary) -> None:
    path = saved(library)
    expected = [library.nearest(query, 10) for query in QUERIES]
    chance = random.Random(5)
    mended = 0
    for _ in range(300):
        content = bytearray(path.read_bytes())
        place = chance.randrange(len(content))
        content[place] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        index = opened(library)
        assert index.status().problem
        assert [[hit for hit, _ in index.search(query, 10)] for query in QUERIES] == expected
        index.close()
        [path] = (library.folder / "index").iterdir()
        mended += 1
    assert mended == 300
    assert_sound(library)


@pytest.mark.requirement("R6", "T8")
@pytest.mark.parametrize("damage", ["missing", "truncated", "longer", "empty", "foreign", "no folder", "a folder"])
def test_damaged_files_are_rebuilt(
    library: SmallLibrary, damage: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = saved(library)
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "longer":
        path.write_bytes(content + b"\0")
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "foreign":
        other = SmallLibrary(tmp_path_factory.mktemp("other"))
        other.put_vectors("one.txt", random_units(3, 300))
        path.write_bytes(saved(other).read_bytes())
        other.close()
    else:
        path.unlink()
        if damage == "no folder":
            path.parent.rmdir()
        else:
            path.mkdir()
    index = opened(library)
    assert index.status().problem
    index.close()
    if damage == "a folder":
        path.rmdir()
    assert_sound(library)


def test_a_record_of_another_dimension_or_without_checksums_is_not_used(library: SmallLibrary) -> None:
    from dataclasses import replace

    saved(library)
    [segment] = library.store.index_segments(KIND, MODEL)
    for change in ({"dimension": 4}, {"block_checksums": b""}, {"vector_count": 3}, {"size": 0}):
        library.store.delete_segment(KIND, MODEL, segment.generation)
        library.store.record_segment(replace(segment, **change))
        assert_sound(library)
        [segment] = library.store.index_segments(KIND, MODEL)


def test_a_stale_record_of_rows_that_another_segment_holds(library: SmallLibrary) -> None:
    from dataclasses import replace

    path = saved(library)
    [segment] = library.store.index_segments(KIND, MODEL)
    copy = replace(segment, generation=segment.generation + 7, file_name=path.name.replace("00000001", "00000008"))
    path.with_name(copy.file_name).write_bytes(path.read_bytes())
    library.store.record_segment(copy)
    index = opened(library)
    hits = [hit for hit, _ in index.search(QUERIES[0], 50)]
    assert hits == library.nearest(QUERIES[0], 50), "no chunk is found twice"
    index.close()


def test_leftovers_are_cleaned_and_other_files_left_alone(library: SmallLibrary) -> None:
    path = saved(library)
    leftovers = [path.with_name(path.name.replace("00000001", "00000009") + ".tmp"), path.with_name(path.name + ".tmp")]
    orphan = path.with_name(path.name.replace("00000001", "00000005"))
    for each in (*leftovers, orphan):
        each.write_bytes(b"half a segment")
    foreign = path.with_name("vectors-of-somebody-else.faiss")
    foreign.write_bytes(b"not ours")
    opened(library).close()
    assert {each.name for each in path.parent.iterdir()} == {path.name, foreign.name}


def test_a_full_disk_costs_the_cache_and_nothing_else(library: SmallLibrary) -> None:
    def fail(step: str) -> None:
        if step == "written":
            raise OSError(28, "No space left on device")

    index = opened(library, on_step=fail)
    library.put_vectors("large.txt", random_units(4, SMALLEST_ROWS))
    index.refresh()
    index.close()
    assert "No space left" in index.status().problem
    assert_sound(library)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_index_files_are_for_their_owner_only(library: SmallLibrary) -> None:
    path = saved(library)
    assert path.stat().st_mode & 0o077 == 0


def test_the_number_of_segments_and_the_work_stay_bounded() -> None:
    sizes: list[int] = []
    written = 0
    total = 0
    for _ in range(1500):
        sizes.append(SMALLEST_ROWS)
        total += SMALLEST_ROWS
        while chosen := parts_to_rewrite([PartSize(rows, rows, saved=True) for rows in sizes]):
            merged = sum(sizes[index] for index in chosen)
            written += merged
            sizes = [rows for index, rows in enumerate(sizes) if index not in chosen] + [merged]
        assert max(sizes) <= LARGEST_ROWS
    assert len(sizes) <= total / LARGEST_ROWS * 2 + 4 * FAN_IN
    assert written <= 6 * total
