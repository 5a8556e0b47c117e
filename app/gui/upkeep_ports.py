"""What the window needs of the services for collections, packs, search models and the library's upkeep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.domain.cancellation import CancelToken
from app.domain.collections import CollectionRecord
from app.domain.packs import ImportSummary, PackSummary

if TYPE_CHECKING:
    from app.retrieval.model_catalogue import InstalledModel
    from app.services.collection_service import CollectionChange
    from app.services.embedding_model_service import ModelView, Proposal
    from app.services.library_check import CheckReport
    from app.services.pack_paths import PathMapping
    from app.services.pack_roots import PackRoot

CountProgress = Callable[[int, int], None]


class Readiness(Protocol):
    """Getting ready for a search before anybody searches."""

    def prepare(self, cancel: CancelToken) -> None: ...


class Collections(Protocol):
    """Named sets of documents."""

    def collections(self) -> Sequence[CollectionRecord]: ...
    def documents(self, collection_id: int) -> frozenset[int]: ...
    def create(self, name: str) -> CollectionRecord: ...
    def rename(self, name: str, new_name: str) -> CollectionRecord: ...
    def delete(self, name: str) -> Any: ...
    def add(self, name: str, paths: Iterable[Path]) -> CollectionChange: ...
    def remove(self, name: str, paths: Iterable[Path]) -> CollectionChange: ...


class Packs(Protocol):
    """Collections, and files of them."""

    @property
    def collections(self) -> Collections: ...

    def export(
        self, file: Path, collection: str | None, progress: CountProgress, cancel: CancelToken | None
    ) -> PackSummary: ...
    def examine(
        self, file: Path, progress: CountProgress, cancel: CancelToken | None
    ) -> tuple[PackSummary, tuple[PackRoot, ...]]: ...
    def preview(self, file: Path, mapping: PathMapping, *, cancel: CancelToken | None) -> ImportSummary: ...
    def import_pack(
        self, file: Path, mapping: PathMapping, *, progress: CountProgress, cancel: CancelToken | None
    ) -> ImportSummary: ...


class EmbeddingModels(Protocol):
    """Search models."""

    def models(self) -> Sequence[ModelView]: ...
    def serving(self) -> str: ...
    def proposal(self) -> Proposal | None: ...
    def download(
        self, name: str, *, progress: Callable[[str, int], None], cancel: CancelToken | None
    ) -> InstalledModel: ...


class Check(Protocol):
    """The check of the library."""

    def run(self, progress: Callable[[str, int, int], None]) -> CheckReport: ...
