"""The later stages of ingestion: split, embed, store. Many small documents share batches and transactions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.domain.documents import Chunk, ParsedDocument
from app.domain.errors import DocumentError, FailureReason, FootnoteError
from app.jobs.rate import RateMeter
from app.jobs.stage import Stage
from app.retrieval.embedder import Embedder
from app.retrieval.search_text import search_text
from app.retrieval.text_splitter import TextSplitter
from app.services.ingest_item import EmbedGroup, IngestItem, VectorGroup, group_chunks
from app.services.ingest_settling import Settlement
from app.storage.library_store import LibraryStore
from app.storage.library_values import ChunkToEmbed, UnknownDocumentError


@dataclass(frozen=True, slots=True)
class _Content:
    """What is stored of a document."""

    item: IngestItem
    parsed: ParsedDocument
    chunks: list[Chunk]
    search_texts: list[str]
    chunk_tokens: int


class Splitting:
    """Work of the stage: cuts documents into chunks, stores them and passes on those that lack a vector."""

    def __init__(
        self,
        store: LibraryStore,
        settlement: Settlement,
        open_splitter: Callable[[], TextSplitter],
        open_embedder: Callable[[], Embedder],
        following: Stage[EmbedGroup],
    ) -> None:
        self._store = store
        self._settlement = settlement
        self._open_splitter = open_splitter
        self._open_embedder = open_embedder
        self._following = following

    def work(self, items: list[IngestItem]) -> None:
        """One transaction for all of them."""
        contents = self._split(items)
        waiting = [item for item in items if item.only_vectors and not item.settled]
        model_key = self._open_embedder().model_key
        with self._store.together():
            stored = [content.item for content in contents if self._put(content)]
            lacking = {item: self._lacking(item, model_key) for item in [*stored, *waiting]}
            complete = {item for item, chunks in lacking.items() if not chunks and self._finish(item, model_key)}
        for item, chunks in lacking.items():
            item.job.was_split(item.path, len(chunks))
            if item in complete:
                self._settlement.finished(item, item.outcome())
            else:
                groups = group_chunks(item, chunks)
                item.open_groups = len(groups)
                self._following.pass_on(groups, item.job.lane)

    def _split(self, items: list[IngestItem]) -> list[_Content]:
        to_split = [item for item in items if not self._settlement.left_out(item) and item.parsed is not None]
        try:
            documents = [item.parsed for item in to_split if item.parsed is not None]
            splitter = self._open_splitter()
            chunks = splitter.split_all(documents)
        except Exception as error:
            if len(to_split) == 1 or isinstance(error, FootnoteError):
                raise  # to the edge of the thread
            # A bug met with several documents: find the one that it is about.
            return [content for item in to_split for content in self._split_alone(item)]
        tokens = splitter.target_tokens
        found = [self._content(*each, tokens) for each in zip(to_split, documents, chunks, strict=True)]
        return [content for content in found if content]

    def _split_alone(self, item: IngestItem) -> list[_Content]:
        try:
            return self._split([item])
        except Exception as error:  # noqa: BLE001 - the worker's edge, for each document of its batch
            self._settlement.failed(item, error)
            return []

    def _content(self, item: IngestItem, parsed: ParsedDocument, chunks: list[Chunk], tokens: int) -> _Content | None:
        if not chunks:
            self._settlement.failed(item, DocumentError(FailureReason.EMPTY, "There is no text in this file."))
            return None
        item.parsed = None
        item.pages, item.chunk_count = parsed.page_count, len(chunks)
        item.warning = parsed.metadata.get("warning", "")
        texts = [search_text(parsed.title, each.headings, each.text) for each in chunks]
        return _Content(item, parsed, chunks, texts, tokens)

    def _put(self, content: _Content) -> bool:
        item = content.item
        try:
            self._store.replace_content(
                item.document_id,
                content.parsed,
                item.content_hash,
                content.chunks,
                content.search_texts,
                item.stamp,
                chunk_tokens=content.chunk_tokens,
            )
        except UnknownDocumentError as error:
            self._settlement.failed(item, error)
            return False
        return True

    def _lacking(self, item: IngestItem, model_key: str) -> list[ChunkToEmbed]:
        """Not only new chunks: kept ones may have been embedded by another model."""
        return self._store.chunks_without_vector(model_key, item.document_id)

    def _finish(self, item: IngestItem, model_key: str) -> bool:
        try:
            return self._store.finish(item.document_id, model_key)
        except UnknownDocumentError as error:
            self._settlement.failed(item, error)
            return True


class Embedding:
    """Work of the stage: computes the vectors of as many chunks, of whichever documents, as fill the engine."""

    def __init__(
        self, settlement: Settlement, open_embedder: Callable[[], Embedder], following: Stage[VectorGroup]
    ) -> None:
        self._settlement = settlement
        self._open_embedder = open_embedder
        self._following = following

    def work(self, groups: list[EmbedGroup]) -> None:
        """The engine sorts texts by length, so documents may come in any order."""
        groups = [group for group in groups if not self._settlement.left_out(group.item)]
        if not groups:
            return
        embedder = self._open_embedder()
        vectors = embedder.embed_passages([text for group in groups for text in group.texts]).astype("<f2")
        position = 0
        for group in groups:
            rows = [(chunk_id, vectors[position + row].tobytes()) for row, chunk_id in enumerate(group.chunk_ids)]
            position += len(rows)
            self._following.pass_on([VectorGroup(group.item, rows, embedder.model_key)], group.item.job.lane)


class Storing:
    """Work of the stage: stores vectors and shows the documents that are complete with them. One transaction."""

    def __init__(self, store: LibraryStore, settlement: Settlement, meter: RateMeter) -> None:
        self._store = store
        self._settlement = settlement
        self._meter = meter

    def work(self, groups: list[VectorGroup]) -> None:
        """Vectors of several documents at once; none is shown before its last one is on the disk."""
        by_model: dict[str, list[tuple[int, bytes]]] = {}
        for group in groups:
            by_model.setdefault(group.model_key, []).extend(group.rows)
            group.item.open_groups -= 1
        last = {group.item: group.model_key for group in groups if group.item.open_groups == 0}
        with self._store.together():
            for model_key, rows in by_model.items():
                self._store.store_vectors(model_key, rows)
            complete = [item for item, model_key in last.items() if self._finish(item, model_key)]
        self._meter.did(sum(len(group.rows) for group in groups))
        for group in groups:
            group.item.job.embedded(group.item.path, len(group.rows))
        for item in complete:
            self._settlement.finished(item, item.outcome())

    def _finish(self, item: IngestItem, model_key: str) -> bool:
        try:
            complete = self._store.finish(item.document_id, model_key)
        except UnknownDocumentError as error:
            self._settlement.failed(item, error)
            return False
        if not complete:  # its text was replaced by someone else meanwhile
            self._settlement.failed(item, UnknownDocumentError(item.document_id))
        return complete
