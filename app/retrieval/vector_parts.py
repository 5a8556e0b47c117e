"""Parts of the vector index: a block of vectors and which of its rows count. Values, exchanged as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from app.retrieval.vector_blocks import FaissBlock, MemoryBlock, VectorBlock
from app.storage.library_values import IndexSegment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.retrieval.vector_blocks import Fetch
    from app.storage.chunk_scope import ChunkScope

SPARE_SHARE = 0.5
FEWEST_SPARE = 140
"""Candidates of quantised blocks that are compared exactly beyond those asked for."""


@dataclass(frozen=True, eq=False)
class Part:
    """``live`` has an entry per row of ``block``, or is None where all rows count; ``segment`` records its file."""

    block: VectorBlock
    live: NDArray[np.bool_] | None = None
    segment: IndexSegment | None = None

    @property
    def saved(self) -> bool:
        """Whether the rows are in a file."""
        return self.segment is not None

    @cached_property
    def live_count(self) -> int:
        """How many rows count."""
        return len(self.block.ids) if self.live is None else int(self.live.sum())

    @property
    def live_ids(self) -> NDArray[np.int64]:
        """The ids that count, ascending."""
        return self.block.ids if self.live is None else self.block.ids[self.live]

    def limited_to(self, live: NDArray[np.bool_]) -> Part:
        """This part with exactly these rows counting."""
        return replace(self, live=None if live.all() else live)


def live_ids(parts: Sequence[Part]) -> NDArray[np.int64]:
    """All ids that count, ascending."""
    import numpy as np

    none = np.empty(0, dtype=np.int64)
    return np.sort(np.concatenate([none, *(part.live_ids for part in parts)]))


def reconcile(parts: Sequence[Part], wanted: NDArray[np.int64]) -> tuple[list[Part], NDArray[np.int64]]:
    """Let each wanted id (ascending) count in exactly one part, newest first: (parts, ids that no part has)."""
    import numpy as np

    found = np.zeros(len(wanted), dtype=bool)
    kept: list[Part] = []
    for part in reversed(parts):
        live, places = _positions(part.block.ids, wanted)
        live[live] = ~found[places]
        found[places] = True
        kept.append(part.limited_to(live))
    return kept[::-1], wanted[~found]


def set_live(
    parts: tuple[Part, ...], ids: NDArray[np.int64], *, live: bool
) -> tuple[tuple[Part, ...], NDArray[np.int64]]:
    """Let rows with these ids (ascending) count or not: (parts, ids that no part has)."""
    import numpy as np

    changed: list[Part] = []
    for part in parts:
        held, places = _positions(part.block.ids, ids)
        if not held.any():
            changed.append(part)
            continue
        mask = np.ones(len(part.block.ids), dtype=bool) if part.live is None else part.live.copy()
        mask[held] = live
        changed.append(part.limited_to(mask))
        if live:  # must not count twice; where rows are switched off, every copy is
            ids = np.delete(ids, places)
    return tuple(changed), ids


def search_parts(
    parts: Sequence[Part], query: NDArray[np.float32], k: int, scope: ChunkScope | None, fetch: Fetch
) -> list[tuple[int, float]]:
    """The at most ``k`` best rows of all parts as (id, cosine), best first, equal ones by id.

    The best candidates of quantised parts are compared with the vectors that ``fetch`` reads.
    """
    import numpy as np

    if k <= 0:
        return []
    spare = max(FEWEST_SPARE, int(SPARE_SHARE * k))
    exact: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
    near: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
    for part in parts:
        mask = _allowed_rows(part, scope)
        if part.live_count and (mask is None or mask.any()):
            count = k if part.block.exact else k + spare
            (exact if part.block.exact else near).append(part.block.search(query, count, mask))
    if near:
        ids, _ = _best(near, k + spare)
        exact.append(_compared(query, np.sort(ids), fetch))
    if not exact:
        return []
    ids, scores = _best(exact, k)
    return list(zip(ids.tolist(), scores.tolist(), strict=True))


def cosines_in_parts(
    parts: Sequence[Part], query: NDArray[np.float32], ids: Sequence[int], fetch: Fetch
) -> dict[int, float]:
    """Cosines by id of those ``ids`` that some part has."""
    import numpy as np

    wanted = np.unique(np.array(ids, dtype=np.int64))
    found: dict[int, float] = {}
    elsewhere: list[NDArray[np.int64]] = []
    for part in parts:
        held, _ = _positions(part.block.ids, wanted)
        rows = np.flatnonzero(held if part.live is None else held & part.live)
        if not isinstance(part.block, MemoryBlock | FaissBlock):
            elsewhere.append(part.block.ids[rows])
            continue
        cosines = part.block.vectors(rows).astype(np.float32) @ query
        found.update(zip(part.block.ids[rows].tolist(), cosines.tolist(), strict=True))
    if elsewhere and len(rest := np.unique(np.concatenate(elsewhere))):
        known, scores = _compared(query, rest, fetch)
        found.update(zip(known.tolist(), scores.tolist(), strict=True))
    return found


def _compared(
    query: NDArray[np.float32], ids: NDArray[np.int64], fetch: Fetch
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Ids that still have a vector, and its cosine with the query."""
    import numpy as np

    found, vectors = fetch(ids)
    return found, vectors.astype(np.float32) @ query if len(found) else np.empty(0, dtype=np.float32)


def _best(
    hits: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    import numpy as np

    ids, scores = np.concatenate([each[0] for each in hits]), np.concatenate([each[1] for each in hits])
    best = np.lexsort((ids, -scores))[:k]
    return ids[best], scores[best]


def _allowed_rows(part: Part, scope: ChunkScope | None) -> NDArray[np.bool_] | None:
    if scope is None:
        return part.live
    held = scope.rows(part.block.ids)
    return held if part.live is None else held & part.live


def _positions(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which of ``ids`` are among ``wanted`` (both ascending), and the places of those in ``wanted``."""
    import numpy as np

    if not len(wanted):
        return np.zeros(len(ids), dtype=bool), np.empty(0, dtype=np.int64)
    if len(wanted) < len(ids):
        rows = np.searchsorted(ids, wanted)
        inside = rows < len(ids)
        places = np.flatnonzero(inside)
        places = places[ids[rows[places]] == wanted[places]]
        held = np.zeros(len(ids), dtype=bool)
        held[rows[places]] = True
        return held, places
    places = np.searchsorted(wanted, ids)
    places[places == len(wanted)] = 0
    held = wanted[places] == ids
    return held, places[held]
