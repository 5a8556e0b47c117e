"""Ranks the questions of a retrieval set in a library that was filled as ingestion fills it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.documents import ParsedDocument
from app.domain.passages import Passage, Scope, SearchMode
from app.loaders.parser_pool import ParserPool
from app.retrieval.text_splitter import CHUNK_TOKENS, TextSplitter
from tests.benchmarks.peers.pipeline import Hit
from tests.benchmarks.retrieval_sets import FileDocument, Question, RetrievalSet, TextDocument
from tests.benchmarks.shelf import Shelf

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder


class LibraryOfSet:
    """The documents of a set: parsed, split, embedded, indexed."""

    def __init__(
        self,
        documents: Sequence[TextDocument | FileDocument],
        embedder: Embedder,
        folder: Path,
        *,
        chunk_tokens: int = CHUNK_TOKENS.default,
    ) -> None:
        self.shelf = Shelf(folder, embedder, embedder.model_key)
        self._names: dict[int, str] = {}
        splitter = TextSplitter(embedder.count_tokens, max_tokens=embedder.max_tokens, target_tokens=chunk_tokens)
        with ParserPool() as parser, self.shelf.database.write():
            for document in documents:
                name, parsed = _parsed(document, parser.parse)
                record = self.shelf.put(
                    name, parsed, splitter.split(parsed), embedder.embed_passages, embedder.model_key
                )
                self._names[record] = document.name
        self._ids = {name: ident for ident, name in self._names.items()}
        self.shelf.open()

    def scores(self, each: RetrievalSet, mode: SearchMode) -> dict[str, float]:
        """The set's figures for a ranking in that mode."""
        return self._scored(each, {question.id: self.ranked(question, each.k, mode) for question in each.questions})

    def excerpt_scores(self, each: RetrievalSet) -> dict[str, float]:
        """The set's figures for at most ``k`` excerpts: hits that touch are joined, weak ones are left out."""
        search = self.shelf.retriever.excerpts
        return self._scored(
            each, {one.id: search(one.text, k=each.k, scope=self._scope(one)) for one in each.questions}
        )

    def _scored(self, each: RetrievalSet, passages: dict[str, list[Passage]]) -> dict[str, float]:
        found = {ident: [self._hit(passage) for passage in ranked] for ident, ranked in passages.items()}
        tokens = {ident: [passage.token_count for passage in ranked] for ident, ranked in passages.items()}
        return each.scorer(found, tokens)

    def ranked(self, question: Question, k: int, mode: SearchMode) -> list[Passage]:
        """The best passages for a question."""
        return self.shelf.retriever.search(question.text, k=k, mode=mode, scope=self._scope(question))

    def _scope(self, question: Question) -> Scope:
        return Scope(document_ids=frozenset({self._ids[question.document]})) if question.document else Scope()

    def close(self) -> None:
        """Close all but the embedder."""
        self.shelf.close()

    def _hit(self, passage: Passage) -> Hit:
        return Hit(self._names[passage.document_id], passage.start, passage.end, "", passage.page)


def _parsed(
    document: TextDocument | FileDocument, parse: Callable[[Path], ParsedDocument]
) -> tuple[str, ParsedDocument]:
    """The file name, which searches know, and what stands in the document."""
    if isinstance(document, FileDocument):
        return document.path.name, parse(document.path)
    return document.name, document.parsed()
