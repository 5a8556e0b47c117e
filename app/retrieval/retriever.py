"""Searching the library: by meaning, by words, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import chain, islice
from operator import add
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.domain.passages import Passage, Scope, SearchMode
from app.retrieval.context_budget import joined, tokens_of, within_budget
from app.retrieval.deduplication import fold_duplicates
from app.retrieval.diversity import spread_over_pages
from app.retrieval.excerpts import MOST_HITS_PER_EXCERPT, excerpts
from app.retrieval.figures import asks_for_figures, figures_bonuses
from app.retrieval.fusion import Candidate, fuse
from app.retrieval.keyword_context import with_neighbours
from app.retrieval.keyword_query import holds_phrases, quoted_phrases
from app.retrieval.named_files import name_bonuses
from app.retrieval.query_language import LATIN, query_language, query_script
from app.retrieval.query_vectors import QueryVectors
from app.retrieval.query_vocabulary import widened
from app.retrieval.reranker import RERANKED, RERANKER_MODEL, SecondRanking
from app.retrieval.search_text import unspaced_share
from app.settings.setting import Setting
from app.storage.library_values import UnknownDocumentError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.retrieval.embedder import Embedder
    from app.retrieval.keyword_index import KeywordIndex
    from app.retrieval.vector_index import VectorIndex
    from app.storage.chunk_scope import ChunkScope
    from app.storage.library_store import LibraryStore

T = TypeVar("T")

DENSE_WEIGHT = Setting(
    "retrieval.dense_weight",
    0.5,
    "Meaning against words",
    "Share of the meaning of a text, against its words, in the order of results: 0 goes by words alone, 1 by meaning.",
    minimum=0.0,
    maximum=1.0,
)
FOLD_DUPLICATES = Setting(
    "retrieval.fold_duplicates", True, "Show equal passages once", "Of several copies, the newest file is shown."
)
NEIGHBOURS = Setting(
    "retrieval.neighbours",
    0,
    "Passages around a hit",
    "So many passages before and after each hit are given to the model as well.",
    minimum=0,
    maximum=3,
)

MODEL_LANGUAGES = frozenset({"en"})
"""Languages of the default embedding model."""

OTHER_SCRIPTS = frozenset(
    {"ar", "bg", "el", "fa", "he", "hi", "hy", "ja", "ka", "ko", "ru", "sr", "th", "uk", "ur", "zh"}
)
"""Some of the languages that are not written in Latin letters: a model that knows one was made for such scripts."""

FOREIGN_TRUST = 0.4
"""How much of the dense weight is left for a query in another language of the same script."""

FOREIGN_SCRIPT_TRUST = 0.03
"""The same for another script, where the default model tells hardly one text from another."""

UNSPACED = 0.5
"""Share of a query's letters in scripts without spaces from which it counts as written in one."""

CANDIDATES = 100
CANDIDATES_PER_RESULT = 4
CONTEXT_CANDIDATES = 60
SPREAD = 2
"""Passages, for each that is asked for, among which those of many pages are chosen."""

SEARCHES_AT_ONCE = 4
SPARE = 5
"""Passages read beyond those asked for, as some may say the same."""


class Settings(Protocol):
    """Where values of settings come from."""

    def __getitem__(self, setting: Setting[T]) -> T: ...


