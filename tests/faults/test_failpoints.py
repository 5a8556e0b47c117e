"""Ended between any two steps of storing vectors and writing indexes, the program goes on as if nothing had happened.

The steps are those of the write order: (1) chunks and vectors are committed, (2) the index file is written aside and
made durable, (3) it gets its name and the folder is made durable, (4) one transaction records it, (5) files that it
replaces are deleted. The keyword index has the same order, with a folder in place of the file.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.findings import FindingCode
from tests.faults.conftest import Library
from tests.faults.corpus import Corpus
from tests.faults.snapshot import differences, snapshot

REPOSITORY = Path(__file__).resolve().parents[2]
STORE = "app.storage.vector_table:VectorTable"
SEGMENTS = "app.retrieval.vector_segments:"
KEYWORDS = "app.retrieval.keyword_index:KeywordIndex"
BUILD = "app.retrieval.keyword_build:"
RECORD = "app.storage.index_records:IndexRecords.record_segment"

# Where the process ends: what happens there, when, in which function.
VECTOR_STEPS = {
    "1a vectors computed, not committed": ("call", f"{STORE}.store_vectors"),
    "1b vectors written, transaction open": ("return", f"{STORE}.finish"),
    "1c vectors committed": ("return", "app.services.ingest_storing:Storing.work"),
    "2a file written aside, not durable": ("call", "fsync"),
    "2b file durable, without its name": ("call", "app.retrieval.segment_files:_replace"),
    "3a file renamed, folder not durable": ("call", "app.retrieval.segment_files:_sync_folder"),
    "3b folder durable, not recorded": ("return", "app.retrieval.segment_files:SegmentFolder.write"),
    "4 recorded, old files there": ("return", f"{SEGMENTS}VectorSegments.record"),
    "5 old files removed": ("return", f"{SEGMENTS}VectorSegments.remove_files"),
}
KEYWORD_STEPS = {
    "2a folder made, empty": ("return", f"{BUILD}start_build"),
    "2b rows added, not committed": ("call", f"{BUILD}KeywordBuild._writing"),
    "3 committed, not recorded": ("return", f"{KEYWORDS}._filled"),
    "4 recorded, old folder there": ("return", f"{KEYWORDS}._recorded"),
    "5 old folder removed": ("return", f"{KEYWORDS}._show"),
    "changes committed to the files": ("return", f"{BUILD}KeywordBuild.change"),
}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library with a vector segment and a keyword index whose files were changed since. Don't change it."""
    folder = tmp_path_factory.mktemp("failpoints")
    corpus = Corpus(folder / "documents", 13)
    corpus.add(8)
    library = Library(folder / "home", corpus.folder)
    library.ingest()
    with library.services(writer=True) as services:
        services.open_indexes()
        services._vector_index().maintain(save_all=True)
    for _ in range(6):  # so much that the segment is rewritten without what is gone
        corpus.edit(8)
    corpus.add(2)
    return library


@pytest.fixture(scope="module")
def undisturbed(before: Library, tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("undisturbed"), before.documents)
    library.ingest()
    return library


def end_at(library: Library, moment: str, name: str) -> None:
    child = subprocess.run(
        [
            *(sys.executable, "-m", "tests.faults.failpoint_child"),
            *(str(library.home), str(library.documents), moment, name, "1"),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, f"{name} was never reached: {child.stdout} {child.stderr}"


def assert_goes_on(library: Library, undisturbed: Library, expected: frozenset[FindingCode] = frozenset()) -> None:
    """A look at once finds nothing wrong but what is ``expected``; the next start finishes."""
    assert {finding.code for finding in library.check().problems} <= expected
    with library.services() as services:
        services.library.search("pump was repaired", k=5)
    library.ingest()
    with library.services(writer=True) as services:
        services.open_indexes()
        services._vector_index().maintain(save_all=True)
    assert library.check().findings == ()
    told = differences(snapshot(library.home, library.documents), snapshot(undisturbed.home, undisturbed.documents))
    assert told == []


@pytest.mark.requirement("R3")
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed by signal")
@pytest.mark.parametrize("step", VECTOR_STEPS)
def test_ended_between_steps_of_the_vector_index(
    before: Library, undisturbed: Library, tmp_path: Path, step: str
) -> None:
    library = Library(tmp_path / "home", before.documents)
    shutil.copytree(before.home, library.home)
    end_at(library, *VECTOR_STEPS[step])
    assert_goes_on(library, undisturbed)


@pytest.mark.requirement("R3")
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed by signal")
@pytest.mark.parametrize("step", KEYWORD_STEPS)
def test_ended_between_steps_of_the_keyword_index(
    before: Library, undisturbed: Library, tmp_path: Path, step: str
) -> None:
    library = Library(tmp_path / "home", before.documents)
    shutil.copytree(before.home, library.home)
    expected: frozenset[FindingCode] = frozenset()
    if not step.startswith("changes"):  # a build that can't be used makes the program write another beside it
        [folder] = library.index.glob("keywords-*")
        next(folder.glob("*.term")).unlink()
        expected = frozenset({FindingCode.KEYWORD_INDEX})
    end_at(library, *KEYWORD_STEPS[step])
    assert_goes_on(library, undisturbed, expected)
