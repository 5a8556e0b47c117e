"""The parts of a library: databases, indexes, engines and workers, each made once and when it is first needed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.rebuilding import TellRebuild, nobody
from app.services.index_refresher import IndexRefresher
from app.services.lazy import Lazy
from app.settings.paths import AppPaths
from app.storage.library_lock import LibraryLock
from app.storage.library_store import LibraryStore, open_library
from app.storage.session_store import SessionStore, open_chats
from app.storage.settings_store import SettingsStore

if TYPE_CHECKING:
    from app.chat_models.loop_thread import LoopThread
    from app.chat_models.model import ChatModel
    from app.loaders.parser_pool import ParserPool
    from app.loaders.registry import Registry
    from app.network.page_fetch import PageFetcher
    from app.retrieval.embedder import Embedder
    from app.retrieval.keyword_index import KeywordIndex
    from app.retrieval.retriever import Retriever
    from app.retrieval.text_splitter import TextSplitter
    from app.retrieval.vector_index import VectorIndex
    from app.services.archive_files import ArchiveFiles
    from app.services.chunk_change import ChunkChange
    from app.services.discovery import FileDiscovery
    from app.services.folder_scanner import FolderScanner
    from app.services.ingest_service import IngestService
    from app.services.live_folders import LiveFolders
    from app.services.model_change import ModelChange
    from app.storage.conversation_store import ConversationStore


class Parts:
    """Databases, indexes, engines and workers of one library. ``writer`` holds the library's lock; others read.

    Raises ``LibraryLockedError`` if another process writes the library, ``StorageError`` and ``BadInputError`` as the
    databases and folders do.
    """

    def __init__(self, paths: AppPaths, *, writer: bool) -> None:
        paths.create()
        self.paths = paths
        self._writer = writer
        self._lock = LibraryLock(paths.library_lock)
        with contextlib.ExitStack() as on_error:
            if writer:
                self._lock.acquire()
                on_error.callback(self._lock.release)
            self._library_database = open_library(paths.library_db, read_only=not writer)
            on_error.callback(self._library_database.close)
            self._chats_database = open_chats(paths.chats_db)
            on_error.pop_all()
        self._store = LibraryStore(self._library_database)
        self._session_store = SessionStore(self._chats_database)
        self.settings = SettingsStore(self._chats_database)
        self._registry = Lazy(self._make_registry)
        self._parser = Lazy(self._make_parser)
        self._files = Lazy(self._make_files)
        self._wanted_embedder = Lazy(self._make_wanted_embedder)
        self._embedder = Lazy(self._make_embedder)
        self._vector_index = Lazy(self._make_vector_index)
        self._keyword_index = Lazy(self._make_keyword_index)
        self._retriever = Lazy(self._make_retriever)
        self._loop = Lazy(self._make_loop)
        self._ingest = Lazy(self._make_ingest)
        self._scanner = Lazy(self._make_scanner)
        self._discovery = Lazy(self._make_discovery)
        self._folders = Lazy(self._make_folders)
        self._conversation_store = Lazy(self._make_conversation_store)
        self._refresher = IndexRefresher(self._open_indexes, self._store.prune_changes)
        self._model_change: ModelChange | None = None
        self._chunk_change: ChunkChange | None = None
        self._retired: list[Embedder | VectorIndex] = []  # searches that began with them may still use them

    def _make_files(self) -> ArchiveFiles:
        from app.services.archive_cache import ArchiveCache
        from app.services.archive_files import ArchiveFiles

        return ArchiveFiles(
            self._store,
            self._parser,
            ArchiveCache(self.paths.archives_dir),
            self._is_supported,
            self._refresher.changed,
            may_write=self._writer,
        )

    def _is_supported(self, path: Path) -> bool:
        return self._registry().loader_for(path) is not None

    def model_change(self, changed: Mapping[str, object] | None = None) -> ModelChange:
        """The change to the embedding model of the settings, or to what other values of them, by key, would make it.

        Raises ``BadInputError`` for a value that is not allowed, ``ModelFileError`` for a damaged model.
        """
        from app.services.model_change import make_model_change

        return make_model_change(
            self._store,
            self.settings,
            self.paths,
            changed,
            self._embedder,
            self._wanted_embedder,
            self._serve_model,
            busy=self._is_ingesting,
        )

    def start_model_change(self, tell: TellRebuild = nobody, change: ModelChange | None = None) -> bool:
        """Change the embedding model in the background: by ``change``, or if the settings name another than answers.

        Returns whether there is something to do. ``tell`` is called on the thread that does it.
        """
        from app.services.serving_model import is_model_change

        if change is None and is_model_change(self._store, self.settings):
            change = self.model_change()
        if change is not None:
            self._model_change = change
            change.start(tell)
        return change is not None

    def chunk_change(self, tokens: int | None = None, *, known_only: bool = False) -> ChunkChange:
        """The change to the size of passages that the settings have, or to ``tokens``; see ``ChunkChange``."""
        from app.services.chunk_change import ChunkChange

        return ChunkChange(
            self._store,
            lambda: self._make_splitter(tokens),
            self._embedder,
            self._refresher.changed,
            busy=self._is_ingesting,
            known_only=known_only,
        )

    def start_chunk_change(self, tell: TellRebuild = nobody, change: ChunkChange | None = None) -> bool:
        """Cut documents in the background: by ``change``, or what is known to be of another size than the settings say.

        Returns whether there is something to do. ``tell`` is called on the thread that does it.
        """
        from app.retrieval.text_splitter import CHUNK_TOKENS

        if change is None and self._store.cut_otherwise(self.settings[CHUNK_TOKENS], known_only=True):
            change = self.chunk_change(known_only=True)
        if change is not None:
            self._chunk_change = change
            change.start(tell)
        return change is not None

    def stop_changes(self) -> None:
        """Stop what the two above started, and wait for it; the next start goes on with it."""
        for change in (self._model_change, self._chunk_change):
            if change is not None:
                change.close()

    def _is_ingesting(self) -> bool:
        return bool((ingest := self._ingest.if_made()) and ingest.active_jobs)

    def _serve_model(self, embedder: Embedder) -> None:
        """Answer with another model, once its index is complete."""
        index = self._opened_vector_index(embedder)
        index.wait()
        retriever = self._retriever.if_made()
        if retriever is not None:
            retriever.serve(lambda: embedder, index)
        before = (self._vector_index.replace(index), self._embedder.replace(embedder))
        if before[0] is not None:
            before[0].retire()
        self._retired += [each for each in before if each is not None]

    def open_indexes(self) -> None:
        """Open both indexes now, which makes anew what is missing or damaged, instead of at the first search."""
        for index in self._open_indexes():
            index.refresh()
            index.wait()

    def close(self) -> None:
        """Stop all work and close everything. Unfinished ingestion stays queued."""
        with contextlib.ExitStack() as closing:
            if self._writer:
                closing.callback(self._lock.release)
            closing.callback(self._chats_database.close)
            closing.callback(self._session_store.close)
            closing.callback(self._library_database.close)
            for retired in self._retired:
                closing.callback(retired.close)
            # The exit stack closes in reverse: first what produces work, last what it works on.
            for part in (
                self._wanted_embedder,
                self._embedder,
                self._vector_index,
                self._keyword_index,
                self._retriever,
                self._refresher,
                self._parser,
                self._conversation_store,
                self._ingest,
                self._folders,
                self._loop,
            ):
                closing.callback(part.close)
            closing.callback(self.stop_changes)

    def _make_conversation_store(self) -> ConversationStore:
        import os

        from app.services.memory.conversation_place import open_conversations

        return open_conversations(self.settings, self._chats_database, os.environ, self.paths.profile)

    def _make_answerer(self) -> ChatModel:
        from app.grounding.extractive import ExtractiveAnswerer

        return ExtractiveAnswerer(self._embedder)

    def _make_registry(self) -> Registry:
        from app.loaders.registry import loaders

        return loaders()

    def _make_parser(self) -> ParserPool:
        from app.loaders.parser_limits import ParserLimits
        from app.loaders.parser_pool import ParserPool

        return ParserPool(limits=ParserLimits.from_settings(self.settings))

    def _make_wanted_embedder(self) -> Embedder:
        from app.retrieval.embedding_models import open_embedder

        return open_embedder(self.settings, self.paths)

    def _make_embedder(self) -> Embedder:
        from app.services.serving_model import open_serving_model

        return open_serving_model(self._store, self.settings, self.paths, self._wanted_embedder, may_write=self._writer)

    def _is_model_prepared(self) -> bool:
        from app.retrieval.on_demand_embedder import OnDemandEmbedder

        embedder = self._embedder()
        return not isinstance(embedder, OnDemandEmbedder) or embedder.prepared

    def _make_splitter(self, tokens: int | None = None) -> TextSplitter:
        from app.retrieval.text_splitter import CHUNK_TOKENS, TextSplitter

        embedder = self._embedder()
        return TextSplitter(
            embedder.count_tokens, max_tokens=embedder.max_tokens, target_tokens=tokens or self.settings[CHUNK_TOKENS]
        )

    def _make_vector_index(self) -> VectorIndex:
        return self._opened_vector_index(self._embedder())

    def _opened_vector_index(self, embedder: Embedder) -> VectorIndex:
        from app.retrieval.vector_index import VectorIndex

        index = VectorIndex(
            self._store, self.paths.index_dir, embedder.model_key, embedder.dimension, writer=self._writer
        )
        index.open()
        return index

    def _make_keyword_index(self) -> KeywordIndex:
        from app.retrieval.keyword_index import KeywordIndex

        index = KeywordIndex(self._store, self.paths.index_dir, writer=self._writer)
        index.open()
        return index

    def _make_retriever(self) -> Retriever:
        from app.retrieval.retriever import Retriever

        index, embedder = self._vector_index(), self._embedder()
        return Retriever(self._store, lambda: embedder, index, self._keyword_index(), self.settings, follow=True)

    def _make_fetcher(self) -> PageFetcher:
        from app.network.http import HttpFactory
        from app.network.page_fetch import PageFetcher

        return PageFetcher(HttpFactory())

    def _make_loop(self) -> LoopThread:
        from app.chat_models.loop_thread import LoopThread

        return LoopThread()

    def _make_ingest(self) -> IngestService:
        from app.jobs.idle_gate import READ_WHEN, IdleGate
        from app.services.ingest_service import IngestService

        files = self._files()
        service = IngestService(
            self._store,
            self._parser(),
            self._discovery(),
            self._make_splitter,
            self._embedder,
            self._refresher.changed,
            files=files,
            gate=IdleGate(lambda: self.settings[READ_WHEN]),
            model_prepared=self._is_model_prepared,
        )
        service.subscribe(files.watch)
        return service

    def _make_scanner(self) -> FolderScanner:
        from app.services.folder_scanner import FolderScanner
        from app.services.ignore_rules import ScanRules

        return FolderScanner(
            self._is_supported, lambda: ScanRules.from_settings(self.settings), self._store.path_choices
        )

    def _make_discovery(self) -> FileDiscovery:
        from app.loaders.archive_names import is_archive
        from app.services.discovery import FileDiscovery

        files = self._files()
        return FileDiscovery(self._is_supported, self._scanner(), is_archive=is_archive, list_archive=files.members)

    def _make_folders(self) -> LiveFolders:
        from app.services.live_folders import LiveFolders

        return LiveFolders(
            self._store, self._scanner(), self._discovery(), self._ingest, self.settings, self._refresher.changed
        )

    def _open_indexes(self) -> tuple[VectorIndex, KeywordIndex]:
        return self._vector_index(), self._keyword_index()
