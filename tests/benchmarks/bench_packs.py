"""Collection packs of 1,000 documents: times and sizes, what is refused, and what another library finds in them.

Real texts (SciFact) and the real model. The pack is made by one library, damaged in every way the tests know, and taken
in by a second one, twice, together with a pack of a part of it.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.bootstrap import Services, open_services
from app.domain.passages import SearchMode
from app.retrieval.embedder import Embedder
from app.retrieval.embedding_models import open_embedder
from app.services.document_files import PlainFiles
from app.services.pack_format import PackError
from app.services.pack_paths import PathMapping
from app.services.pack_service import PackService
from app.settings.resources import resource
from app.storage.library_store import LibraryStore, open_library
from tests.benchmarks.report import Report
from tests.services.pack_damage import DAMAGES

DOCUMENTS, QUERIES = 1_000, 40
SAMPLE = sorted(path for path in resource("sample").rglob("*") if path.is_file())
DATA = Path(os.environ.get("FOOTNOTE_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))

T = TypeVar("T")


def run(report: Report) -> None:
    """Export, damage, import, merge, search."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = _texts(folder / "documents")
        whole, half = folder / "all.footnotepack", folder / "half.footnotepack"
        with _home(folder, "first") as first:
            job = first.ingest.add([folder / "documents"])
            assert job.wait(1_200)
            first.packs.collections.create("Half")
            first.packs.collections.add("Half", sorted((folder / "documents").iterdir())[::2])
            summary = _timed(report, "export", lambda: first.packs.export(whole))
            first.packs.export(half, "Half")
            report.figure("documents in the pack", summary.documents, "documents", goal=DOCUMENTS)
            report.figure("passages in the pack", summary.chunks, "passages")
            report.figure("size of the pack", summary.size / 1e6, "MB", baseline=_size(folder / "documents") / 1e6)
            _timed(report, "verify", lambda: first.packs.verify(whole))
            expected = _search(first, texts)
        _take_in(report, folder, whole, half, texts, expected)
        anew = [_search_anew(folder, name, texts) for name in ("first", "second", "third")]
        for place, found in zip(("second", "third"), anew[1:], strict=True):
            name = f"scores in the {place} library, largest difference"
            report.figure(name, _difference(anew[0], found), "", goal=1e-6, higher_is_better=False)


def _take_in(
    report: Report,
    folder: Path,
    whole: Path,
    half: Path,
    texts: list[str],
    expected: list[dict[tuple[str, int], float]],
) -> None:
    (folder / "documents").rename(folder / "gone")  # the other computer has no such files
    (folder / "second" / "data").mkdir(parents=True)
    (folder / "second" / "data" / "models").symlink_to(folder / "first" / "data" / "models")
    with _home(folder, "second") as second:
        database = open_library(second.paths.library_db)
        embedder = _Counting(open_embedder(second.settings, second.paths))
        packs = PackService(LibraryStore(database), PlainFiles(), lambda: embedder, lambda: None, second.paths.data)
        _refuse(report, packs, whole, folder / "harmed.footnotepack")
        stored = len(second.library.documents())
        report.figure("documents stored of them", stored, "documents", goal=0, higher_is_better=False)
        mapping = PathMapping()
        packs.import_pack(half, mapping)
        _timed(report, "import (half of it there already)", lambda: packs.import_pack(whole, mapping))
        again = _timed(report, "import a second time", lambda: packs.import_pack(whole, mapping))
        database.close()
        documents = second.library.documents()
        report.figure("documents after three imports", len(documents), "documents", goal=DOCUMENTS)
        report.figure("added by the third", again.added, "documents", goal=0, higher_is_better=False)
        report.figure("passages embedded", embedder.passages, "passages", goal=0, higher_is_better=False)
        # Lengths of texts are rounded in a keyword index that grew and was merged, so its scores depend on its past.
        grown = _difference(expected, _search(second, texts))
        report.figure("the same, keyword indexes as they grew", grown, "")
    (folder / "third" / "data").mkdir(parents=True)
    (folder / "third" / "data" / "models").symlink_to(folder / "first" / "data" / "models")
    with _home(folder, "third") as third:
        _timed(report, "import into an empty library", lambda: third.packs.import_pack(whole, PathMapping()))


def _refuse(report: Report, packs: PackService, pack: Path, harmed: Path) -> None:
    refused = 0
    for name, (harm, _) in DAMAGES.items():
        harm(pack, harmed)
        try:
            packs.import_pack(harmed, PathMapping())
        except PackError as error:
            refused += 1
            report.note(f"{name}: {error}")
    report.figure("damaged packs refused", refused, "packs", goal=len(DAMAGES))


def _texts(folder: Path) -> list[str]:
    """Write the documents; returns queries."""
    folder.mkdir()
    with (DATA / "retrieval" / "scifact" / "corpus.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(DOCUMENTS - len(SAMPLE)), strict=False)]
    for row in rows:
        (folder / f"{row['_id']}.txt").write_text(f"{row['title']}\n\n{row['text']}\n", encoding="utf-8")
    for path in SAMPLE:  # a PDF is among them, whose text knows its place on the page
        shutil.copy(path, folder)
    return [row["title"] for row in random.Random(7).sample(rows, QUERIES)]


def _search(services: Services, queries: list[str]) -> list[dict[tuple[str, int], float]]:
    services.open_indexes()
    return [
        {(str(each.path), each.start): each.score for each in services.library.search(query, k=20, mode=mode)}
        for query in queries
        for mode in SearchMode
    ]


def _search_anew(folder: Path, name: str, queries: list[str]) -> list[dict[tuple[str, int], float]]:
    """The same with indexes that are made anew."""
    with _home(folder, name) as services:
        index_dir = services.paths.index_dir
    shutil.rmtree(index_dir)
    with _home(folder, name) as services:
        return _search(services, queries)


def _difference(expected: list[dict[tuple[str, int], float]], found: list[dict[tuple[str, int], float]]) -> float:
    """The largest difference of scores; 1 where another passage was found, unless it ties with the last."""
    most = 0.0
    for one, other in zip(expected, found, strict=True):
        last = min(one.values(), default=0.0)
        for key in one.keys() | other.keys():
            most = max(most, abs(one.get(key, last) - other.get(key, last)))
        most = max(most, float(len(one) != len(other)))
    return most


def _home(folder: Path, name: str) -> AbstractContextManager[Services]:
    return open_services(os.environ | {"FOOTNOTE_HOME": str(folder / name)}, writer=True)


class _Counting:
    """An embedder that counts the passages it embeds."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.model_key, self.dimension, self.max_tokens = embedder.model_key, embedder.dimension, embedder.max_tokens
        self.count_tokens, self.embed_query, self.close = embedder.count_tokens, embedder.embed_query, embedder.close
        self.passages = 0

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.passages += len(texts)
        return self._embedder.embed_passages(texts)


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.iterdir())


def _timed(report: Report, name: str, act: Callable[[], T]) -> T:
    started = time.perf_counter()
    result = act()
    report.figure(name, time.perf_counter() - started, "s")
    return result