class Retriever:
    """Finds passages. Thread-safe; never waits for ingestion.

    ``model_languages`` are the ISO 639-1 codes the embedding model knows, None for any. With ``follow`` each search
    takes over first what changed in the library, as far as that is quick. Methods may raise ``StorageError`` and
    what loading the model raises (``ModelFileError``).
    """

    def __init__(
        self,
        store: LibraryStore,
        embedder_factory: Callable[[], Embedder],
        vector_index: VectorIndex,
        keyword_index: KeywordIndex,
        settings: Settings,
        *,
        model_languages: frozenset[str] | None = MODEL_LANGUAGES,
        follow: bool = False,
        second: SecondRanking | None = None,
    ) -> None:
        self._store = store
        self._dense = (QueryVectors(embedder_factory), vector_index)
        self._keyword_index = keyword_index
        self._settings = settings
        self._model_languages = model_languages
        self._follow = follow
        self._second = second or SecondRanking(lambda: settings[RERANKER_MODEL])
        # Meaning is searched beside words; the threads stay, as each has a connection to the library.
        self._beside = ThreadPoolExecutor(SEARCHES_AT_ONCE, thread_name_prefix="search-by-meaning")

    def close(self) -> None:
        """Take no more searches. Those under way end by themselves: one may be waiting for its model to be prepared."""
        self._beside.shutdown(wait=False)

    def serve(self, embedder_factory: Callable[[], Embedder], vector_index: VectorIndex) -> None:
        """Answer with another embedding model from the next search on; searches under way end with the one before."""
        self._dense = (QueryVectors(embedder_factory), vector_index)

    @property
    def ranks_again(self) -> bool:
        """Whether a second model orders the best passages of a hybrid search."""
        return self._second.active

    def search(
        self, query: str, *, k: int = 10, mode: SearchMode = SearchMode.HYBRID, scope: Scope | None = None
    ) -> list[Passage]:
        """The at most ``k`` best passages, best first; none for a query without any text.

        What stands in quotation marks must be in a passage word for word, if any holds it.
        """
        if k <= 0 or not query.strip():
            return []
        allowed = self._store.chunk_scope(scope or Scope())
        if self._follow:
            self._dense[1].follow()
            self._keyword_index.follow()
        candidates = self._candidates(query, max(CANDIDATES, CANDIDATES_PER_RESULT * k), mode, allowed)
        if mode is not SearchMode.DENSE:
            candidates = self._with_phrases(query, candidates)
        if mode is SearchMode.HYBRID:
            candidates = self._ranked_again(query, candidates)
        passages = self._passages(candidates, SPREAD * k + SPARE)
        if mode is not SearchMode.HYBRID or not self.ranks_again:  # spreading goes by the fused scores
            passages = self._spread(query, passages, k)
        if not self._settings[FOLD_DUPLICATES]:
            return list(islice(passages, k))
        return fold_duplicates(passages, k, self._is_newer)

    def excerpts(self, query: str, *, k: int = 5, scope: Scope | None = None) -> list[Passage]:
        """At most ``k`` passages that answer the query, best first: hits that touch are joined, weak ones left out."""
        found = self.search(query, k=MOST_HITS_PER_EXCERPT * k, scope=scope)
        return excerpts(found, k, self._store.document_text)

    def context(self, query: str, *, token_budget: int, scope: Scope | None = None) -> list[Passage]:
        """The best passages that fit into ``token_budget`` tokens of the embedding model, best first."""
        found = self.search(query, k=CONTEXT_CANDIDATES, scope=scope)
        neighbours = self._settings[NEIGHBOURS]
        if not neighbours:
            return within_budget(found, token_budget)
        chosen: list[Passage] = []
        for passage in found:
            wider = joined([*chosen, *self._around(passage, neighbours)], self._store.document_text)
            if sum(map(tokens_of, wider)) > token_budget:
                break
            chosen = wider
        return chosen or within_budget(found, token_budget)

    @staticmethod
    def _spread(query: str, passages: Iterator[Passage], k: int) -> Iterator[Passage]:
        """The best of them spread over pages, those of files that the query names first; the rest as it is."""
        best = list(islice(passages, SPREAD * k + SPARE))
        bonuses = name_bonuses(query, best)
        if asks_for_figures(widened(query)):
            bonuses = list(map(add, bonuses, figures_bonuses(best)))
        return chain(spread_over_pages(best, bonuses), passages)

    def _candidates(self, query: str, count: int, mode: SearchMode, allowed: ChunkScope | None) -> list[Candidate]:
        wide = widened(query)
        if mode is SearchMode.KEYWORD:
            return fuse([], self._keyword(wide, count, allowed, self._trust(query)), {}, dense_weight=0.0)
        vectors, index = self._dense
        if mode is SearchMode.DENSE:
            return fuse(index.search(vectors.vector(wide), count, allowed), [], {}, dense_weight=1.0)
        vector: Future[NDArray[np.float32]] = Future()
        near = self._beside.submit(lambda: index.search(_told(vectors.vector, wide, vector), count, allowed))
        trust = self._trust(query)
        keyword = self._keyword(wide, count, allowed, trust)
        known = dict(near.result()) if near.done() else {}  # while that goes on, a few cosines twice cost nothing
        cosines = index.cosines(vector.result(), [chunk_id for chunk_id, _ in keyword if chunk_id not in known])
        return fuse(near.result(), keyword, cosines, self._settings[DENSE_WEIGHT] * trust)

    def _keyword(self, query: str, count: int, allowed: ChunkScope | None, trust: float) -> list[tuple[int, float]]:
        if trust != 1.0 and unspaced_share(query) >= UNSPACED:
            return self._keyword_index.search_wide(query, count, allowed)
        hits = self._keyword_index.search(query, count, allowed)
        if trust == 1.0:
            return hits
        beside = {each for chunk_id, _ in hits for each in (chunk_id - 1, chunk_id, chunk_id + 1)}
        rows = self._store.search_rows_of(sorted(beside))
        return with_neighbours(hits, {row[0]: row[4] for row in rows})

    def _trust(self, query: str) -> float:
        """How far the embedding model knows the language of a query, 0 to 1. Asks for the model only where needed."""
        latin = query_script(query) == LATIN
        language = query_language(query) if latin else None
        if latin and (language is None or language in MODEL_LANGUAGES):
            return 1.0
        known = self._dense[0].languages(self._model_languages)
        if known is None:
            return 1.0
        if latin:
            return 1.0 if language in known else FOREIGN_TRUST
        return FOREIGN_SCRIPT_TRUST if known.isdisjoint(OTHER_SCRIPTS) else 1.0

    def _passages(self, candidates: Sequence[Candidate], at_once: int) -> Iterator[Passage]:
        """Candidates as passages, read in batches; those that the library does not show (any more) are left out."""
        for start in range(0, len(candidates), at_once):
            batch = candidates[start : start + at_once]
            stored = self._store.passages([candidate.chunk_id for candidate in batch])
            for candidate in batch:
                if candidate.chunk_id in stored:
                    yield _scored(stored[candidate.chunk_id], candidate)

    def _with_phrases(self, query: str, candidates: list[Candidate]) -> list[Candidate]:
        phrases = quoted_phrases(query)
        if not phrases:
            return candidates
        rows = self._store.search_rows_of([candidate.chunk_id for candidate in candidates])
        exact = {row[0] for row in rows if holds_phrases(row[1], phrases)}
        return [candidate for candidate in candidates if candidate.chunk_id in exact] or candidates

    def _ranked_again(self, query: str, candidates: list[Candidate]) -> list[Candidate]:
        """The best in the order of the second ranking, if there is one."""
        if not self._second.active:
            return candidates
        stored = self._store.passages([each.chunk_id for each in candidates[:RERANKED]])
        shown = [each for each in candidates[:RERANKED] if each.chunk_id in stored]
        texts = [stored[each.chunk_id].text for each in shown]
        return self._second.ordered(query, [*shown, *candidates[RERANKED:]], texts)

    def _is_newer(self, passage: Passage, other: Passage) -> bool:
        try:
            one, two = self._store.document(passage.document_id), self._store.document(other.document_id)
        except UnknownDocumentError:  # removed since the search began
            return False
        return one.stamp.mtime_ns > two.stamp.mtime_ns

    def _around(self, passage: Passage, count: int) -> list[Passage]:
        """The passage, which keeps its scores, and the passages before and after it."""
        ids = self._store.neighbours(passage.chunk_id, count, count)
        stored = self._store.passages(ids)
        return [passage, *(stored[each] for each in ids if each in stored and each != passage.chunk_id)]


def _told(make: Callable[[str], T], text: str, future: Future[T]) -> T:
    """What ``make`` returns or raises, which ``future`` learns as well."""
    try:
        made = make(text)
    except BaseException as error:
        future.set_exception(error)
        raise
    future.set_result(made)
    return made


def _scored(passage: Passage, candidate: Candidate) -> Passage:
    return replace(
        passage,
        score=candidate.score,
        similarity=candidate.similarity,
        dense_rank=candidate.dense_rank,
        keyword_rank=candidate.keyword_rank,
    )
