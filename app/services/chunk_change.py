"""Changing the size of passages: documents are cut anew one by one, from their stored text.

Each is searchable all the time: its old chunks answer until its new ones are embedded, and both are exchanged in one
transaction. Chunks that come out as they were keep their vectors.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.cancellation import CancelToken
from app.domain.documents import Chunk, DocumentState, ParsedDocument, PlacedSection, Section
from app.domain.errors import UserFacingError, WorkCancelledError
from app.domain.rebuilding import RebuildNews, Rebuilt, TellRebuild, nobody
from app.retrieval.embedder import Embedder
from app.retrieval.search_text import search_text
from app.retrieval.text_splitter import TextSplitter
from app.storage.library_store import LibraryStore
from app.storage.library_values import UnknownDocumentError

log = logging.getLogger(__name__)

EMBEDDED_AT_ONCE = 64
SAMPLE_DOCUMENTS = 8
SAMPLE_CHUNKS = 48
BUSY_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ChunkChangePlan:
    """What another size of passages costs. All but ``documents`` and ``passages_now`` are estimates from a sample."""

    tokens: int
    documents: int
    passages_now: int
    passages_then: int
    to_embed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Cut:
    """A document cut anew: its chunks, and the texts among theirs that have no vector yet."""

    document_id: int
    content_hash: str
    chunks: list[Chunk]
    search_texts: list[str]
    lacking: list[str]


class ChunkChange:
    """Cuts every READY document that was cut to another size. Takes up where it was ended.

    ``changed`` is told after each document. ``busy`` tells that files are being read: they come first. With
    ``known_only``, documents of which nobody knows how they were cut are left alone.
    """

    def __init__(
        self,
        store: LibraryStore,
        open_splitter: Callable[[], TextSplitter],
        open_embedder: Callable[[], Embedder],
        changed: Callable[[], None],
        busy: Callable[[], bool] = lambda: False,
        *,
        known_only: bool = False,
        busy_pause: float = BUSY_PAUSE_SECONDS,
    ) -> None:
        self._store = store
        self._open_splitter = open_splitter
        self._open_embedder = open_embedder
        self._changed = changed
        self._busy = busy
        self._known_only = known_only
        self._busy_pause = busy_pause
        self._token = CancelToken()
        self._thread: threading.Thread | None = None

    def plan(self) -> ChunkChangePlan:
        """Cut and embed a few documents to see what all would cost, storing nothing."""
        splitter = self._open_splitter()
        sizes = self._store.cut_otherwise(splitter.target_tokens, known_only=self._known_only)
        ids = list(sizes)
        sample = [self._cut(splitter, each) for each in ids[:: max(1, len(ids) // SAMPLE_DOCUMENTS)][:SAMPLE_DOCUMENTS]]
        cuts = [each for each in sample if each is not None]
        now, sampled = sum(sizes.values()), sum(sizes[each.document_id] for each in cuts)
        factor = now / sampled if sampled else 0.0
        lacking = [text for cut in cuts for text in cut.lacking]
        to_embed = round(factor * len(lacking))
        then = round(factor * sum(len(each.chunks) for each in cuts))
        seconds = to_embed * self._seconds_a_chunk(lacking)
        return ChunkChangePlan(splitter.target_tokens, len(ids), now, then, to_embed, seconds)

    def run(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Cut all anew. ``progress`` gets (documents done, documents in all).

        Raises ``WorkCancelledError`` after ``close``, ``ModelFileError`` and ``StorageError``. What was cut stays so.
        """
        splitter = self._open_splitter()
        ids = list(self._store.cut_otherwise(splitter.target_tokens, known_only=self._known_only))
        for done, document_id in enumerate(ids, start=1):
            self._pause_while_busy()
            cut = self._cut(splitter, document_id)
            if cut is not None:
                self._exchange(cut, splitter.target_tokens)
            progress(done, len(ids))

    def start(self, tell: TellRebuild = nobody) -> None:
        """Run in the background. ``tell`` is called there."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run_in_background, args=(tell,), name="chunk-change", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Stop; the next ``run`` goes on from here."""
        self._token.cancel()
        if self._thread is not None:
            self._thread.join()

    def _cut(self, splitter: TextSplitter, document_id: int) -> _Cut | None:
        """None for a document that is gone or being read again."""
        try:
            record = self._store.document(document_id)
        except UnknownDocumentError:
            return None
        parsed = self._parsed(document_id, record.title, record.media_type)
        if record.state is not DocumentState.READY or not parsed.sections:
            return None
        chunks = splitter.split(parsed)
        texts = [search_text(parsed.title, each.headings, each.text) for each in chunks]
        known = self._store.embedded_texts(document_id, self._open_embedder().model_key)
        lacking = dict.fromkeys(each.embedded_text for each in chunks if each.embedded_text not in known)
        return _Cut(document_id, record.content_hash, chunks, texts, list(lacking))

    def _parsed(self, document_id: int, title: str, media_type: str) -> ParsedDocument:
        text = self._store.document_text(document_id)
        sections = tuple(
            PlacedSection(
                Section(text[each.start : each.end], each.page, each.headings, each.kind), each.start, each.end
            )
            for each in self._store.sections(document_id)
        )
        return ParsedDocument(text, sections, title, media_type)

    def _exchange(self, cut: _Cut, tokens: int) -> None:
        embedder = self._open_embedder()
        vectors = self._embedded(embedder, cut.lacking)
        with self._store.together():
            if not self._store.replace_document_chunks(
                cut.document_id, cut.content_hash, cut.chunks, cut.search_texts, tokens
            ):
                return
            new = self._store.chunks_without_vector(embedder.model_key, cut.document_id)
            self._store.store_vectors(embedder.model_key, [(each.chunk_id, vectors[each.embed_text]) for each in new])
            self._store.finish(cut.document_id, embedder.model_key)
        self._changed()

    def _embedded(self, embedder: Embedder, texts: Sequence[str]) -> dict[str, bytes]:
        vectors: dict[str, bytes] = {}
        for start in range(0, len(texts), EMBEDDED_AT_ONCE):
            self._token.raise_if_cancelled()
            batch = texts[start : start + EMBEDDED_AT_ONCE]
            rows = embedder.embed_passages(batch).astype("<f2")
            vectors |= {text: row.tobytes() for text, row in zip(batch, rows, strict=True)}
            self._pause_while_busy()
        return vectors

    def _seconds_a_chunk(self, texts: Sequence[str]) -> float:
        if not texts:
            return 0.0
        embedder = self._open_embedder()
        embedder.embed_passages(texts[:1])  # the first opens the engine
        started = time.perf_counter()
        embedder.embed_passages(texts[:SAMPLE_CHUNKS])
        return (time.perf_counter() - started) / len(texts[:SAMPLE_CHUNKS])

    def _pause_while_busy(self) -> None:
        """Files that the user has just added come first."""
        self._token.raise_if_cancelled()
        while self._busy():
            self._token.raise_if_cancelled()
            time.sleep(self._busy_pause)

    def _run_in_background(self, tell: TellRebuild) -> None:
        try:
            self.run(lambda done, total: tell(RebuildNews(Rebuilt.PASSAGES, done, total)))
            end = RebuildNews(Rebuilt.PASSAGES, ended=True)
        except WorkCancelledError:
            log.info("cutting passages to their new size goes on at the next start")
            end = RebuildNews(Rebuilt.PASSAGES, ended=True, stopped=True)
        except UserFacingError as error:  # the edge of a thread; old passages go on answering
            log.warning("passages could not be cut to their new size: %s", error)
            end = RebuildNews(Rebuilt.PASSAGES, ended=True, problem=str(error))
        tell(end)
