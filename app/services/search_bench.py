"""One query, and where each ranking puts each passage."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.domain.citations import Citation
from app.domain.documents import Box
from app.domain.passages import Passage, Scope, SearchMode
from app.domain.search_comparison import BenchRow
from app.retrieval.reranker import RERANKED
from app.retrieval.retriever import Retriever

COMPARED = 100
"""Passages asked of each ranking, so that one that is high in one is mostly found in the others."""

Boxes = Callable[[Passage, int, int], tuple[Box, ...]]


class SearchBench:
    """Compares rankings; changes nothing. Methods block; they raise what the library and the search model raise."""

    def __init__(self, open_retriever: Callable[[], Retriever], boxes: Boxes) -> None:
        self._open_retriever = open_retriever
        self._boxes = boxes

    def compare(self, query: str, *, k: int = 20, scope: Scope | None = None) -> list[BenchRow]:
        """All passages among the first ``k`` of any ranking, in the order of the final one; the others at the end."""
        retriever = self._open_retriever()
        found = {
            mode: retriever.search(query, k=max(k, COMPARED), mode=mode, scope=scope)
            for mode in (SearchMode.HYBRID, SearchMode.DENSE, SearchMode.KEYWORD)
        }
        again = RERANKED if retriever.ranks_again else 0
        return side_by_side(
            found[SearchMode.HYBRID], found[SearchMode.DENSE], found[SearchMode.KEYWORD], k, reranked=again
        )

    def citation(self, passage: Passage) -> Citation:
        """The passage as the viewer opens it."""
        return Citation(
            number=1,
            document_id=passage.document_id,
            path=passage.path,
            title=passage.title,
            file_hash=passage.file_hash,
            start=passage.start,
            end=passage.end,
            quote=passage.text,
            page=passage.page,
            boxes=self._boxes(passage, passage.start, passage.end),
            score=passage.score,
        )


def side_by_side(
    fused: Sequence[Passage], dense: Sequence[Passage], keyword: Sequence[Passage], k: int, *, reranked: int = 0
) -> list[BenchRow]:
    """Three rankings of one query as one table. ``reranked`` is how many of the fused one were ranked again."""
    sides = [fused, *(sorted(side, key=lambda each: -each.score) for side in (fused, dense, keyword))]
    ranks = [{each.chunk_id: rank for rank, each in enumerate(side, 1)} for side in sides]
    final, by_both, by_meaning, by_words = ranks
    scores = {each.chunk_id: each.score for each in fused}
    cosines = {each.chunk_id: each.similarity for each in (*fused, *dense) if each.similarity is not None}
    keyword_scores = {each.chunk_id: each.score for each in keyword}
    passages = {each.chunk_id: each for each in (*keyword, *dense, *fused)}
    shown = [each for each in passages if any(side.get(each, k + 1) <= k for side in ranks)]
    rows = [
        BenchRow(
            passages[each],
            final.get(each),
            final.get(each) if by_both.get(each, reranked + 1) <= reranked else None,
            by_both.get(each),
            by_meaning.get(each),
            by_words.get(each),
            cosines.get(each),
            keyword_scores.get(each),
            scores.get(each),
        )
        for each in shown
    ]
    last = len(passages) + 1
    return sorted(rows, key=lambda row: (row.final_rank or last, row.dense_rank or last, row.keyword_rank or last))
