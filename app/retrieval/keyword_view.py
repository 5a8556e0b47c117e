"""What a keyword search uses from its beginning to its end, whatever changes meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.retrieval.keyword_build import KeywordBuild, stem_words
from app.retrieval.keyword_pairs import ReadTexts, pair_scores
from app.retrieval.keyword_query import KeywordQuery, parse_query
from app.retrieval.keyword_scan import KeywordScan

if TYPE_CHECKING:
    from app.storage.chunk_scope import ChunkScope

WIDE_SHARE = 0.1
"""A scope of a larger share of all chunks is met faster by reading on than by a filter."""

READ_ON = 4
PAIRS_APART_FROM = 300_000
"""Chunks in an index from which neighbouring words are looked for in the best chunks only."""

RANKED_TWICE = 100
"""So many of the best chunks at least."""


@dataclass(frozen=True)
class KeywordView:
    """A build, the chunks in it that are gone, and those it lacks, at the library's change ``seen``."""

    build: KeywordBuild
    gone: frozenset[int] = frozenset()
    rest: KeywordScan = field(default_factory=lambda: KeywordScan(stem_words))
    seen: int | None = None
    pairs_apart_from: int = PAIRS_APART_FROM

    @property
    def sequence(self) -> int:
        """The library's change that this view shows."""
        return self.build.sequence if self.seen is None else self.seen

    @property
    def unwritten(self) -> bool:
        """Whether it shows changes that the files lack."""
        return self.sequence != self.build.sequence

    def chunk_ids(self) -> set[int]:
        """The chunks that a search can find."""
        return (self.build.chunk_ids() - self.gone) | self.rest.chunk_ids()

    def parse(self, text: str) -> KeywordQuery:
        """A user's text as a query, weighed by how often its words occur in the files, or in the rest without any."""
        count = self.build.chunk_count()
        languages = sorted({*self.build.languages, *self.rest.languages()})

        def named(term: str) -> bool:
            return self.build.is_in_title(term) or self.rest.holds(term)

        if count:
            return parse_query(text, stem_words, self.build.document_frequency, count, languages, named)
        return parse_query(text, stem_words, self.rest.frequency, len(self.rest), languages, named)

    def search(self, query: KeywordQuery, k: int, scope: ChunkScope | None, read: ReadTexts) -> list[tuple[int, float]]:
        """(chunk id, share of the query's ceiling) of the at most ``k`` best chunks, best first, equal ones by id."""
        if query.empty:
            return []
        if query.pairs and not query.phrases and self.build.chunk_count() >= self.pairs_apart_from:
            hits = self._ranked_twice(query, k, scope, read)
        else:
            hits = dict(self._indexed(query, k, scope))
        hits.update(
            hit for hit in self.rest.search(query, self.build.average_length()) if scope is None or hit[0] in scope
        )
        best = sorted(hits.items(), key=lambda hit: (-hit[1], hit[0]))[:k]
        # Titles and neighbouring words add a little; where all words are common, that little would exceed the share.
        ceiling = max([query.ceiling, *(score for _, score in best[:1])])
        return [(chunk_id, score / ceiling) for chunk_id, score in best]

    def _ranked_twice(self, query: KeywordQuery, k: int, scope: ChunkScope | None, read: ReadTexts) -> dict[int, float]:
        """The best chunks by words alone, with what neighbouring words add.

        Only a union of plain words lets tantivy skip what can't be among the best: chunks that may hold what is
        misspelt are looked for apart.
        """
        count, words = max(k, RANKED_TWICE), replace(query, pairs=(), misspelt=())
        found = dict(self._indexed(words, count, scope))
        if query.misspelt:
            found.update(self._indexed(replace(query, pairs=(), misspelt_required=True), count, scope))
        hits = dict(sorted(found.items(), key=lambda hit: (-hit[1], hit[0]))[:count])
        bonus = pair_scores(query, list(hits), read, self.build.average_length())
        return {chunk_id: score + bonus.get(chunk_id, 0.0) for chunk_id, score in hits.items()}

    def _indexed(self, query: KeywordQuery, k: int, scope: ChunkScope | None) -> list[tuple[int, float]]:
        documents, limit = (), k
        if scope is not None:
            share = scope.size / max(1, self.build.chunk_count())
            if scope.documents is not None and share < WIDE_SHARE:
                documents = scope.documents.tolist()
            else:
                limit = k * max(1, round(1.5 / share))
        while True:
            hits = self.build.search(query, limit, documents)
            kept = [hit for hit in hits if hit[0] not in self.gone and (scope is None or hit[0] in scope)]
            if len(kept) >= k or len(hits) < limit:
                return kept
            limit *= READ_ON
