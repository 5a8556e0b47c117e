"""What a keyword search uses from its beginning to its end, whatever changes meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from app.retrieval.keyword_build import KeywordBuild, stem_words
from app.retrieval.keyword_query import KeywordQuery, parse_query
from app.retrieval.keyword_scan import KeywordScan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_RANGES = 64
"""A scope in more pieces than this is met faster by reading on than by filtering."""

READ_ON = 4


class IdScope:
    """Ids (ascending) that a search is limited to."""

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    @cached_property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The ids as ranges, both ends included; none if they are in more than ``MOST_RANGES`` pieces."""
        import numpy as np

        breaks = np.flatnonzero(np.diff(self._ids) > 1)
        if len(breaks) >= MOST_RANGES:
            return ()
        firsts = self._ids[np.concatenate(([0], breaks + 1))].tolist()
        lasts = self._ids[np.concatenate((breaks, [len(self._ids) - 1]))].tolist()
        return tuple(zip(firsts, lasts, strict=True))

    def __contains__(self, chunk_id: int) -> bool:
        place = int(self._ids.searchsorted(chunk_id))
        return place < len(self._ids) and int(self._ids[place]) == chunk_id


@dataclass(frozen=True)
class KeywordView:
    """A build, the chunks in it that are gone, and those it lacks, at the library's change ``seen``."""

    build: KeywordBuild
    gone: frozenset[int] = frozenset()
    rest: KeywordScan = field(default_factory=lambda: KeywordScan(stem_words))
    seen: int | None = None

    @property
    def sequence(self) -> int:
        """The library's change that this view shows."""
        return self.build.sequence if self.seen is None else self.seen

    @property
    def unwritten(self) -> bool:
        """Whether it shows changes that the files lack."""
        return self.sequence != self.build.sequence

    def parse(self, text: str) -> KeywordQuery:
        """A user's text as a query, weighed by how often its words occur in the files, or in the rest without any."""
        count = self.build.chunk_count()
        if count:
            return parse_query(text, stem_words, self.build.document_frequency, count)
        return parse_query(text, stem_words, self.rest.frequency, len(self.rest))

    def search(self, query: KeywordQuery, k: int, scope: IdScope | None) -> list[tuple[int, float]]:
        """(chunk id, share of the query's ceiling) of the at most ``k`` best chunks, best first, equal ones by id."""
        if query.empty:
            return []
        hits = dict(self._indexed(query, k, scope))
        hits.update(
            hit for hit in self.rest.search(query, self.build.average_length()) if scope is None or hit[0] in scope
        )
        best = sorted(hits.items(), key=lambda hit: (-hit[1], hit[0]))[:k]
        # Titles and neighbouring words add a little; where all words are common, that little would exceed the share.
        ceiling = max([query.ceiling, *(score for _, score in best[:1])])
        return [(chunk_id, score / ceiling) for chunk_id, score in best]

    def _indexed(self, query: KeywordQuery, k: int, scope: IdScope | None) -> list[tuple[int, float]]:
        ranges = scope.ranges if scope is not None else ()
        limit = k
        if scope is not None and not ranges:
            limit = k * max(1, self.build.chunk_count() * 3 // (2 * len(scope)))
        while True:
            hits = self.build.search(query, limit, ranges)
            kept = [hit for hit in hits if hit[0] not in self.gone and (scope is None or hit[0] in scope)]
            if len(kept) >= k or len(hits) < limit:
                return kept
            limit *= READ_ON
