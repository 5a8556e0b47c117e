"""Whether the derived indexes find exactly what the library holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from app.domain.findings import Finding, FindingCode
from app.storage.library_integrity import shown_chunk_ids
from app.storage.vector_integrity import VectorRule

if TYPE_CHECKING:
    from app.retrieval.keyword_index import KeywordIndex
    from app.retrieval.vector_index import VectorIndex
    from app.storage.database import Database
    from app.storage.library_store import LibraryStore

COSINE_TOLERANCE = 0.01
"""Two ways to multiply float16 vectors differ by less."""

_ROWS_AT_ONCE = 8192
_SEED = 20_260_101


def inspect_vector_index(
    store: LibraryStore, open_index: Callable[[], VectorIndex], rule: VectorRule | None
) -> Iterator[Finding]:
    """Compare what the index says about every vector with the vectors in the library."""
    if rule is None:
        return
    index = open_index()
    index.refresh()
    index.wait()
    status = index.status()
    if status.problem:
        yield Finding(FindingCode.VECTOR_INDEX, f"The vector index was damaged: {status.problem}.")
    wrong = _wrong_vectors(store, index, rule)
    count = store.vector_count(rule.model_key)
    if wrong or status.vectors != count:
        message = f"The vector index holds {status.vectors} of {count} vectors, {wrong} of them wrong or missing."
        yield Finding(FindingCode.VECTOR_INDEX, message)


def inspect_keyword_index(library: Database, open_index: Callable[[], KeywordIndex]) -> Iterator[Finding]:
    """Compare the chunks that the index can find with those in the library."""
    index = open_index()
    index.wait()
    index.follow()
    problem = index.status().problem
    if problem:
        yield Finding(FindingCode.KEYWORD_INDEX, f"The keyword index was damaged: {problem}.")
    found, wanted = set(index.chunk_ids()), shown_chunk_ids(library)
    if found != wanted:
        message = (
            f"The keyword index lacks {len(wanted - found)} passages and holds {len(found - wanted)} that are gone."
        )
        yield Finding(FindingCode.KEYWORD_INDEX, message)


def _wrong_vectors(store: LibraryStore, index: VectorIndex, rule: VectorRule) -> int:
    """Vectors whose cosine to a random direction differs from that of the index; a wrong vector hardly ever agrees."""
    import numpy as np

    direction = np.random.default_rng(_SEED).standard_normal(rule.dimension).astype(np.float32)
    direction /= np.linalg.norm(direction)
    wrong = after = 0
    while True:
        ids, vectors = store.vectors_matrix(rule.model_key, after, _ROWS_AT_ONCE)
        if not len(ids):
            return wrong
        if vectors.shape[1] != rule.dimension:
            return wrong + len(ids)
        expected = vectors.astype(np.float32) @ direction
        found = index.cosines(direction, ids.tolist())
        given = np.array([found.get(chunk_id, np.inf) for chunk_id in ids.tolist()], dtype=np.float32)
        wrong += int((~(np.abs(given - expected) <= COSINE_TOLERANCE)).sum())
        after = int(ids[-1])
