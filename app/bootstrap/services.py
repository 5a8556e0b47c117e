"""The use cases of a library, made of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from app.bootstrap.parts import Parts
from app.domain.documents import DocumentState
from app.domain.errors import UserFacingError
from app.services.lazy import Lazy
from app.settings.paths import AppPaths

if TYPE_CHECKING:
    from app.chat_models.model import ChatModel
    from app.chat_models.registry import ModelRegistry
    from app.domain.cancellation import CancelToken
    from app.domain.turn_options import MemoryKind
    from app.grounding.support import SupportChecker
    from app.network.page_fetch import FetchedPage, KnownPage
    from app.services.attaching import Attaching
    from app.services.attachments import AttachmentService
    from app.services.chat_service import ChatService
    from app.services.diagnosis import Doctor
    from app.services.embedding_model_service import EmbeddingModelService
    from app.services.ingest_service import IngestService
    from app.services.library_check import LibraryCheck
    from app.services.library_passages import LibraryPassages
    from app.services.library_repair import LibraryRepair
    from app.services.library_service import LibraryService
    from app.services.live_folders import LiveFolders
    from app.services.measuring import Measuring
    from app.services.memory.conversation_memory import ConversationMemory
    from app.services.memory.conversation_service import ConversationService
    from app.services.model_service import ModelService
    from app.services.pack_service import PackService
    from app.services.provider_access import ProviderAccessService
    from app.services.search_readiness import SearchReadiness
    from app.services.session_service import SessionService
    from app.services.template_service import TemplateService
    from app.services.tool_approvals import ToolApprovals
    from app.services.turn_registry import TurnRegistry
    from app.services.turn_seams import TurnSeams
    from app.services.web_pages import WebPages
    from app.services.whole_document import WholeDocumentService


class Services(Parts):
    """The use cases of one library. ``writer`` holds the library's lock; other processes read only.

    Raises ``LibraryLockedError`` if another process writes the library, ``StorageError`` and ``BadInputError`` as the
    databases and folders do.
    """

    @cached_property
    def library(self) -> LibraryService:
        """Documents, search, sources."""
        from app.services.library_service import LibraryService
        from app.services.picture_pages import PicturePages

        return LibraryService(
            self._store,
            self._retriever,
            lambda: self._registry().supported_extensions,
            self._refresher.changed,
            self._files(),
            PicturePages(self.paths.cache / "pictures", self._parser),
            self.attachments,
        )

    @cached_property
    def search_readiness(self) -> SearchReadiness:
        """Gets ready for the first search."""
        from app.services.search_readiness import SearchReadiness

        def can_search() -> bool:
            return bool(self._store.documents({DocumentState.READY}, limit=1)) and self._is_model_prepared()

        return SearchReadiness(self.paths.library_db, can_search, lambda text: self.library.search(text, k=1))

    @cached_property
    def attachments(self) -> AttachmentService:
        """Files attached to one chat."""
        from app.services.attachments import AttachmentService
        from app.storage.attachment_store import AttachmentStore

        store = AttachmentStore(self._chats_database)
        return AttachmentService(store, self._parser, Lazy(self._make_splitter), self._embedder, self._is_supported)

    @cached_property
    def attaching(self) -> Attaching:
        """Takes the files that come with a question into its chat or the library."""
        from app.services.attaching import Attaching

        return Attaching(self.attachments, self.models.facts, self.add_to_library)

    def add_to_library(self, path: Path) -> None:
        """Read one file into the library and wait for it. Raises ``UserFacingError`` where that fails."""
        if not self._writer:
            raise UserFacingError("the library is open in another window or program; add the file there.")
        self.ingest.add([path]).wait()
        record = self._store.document_by_path(path)
        if record is None or record.state is DocumentState.FAILED:
            raise UserFacingError(record.message if record else "it is of a kind that Footnote can't read.")

    @cached_property
    def web(self) -> WebPages:
        """Web pages, fetched on the user's wish; adding is for the writer only."""
        from app.services.web_pages import WebPages

        fetcher = Lazy(self._make_fetcher)

        def fetch(url: str, known: KnownPage | None, cancel: CancelToken | None) -> FetchedPage | None:
            return self._loop().run(fetcher().fetch(url, known), cancel)

        return WebPages(self._store, fetch, self._parser, self._ingest, self.paths.web_dir)

    @cached_property
    def sessions(self) -> SessionService:
        """Chat sessions."""
        from app.services.session_service import SessionService

        return SessionService(self._session_store)

    @cached_property
    def templates(self) -> TemplateService:
        """Personas and prompt templates."""
        from app.services.template_service import TemplateService
        from app.settings.resources import resource

        return TemplateService(self.paths.config / "templates", resource("templates"))

    @cached_property
    def measuring(self) -> Measuring:
        """Search measured on the user's own questions."""
        from app.services.measuring import make_measuring

        boxes = self.library.citation_boxes
        return make_measuring(self._store, self._chats_database, self._retriever, boxes, self.settings)

    @cached_property
    def packs(self) -> PackService:
        """Collections, and packs of them; changing and importing are for the writer only."""
        from app.services.pack_service import PackService

        return PackService(self._store, self._files(), self._embedder, self._refresher.changed, self.paths.data)

    @property
    def ingest(self) -> IngestService:
        """Files into the library; for the writer only."""
        return self._ingest()

    @property
    def folders(self) -> LiveFolders:
        """Folders that stay live; for the writer only. ``start()`` follows them."""
        return self._folders()

    @cached_property
    def models(self) -> ModelService:
        """Chat models by name."""
        from app.services.model_service import ModelService

        return ModelService(self._model_registry, self._loop(), self._make_answerer)

    @cached_property
    def provider_access(self) -> ProviderAccessService:
        """Keys and addresses of chat providers."""
        from app.chat_models.keys import keyring_service
        from app.services.provider_access import ProviderAccessService

        service = keyring_service(self.paths.profile)
        return ProviderAccessService(self._model_registry, self.settings, service, self._loop(), self.models)

    @cached_property
    def _model_registry(self) -> ModelRegistry:
        from app.chat_models.keys import KeySource, keyring_password, keyring_service
        from app.chat_models.registry import ModelRegistry

        service = keyring_service(self.paths.profile)
        keys = KeySource(dotenv=self.paths.config / ".env", stored=lambda provider: keyring_password(provider, service))
        return ModelRegistry(loop=self._loop(), keys=keys, setting=self.settings.__getitem__)

    @cached_property
    def doctor(self) -> Doctor:
        """The state of everything."""
        from app.services.diagnosis import Doctor

        return Doctor(
            self.paths, self._store, self._session_store, self._embedder, self._vector_index, self._keyword_index
        )

    @cached_property
    def check(self) -> LibraryCheck:
        """Reads everything and says what is wrong."""
        from app.services.library_check import LibraryCheck

        search = (self.settings, self._embedder, self._vector_index, self._keyword_index)
        return LibraryCheck(self.paths, self._library_database, self._chats_database, self._store, *search)

    @cached_property
    def repair(self) -> LibraryRepair:
        """Repairs what a check found; for the writer only, and before it has opened an index."""
        from app.services.library_repair import LibraryRepair

        return LibraryRepair(self.paths, self._library_database, self._chats_database, self.settings)

    @cached_property
    def embedding_models(self) -> EmbeddingModelService:
        """Search models that can be downloaded, and which would suit the library."""
        import os

        from app.retrieval.model_catalogue import Catalogue
        from app.services.embedding_model_service import EmbeddingModelService, hub_runner
        from app.settings.resources import resource

        catalogue = Catalogue(resource("models", "catalogue.json"))
        hub = hub_runner(lambda work, cancel: self._loop().run(work, cancel), os.environ)
        return EmbeddingModelService(catalogue, self.paths.models_dir, self.settings, self._store, hub)

    @cached_property
    def support(self) -> SupportChecker:
        """The check of answers against their passages."""
        from app.grounding.support import SupportChecker

        return SupportChecker(self._embedder)

    @cached_property
    def chat(self) -> ChatService:
        """Questions and answers."""
        from app.services.attaching import AttachedSearch
        from app.services.chat_service import ChatService

        search = AttachedSearch(self._retriever, self.attachments)
        return ChatService(
            self._loop(),
            lambda: search,
            self._session_store,
            self.models.model,
            self.library.citation_boxes,
            self.settings,
            model_facts=self.models.facts,
            unread=self.library.unread,
            check=self.support.check,
            seams=self._seams(),
            turns=self._turns,
        )

    @cached_property
    def whole_documents(self) -> WholeDocumentService:
        """Summaries of whole files, and answers from every file."""
        from app.services.whole_document import WholeDocumentService

        return WholeDocumentService(
            self._loop(),
            self._turns,
            self._session_store,
            self._store,
            self.passages,
            self._embedder,
            self.models.model,
            self.library.citation_boxes,
            self.settings,
            model_facts=self.models.facts,
            attach=self.attaching.attach,
        )

    @cached_property
    def tool_approvals(self) -> ToolApprovals:
        """Where the user allows or refuses what a model wants to do."""
        from app.services.tool_approvals import ToolApprovals

        return ToolApprovals()

    @cached_property
    def passages(self) -> LibraryPassages:
        """Passages by search, by document and by page."""
        from app.services.library_passages import LibraryPassages

        return LibraryPassages(self._store, self._retriever, self.attachments)

    @cached_property
    def _turns(self) -> TurnRegistry:
        from app.services.turn_registry import TurnRegistry

        return TurnRegistry()

    @cached_property
    def conversations(self) -> ConversationService:
        """Conversations of users through the programming interface, without documents."""
        from app.services.chat_service import CHAT_MODEL
        from app.services.memory.conversation_place import LONGEST_HISTORY
        from app.services.memory.conversation_service import ConversationService

        def open_model() -> ChatModel:
            return self.models.model(self.settings[CHAT_MODEL])

        turns = self.settings[LONGEST_HISTORY]
        return ConversationService(self._conversation_store(), open_model, self._loop(), max_history=turns)

    def _seams(self) -> TurnSeams:
        from app.bootstrap.turn_seams import turn_seams

        return turn_seams(self, remember=self._memory())

    def _memory(self) -> ConversationMemory:
        from app.services.memory.conversation_memory import ConversationMemory
        from app.storage.memory_store import MemoryStore

        def chosen(session_id: str) -> MemoryKind | None:
            return self._session_store.session(session_id).choices.memory

        return ConversationMemory(MemoryStore(self._chats_database), self._embedder, self.settings, chosen)


@contextmanager
def open_services(environ: Mapping[str, str], *, writer: bool) -> Iterator[Services]:
    """The services of the library that the environment names, closed at the end of the block."""
    services = Services(AppPaths.from_environment(environ), writer=writer)
    try:
        yield services
    finally:
        services.close()
