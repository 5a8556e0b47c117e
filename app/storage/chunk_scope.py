"""The chunks that a search is limited to, as ranges of ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FEW = 256


@dataclass(frozen=True, eq=False)
class ChunkScope:
    """Ids from ``firsts[i]`` to ``lasts[i]``, both included; ascending, apart from each other, int64.

    Between the ids of chunks may be some that no chunk has (any more). ``documents`` are the ids of the documents that
    they belong to, ascending, or None where only the chunks are known.
    """

    firsts: NDArray[np.int64]
    lasts: NDArray[np.int64]
    documents: NDArray[np.int64] | None = None

    @classmethod
    def of_runs(cls, runs: Sequence[Sequence[int]]) -> ChunkScope:
        """From (document id, first id, last id) in any order; neighbouring runs become one range."""
        import numpy as np

        table = np.array(runs, dtype=np.int64).reshape(-1, 3)
        table = table[np.argsort(table[:, 1])]
        firsts, lasts = table[:, 1], table[:, 2]
        gaps = np.flatnonzero(firsts[1:] > lasts[:-1] + 1)
        starts, ends = np.concatenate(([0], gaps + 1)), np.concatenate((gaps, [len(table) - 1]))
        if not len(table):
            return cls(firsts, lasts, table[:, 0])
        return cls(firsts[starts], lasts[ends], np.unique(table[:, 0]))

    @classmethod
    def of_ids(cls, ids: NDArray[np.int64]) -> ChunkScope:
        """Exactly these chunks; ascending."""
        import numpy as np

        if not len(ids):
            return cls(ids, ids)
        breaks = np.flatnonzero(np.diff(ids) > 1)
        return cls(ids[np.concatenate(([0], breaks + 1))], ids[np.concatenate((breaks, [len(ids) - 1]))])

    @property
    def empty(self) -> bool:
        """Whether it holds nothing at all."""
        return not len(self.firsts)

    @property
    def size(self) -> int:
        """How many chunks it holds at most."""
        return int((self.lasts - self.firsts).sum()) + len(self.firsts)

    def __contains__(self, chunk_id: int) -> bool:
        place = int(self.firsts.searchsorted(chunk_id, side="right")) - 1
        return place >= 0 and chunk_id <= int(self.lasts[place])

    def rows(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of ``ids`` (ascending) it holds, shape (len(ids),)."""
        import numpy as np

        starts = np.searchsorted(ids, self.firsts, side="left")
        stops = np.searchsorted(ids, self.lasts, side="right")
        filled = stops > starts
        starts, stops = starts[filled], stops[filled]
        held = np.zeros(len(ids), dtype=bool)
        if len(starts) <= _FEW:
            for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
                held[start:stop] = True
            return held
        edges = np.zeros(len(ids) + 1, dtype=np.int8)
        edges[starts] += 1
        edges[stops] -= 1
        inside: NDArray[np.bool_] = np.cumsum(edges[:-1], dtype=np.int8).astype(bool)
        return inside
