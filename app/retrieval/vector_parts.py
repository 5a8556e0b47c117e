"""Parts of the vector index: a block of vectors and which of its rows count. Values, exchanged as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from app.retrieval.vector_blocks import VectorBlock
from app.storage.library_values import IndexSegment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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

    def limited_to(self, live: NDArray[np.bool_]) -> Part:
        """This part with exactly these rows counting."""
        return replace(self, live=None if live.all() else live)


def live_rows(part: Part) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Ids and vectors of the rows that count."""
    rows = slice(None) if part.live is None else part.live
    return part.block.ids[rows], part.block.vectors(rows)


def live_ids(parts: Sequence[Part]) -> NDArray[np.int64]:
    """All ids that count, ascending."""
    import numpy as np

    none = np.empty(0, dtype=np.int64)
    return np.sort(np.concatenate([none, *(p.block.ids if p.live is None else p.block.ids[p.live] for p in parts)]))


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
    parts: Sequence[Part], query: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None
) -> list[tuple[int, float]]:
    """The at most ``k`` best rows of all parts as (id, cosine), best first, equal ones by id."""
    import numpy as np

    if k <= 0:
        return []
    ids: list[NDArray[np.int64]] = []
    scores: list[NDArray[np.float32]] = []
    for part in parts:
        mask = _allowed_rows(part, allowed)
        if part.live_count and (mask is None or mask.any()):
            found, cosines = part.block.search(query, k, mask)
            ids.append(found)
            scores.append(cosines)
    if not ids:
        return []
    all_ids, all_scores = np.concatenate(ids), np.concatenate(scores)
    best = np.lexsort((all_ids, -all_scores))[:k]
    return list(zip(all_ids[best].tolist(), all_scores[best].tolist(), strict=True))


def cosines_in_parts(parts: Sequence[Part], query: NDArray[np.float32], ids: Sequence[int]) -> dict[int, float]:
    """Cosines by id of those ``ids`` that some part has."""
    import numpy as np

    wanted = np.unique(np.array(ids, dtype=np.int64))
    found: dict[int, float] = {}
    for part in parts:
        held, _ = _positions(part.block.ids, wanted)
        rows = np.flatnonzero(held if part.live is None else held & part.live)
        cosines = part.block.vectors(rows).astype(np.float32) @ query
        found.update(zip(part.block.ids[rows].tolist(), cosines.tolist(), strict=True))
    return found


def _allowed_rows(part: Part, allowed: NDArray[np.int64] | None) -> NDArray[np.bool_] | None:
    if allowed is None:
        return part.live
    held, _ = _positions(part.block.ids, allowed)
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
