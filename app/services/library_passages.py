"""Passages as tools, pinned files and whole-document tasks take them: by search, by document, by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from app.domain.documents import DocumentRecord, DocumentState
from app.domain.passages import Passage, Scope
from app.retrieval.context_budget import tokens_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.storage.library_store import LibraryStore

MOST_PASSAGES = 900
PART_TOKENS = 400
"""About how many tokens a part of a document without pages has."""

_READABLE = frozenset({DocumentState.READY, DocumentState.OFFLINE})


class Finder(Protocol):
    """What is needed of the retriever."""

    def search(self, query: str, *, k: int = 10, scope: Scope | None = None) -> list[Passage]:
        """The ``k`` best passages, best first. Blocks."""
        ...

    def excerpts(self, query: str, *, k: int = 5, scope: Scope | None = None) -> list[Passage]:
        """At most ``k`` places that answer, best first: passages that touch are joined. Blocks."""
        ...


class AttachedFiles(Protocol):
    """The files attached to a chat, which no library knows."""

    def search(self, session_id: str, query: str, k: int) -> list[Passage]:
        """The ``k`` best passages of them, best first. Blocks."""
        ...

    def records(self, session_id: str) -> list[DocumentRecord]:
        """What they are, as documents. Blocks."""
        ...

    def passages_of(self, document_id: int) -> list[Passage]:
        """All passages of one of them, in order. Blocks."""
        ...

    def swept(self, document_ids: Collection[int], query: str) -> list[tuple[Passage, str]]:
        """All passages of some of them with their cosine to ``query`` and their words in an index. Blocks."""
        ...


@dataclass(frozen=True, slots=True)
class Swept:
    """A passage as a sweep over documents meets it: its words as an index has them, its cosine with what is sought.

    ``passage`` is the passage itself where it was at hand.
    """

    chunk_id: int
    document_id: int
    words: str
    cosine: float
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A page, or a part of a document without pages: its number, from 1, and what stands there as one passage."""

    number: int
    passage: Passage


class LibraryPassages:
    """All of it blocks. ``attached`` is searched where a scope names a session. Ids of attached files are negative."""

    def __init__(
        self, store: LibraryStore, open_finder: Callable[[], Finder], attached: AttachedFiles | None = None
    ) -> None:
        self._store = store
        self._open_finder = open_finder
        self._attached = attached

    def search(self, query: str, *, k: int, scope: Scope) -> list[Passage]:
        """The ``k`` best passages, best first."""
        return self._with_attached(query, k, scope, self._open_finder().search(query, k=k, scope=scope))

    def excerpts(self, query: str, *, k: int, scope: Scope) -> list[Passage]:
        """At most ``k`` places that answer, best first: passages that touch are joined, weak ones left out."""
        return self._with_attached(query, k, scope, self._open_finder().excerpts(query, k=k, scope=scope))

    def _with_attached(self, query: str, k: int, scope: Scope, found: Sequence[Passage]) -> list[Passage]:
        own = self._attached.search(scope.session, query, k) if self._attached and scope.session else []
        return sorted([*own, *found], key=lambda each: -each.score)[:k]

    def documents(self, scope: Scope) -> list[DocumentRecord]:
        """The documents in ``scope``, in whatever state, by path; attached files first."""
        own = self._attached.records(scope.session) if self._attached and scope.session else []
        return [*own, *self._store.documents_in(scope)]

    def swept(
        self, documents: Iterable[DocumentRecord], query: str, vector: NDArray[np.float32], model_key: str
    ) -> Iterator[Swept]:
        """Every passage of ``documents``, also of attached ones. ``vector`` is that of ``query`` by ``model_key``."""
        ids = {each.id for each in documents}
        own = [each for each in ids if each < 0]
        if self._attached and own:
            for passage, words in self._attached.swept(own, query):
                yield Swept(passage.chunk_id, passage.document_id, words, passage.similarity or 0.0, passage)
        found = self._store.chunk_ids_in_scope(Scope(document_ids=frozenset(ids.difference(own))))
        chunk_ids = [] if found is None else found.tolist()
        known, matrix = self._store.vectors_of(model_key, chunk_ids)
        cosines = (matrix.astype("float32") @ vector).tolist() if len(known) else []
        cosine_of = dict(zip(known.tolist(), cosines, strict=True))
        for chunk_id, words, _, _, document_id in self._store.search_rows_of(chunk_ids):
            yield Swept(chunk_id, document_id, words, cosine_of.get(chunk_id, 0.0))

    def by_id(self, chunk_ids: Iterable[int]) -> dict[int, Passage]:
        """Passages of the library; those that are gone are left out."""
        return self._store.passages(chunk_ids)

    def whole(self, document_id: int) -> list[Passage]:
        """All of a document in at most ``MOST_PASSAGES`` passages, so that each can have an id of three figures."""
        passages = self.passages_of(document_id)
        if len(passages) <= MOST_PASSAGES:
            return passages
        text = self._text(document_id, passages)
        size = 2 * sum(map(tokens_of, passages)) // MOST_PASSAGES + 1
        return [merged(group, text) for group in packed(passages, size)]

    def passages_of(self, document_id: int) -> list[Passage]:
        """All passages of a document in the order of its text; none of one that is not there or hidden."""
        if document_id < 0:
            return self._attached.passages_of(document_id) if self._attached else []
        ids = self._store.chunk_ids_in_scope(Scope(document_ids=frozenset({document_id})))
        found = self._store.passages(() if ids is None else map(int, ids))
        return sorted(found.values(), key=lambda each: each.start)

    def parts(self, document_id: int) -> list[Part]:
        """The pages of a document, or parts of about ``PART_TOKENS`` tokens where it has none."""
        passages = self.passages_of(document_id)
        if not passages:
            return []
        text = self._text(document_id, passages)
        if passages[0].page is None:
            groups: Iterable[tuple[int, Sequence[Passage]]] = enumerate(packed(passages, PART_TOKENS), start=1)
        else:
            groups = ((page or 0, list(each)) for page, each in groupby(passages, key=lambda each: each.page))
        return [Part(number, merged(group, text)) for number, group in groups]

    def _text(self, document_id: int, passages: Sequence[Passage]) -> str:
        if document_id >= 0:
            return self._store.document_text(document_id)
        text = ""  # chunks never overlap and hold every character that is not white space
        for each in passages:
            text = f"{text}{' ' * (each.start - len(text))}{each.text}"
        return text


def is_readable(record: DocumentRecord) -> bool:
    """Whether the text of a document was read and is shown."""
    return record.state in _READABLE and record.chunk_count > 0


def packed(passages: Sequence[Passage], tokens: int) -> Iterator[list[Passage]]:
    """Passages in groups of at most so many tokens, at least one in each."""
    group: list[Passage] = []
    size = 0
    for each in passages:
        if group and size + tokens_of(each) > tokens:
            yield group
            group, size = [], 0
        group.append(each)
        size += tokens_of(each)
    if group:
        yield group


def merged(passages: Sequence[Passage], text: str) -> Passage:
    """Neighbouring passages of one document, whose text is ``text``, as one."""
    first, last = passages[0], passages[-1]
    common = [each for each in first.headings if all(each in other.headings for other in passages)]
    return replace(
        first,
        end=last.end,
        text=text[first.start : last.end],
        headings=tuple(common),
        token_count=sum(map(tokens_of, passages)),
    )
