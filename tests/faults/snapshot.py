"""What a library says, in a form that two libraries of the same files can be compared by."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from app.domain.passages import SearchMode
from app.storage.library_store import LibraryStore
from tests.faults.stand_ins import FaultServices, paths_in, text_key

SCORE_TOLERANCE = 1e-5

QUERIES = (
    "the pump was repaired",
    "harbour gate stood open",
    "signal failed on day 17",
    "kettle",
    "bridge was painted",
    "ledger entry archive",
)

Hit = tuple[str, int, int, float]
ChunkValue = tuple[int, int, str, bytes]


@dataclass(frozen=True)
class Snapshot:
    """Text and chunks of every document by path, and the results of some searches."""

    documents: dict[str, tuple[str, str, tuple[ChunkValue, ...]]]
    hits: dict[str, list[Hit]]


def snapshot(home: Path, documents: Path, *, real: bool = False) -> Snapshot:
    """Look at all of the library in ``home``, through a keyword index made of what it now holds.

    Scores by keywords depend a little on how many passages were removed since the index was made.
    """
    _make_keyword_index_anew(home, real=real)
    services = FaultServices(paths_in(home), writer=False, real=real)
    try:
        store: LibraryStore = services._store
        vectors = dict(store.vectors(services._embedder().model_key))
        held = {}
        for record in store.documents():
            assert record.state == "ready", f"{record.path.name} is {record.state}: {record.message}"
            held[_name(record.path, documents)] = (
                record.title,
                store.document_text(record.id),
                tuple(_chunks(services, record.id, vectors)),
            )
        hits = {
            f"{mode}: {query}": _hits(services, query, mode, documents)
            for mode in (SearchMode.DENSE, SearchMode.KEYWORD, SearchMode.HYBRID)
            for query in QUERIES
        }
        return Snapshot(held, hits)
    finally:
        services.close()


def _make_keyword_index_anew(home: Path, *, real: bool) -> None:
    for folder in paths_in(home).index_dir.glob("keywords-*"):
        shutil.rmtree(folder)
    services = FaultServices(paths_in(home), writer=True, real=real)
    try:
        services.open_indexes()
    finally:
        services.close()


def embedded_keys(services: FaultServices) -> set[str]:
    """``text_key`` of every text whose vector is stored."""
    from app.storage.rows import embedded_text

    with services._library_database.read() as connection:
        rows = connection.execute(
            "SELECT context, text FROM chunks WHERE EXISTS (SELECT 1 FROM vectors WHERE chunk_id = chunks.id)"
        ).fetchall()
    return {text_key(embedded_text(context, text)) for context, text in rows}


def differences(found: Snapshot, expected: Snapshot) -> list[str]:
    """What two libraries tell differently, in words."""
    told = [f"lost: {name}" for name in expected.documents.keys() - found.documents.keys()]
    told += [f"too many: {name}" for name in found.documents.keys() - expected.documents.keys()]
    for name in expected.documents.keys() & found.documents.keys():
        if found.documents[name] != expected.documents[name]:
            told.append(f"other content: {name}")
    for query, hits in expected.hits.items():
        if not _alike(found.hits[query], hits):
            told.append(f"other results for {query}:\n  {found.hits[query][:3]}\n  {hits[:3]}")
    return told


def _alike(found: list[Hit], expected: list[Hit]) -> bool:
    """The same passages with the same scores; equal scores may come in any order, and be cut off at the end."""
    if len(found) != len(expected):
        return False
    if any(abs(one[3] - other[3]) > SCORE_TOLERANCE for one, other in zip(found, expected, strict=True)):
        return False
    lowest = expected[-1][3] + SCORE_TOLERANCE if expected else 0.0
    return {hit[:3] for hit in found if hit[3] > lowest} == {hit[:3] for hit in expected if hit[3] > lowest}


def _chunks(services: FaultServices, document_id: int, vectors: dict[int, bytes]) -> list[ChunkValue]:
    with services._library_database.read() as connection:
        rows = connection.execute(
            'SELECT id, start, "end", text FROM chunks WHERE document_id = ? ORDER BY position', (document_id,)
        ).fetchall()
    return [(start, end, text, vectors[chunk_id]) for chunk_id, start, end, text in rows]


def _hits(services: FaultServices, query: str, mode: SearchMode, documents: Path) -> list[Hit]:
    found = services.library.search(query, k=10, mode=mode)
    return [(_name(each.path, documents), each.start, each.end, each.score) for each in found]


def _name(path: Path, documents: Path) -> str:
    return str(path.relative_to(documents))
