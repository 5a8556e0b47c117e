"""What `footnote doctor` tells: versions, folders, model, index, and whether the databases are sound."""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from app.domain.errors import UserFacingError
from app.retrieval.embedder import Embedder
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.vector_index import VectorIndex
from app.settings.paths import AppPaths
from app.storage.library_lock import LibraryLock
from app.storage.library_store import LibraryStore
from app.storage.session_store import SessionStore

DISTRIBUTION = "footnote-desktop"
LIBRARIES = (
    "PySide6_Essentials",
    "faiss-cpu",
    "openvino",
    "tantivy",
    "kreuzberg",
    "pypdfium2",
    "sentence-transformers",
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The state of an installation and its library. ``problems`` is empty when all is well."""

    versions: dict[str, str]
    folders: dict[str, str]
    model: dict[str, object]
    documents: dict[str, int]
    chunks: int
    index: dict[str, object]
    library_owner: int | None
    torch_imported: bool
    problems: tuple[str, ...]


class Doctor:
    """Examines everything the way a search uses it."""

    def __init__(
        self,
        paths: AppPaths,
        store: LibraryStore,
        sessions: SessionStore,
        open_embedder: Callable[[], Embedder],
        open_vector_index: Callable[[], VectorIndex],
        open_keyword_index: Callable[[], KeywordIndex],
    ) -> None:
        self._paths = paths
        self._store = store
        self._sessions = sessions
        self._open_embedder = open_embedder
        self._open_vector_index = open_vector_index
        self._open_keyword_index = open_keyword_index

    def examine(self) -> Diagnosis:
        """Look at all parts; what is broken becomes a problem in words and hides nothing else."""
        problems = [f"library: {problem}" for problem in self._store.integrity()]
        problems += [f"chats: {problem}" for problem in self._sessions.integrity()]
        model = self._part(self._model, "embedding model", problems)
        index = self._part(self._index, "index", problems)
        return Diagnosis(
            versions=_versions(),
            folders={
                "data": str(self._paths.data),
                "config": str(self._paths.config),
                "cache": str(self._paths.cache),
                "logs": str(self._paths.logs),
            },
            model=model,
            documents={state.value: count for state, count in self._store.counts().items()},
            chunks=self._store.chunk_count(),
            index=index,
            library_owner=LibraryLock(self._paths.library_lock).owner(),
            torch_imported="torch" in sys.modules,
            problems=tuple(problems),
        )

    def _part(self, look: Callable[[], dict[str, object]], name: str, problems: list[str]) -> dict[str, object]:
        try:
            return look()
        except UserFacingError as error:
            problems.append(f"{name}: {error}")
            return {}

    def _model(self) -> dict[str, object]:
        embedder = self._open_embedder()
        return {
            "key": embedder.model_key,
            "engine": type(embedder).__name__,
            "dimension": embedder.dimension,
            "max_tokens": embedder.max_tokens,
        }

    def _index(self) -> dict[str, object]:
        status = self._open_vector_index().status()
        keyword = self._open_keyword_index().status()
        return {
            "vectors": status.vectors,
            "segments": status.segments,
            "unsaved_vectors": status.unsaved,
            "removed_vectors": status.tombstones,
            "vector_note": status.problem,
            "keyword_chunks": keyword.chunks + keyword.unindexed - keyword.removed,
            "keyword_note": keyword.problem,
        }


def _versions() -> dict[str, str]:
    versions = {
        "footnote": own_version(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": platform.platform(),
    }
    return versions | {name: _version(name) for name in LIBRARIES}


def own_version() -> str:
    """Footnote's own version."""
    return _version(DISTRIBUTION)


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
