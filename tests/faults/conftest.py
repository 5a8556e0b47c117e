"""Libraries to damage: real files, real stores and indexes, an embedding model that costs nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.services.library_check import CheckReport
from app.services.library_repair import Repairs
from tests.faults.corpus import Corpus
from tests.faults.stand_ins import FaultServices, paths_in
from tests.retrieval.conftest import default_model, int8_embedder, models_dir

__all__ = ["default_model", "int8_embedder", "models_dir"]

FILES = 10


@dataclass(frozen=True)
class Library:
    """A home and the folder of files that was read into it."""

    home: Path
    documents: Path

    @contextmanager
    def services(self, *, writer: bool = False) -> Iterator[FaultServices]:
        services = FaultServices(paths_in(self.home), writer=writer, pool=False)
        try:
            yield services
        finally:
            services.close()

    @property
    def database(self) -> Path:
        return paths_in(self.home).library_db

    @property
    def chats(self) -> Path:
        return paths_in(self.home).chats_db

    @property
    def index(self) -> Path:
        return paths_in(self.home).index_dir

    def ingest(self) -> None:
        """One run of the program: what is unfinished, then the folder."""
        with self.services(writer=True) as services:
            resumed = services.ingest.resume_pending()
            if resumed is not None:
                assert resumed.wait(60)
            job = services.ingest.add([self.documents])
            assert job.wait(60)
            assert job.failure is None, job.failure

    def check(self) -> CheckReport:
        with self.services() as services:
            return services.check.run()

    def repair(self, report: CheckReport) -> Repairs:
        """What ``footnote doctor --repair`` does with what a check found, then a start of the program."""
        with self.services(writer=True) as services:
            repairs = services.repair.run(report)
        with self.services(writer=True) as services:
            job = services.ingest.resume_pending()
            if job is not None:
                assert job.wait(60)
            services.open_indexes()
        return repairs

    @property
    def embedded(self) -> int:
        """How many texts were ever embedded."""
        with self.services() as services:
            return len(services.embedded.keys())


def with_chat(library: Library) -> None:
    """A chat with a question, and an answer with a footnote."""
    from app.domain.citations import AnswerSentence, Citation

    with library.services(writer=True) as services:
        session = services._session_store.create("Pumps")
        services._session_store.add_message(session.id, "user", "Which pump was repaired?")
        services._session_store.add_message(
            session.id,
            "assistant",
            "The pump in the orchard was repaired. [1]",
            citations=[Citation(1, 1, library.documents / "note 0001.md", "note 0001", "00", 0, 5, "Entry", score=0.5)],
            sentences=[AnswerSentence("The pump in the orchard was repaired. [1]", 0, 41, (1,))],
        )


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A sound library. Don't change it."""
    folder = tmp_path_factory.mktemp("pristine")
    Corpus(folder / "documents", 5).add(FILES)
    library = Library(folder / "home", folder / "documents")
    library.ingest()
    with_chat(library)
    assert library.check().findings == ()
    return library


@pytest.fixture
def library(pristine: Library, tmp_path: Path) -> Library:
    """A sound library to damage. Its files are where the original read them, so it shares them."""
    shutil.copytree(pristine.home, tmp_path / "home")
    return Library(tmp_path / "home", pristine.documents)


@pytest.fixture
def own_library(tmp_path: Path) -> Callable[[int], Library]:
    """Makes a library of so many files of its own."""

    def make(files: int) -> Library:
        Corpus(tmp_path / "documents", 5).add(files)
        made = Library(tmp_path / "home", tmp_path / "documents")
        made.ingest()
        return made

    return make
