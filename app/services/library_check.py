"""`footnote doctor --check`: reads everything the way a search does and says what is wrong.

SQLite's own check finds broken pages; it can't tell that a text, a vector or an index no longer says what it said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.errors import DamagedDatabaseError, UserFacingError
from app.domain.findings import Finding, FindingCode, Severity
from app.services.library_check_files import inspect_files
from app.services.library_check_indexes import inspect_keyword_index, inspect_vector_index
from app.storage.chats_integrity import inspect_chats
from app.storage.library_integrity import inspect_library, inspect_pages
from app.storage.vector_integrity import VectorRule

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder
    from app.retrieval.keyword_index import KeywordIndex
    from app.retrieval.vector_index import VectorIndex
    from app.settings.paths import AppPaths
    from app.storage.database import Database
    from app.storage.library_store import LibraryStore
    from app.storage.settings_store import SettingsStore

CheckProgress = Callable[[str, int, int], None]
"""Told what is being looked at, and how many of how many are done (0 of 0 where that can't be told)."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All findings, problems first, and what was looked at (counts by name). ``seconds`` of wall time."""

    findings: tuple[Finding, ...]
    looked_at: dict[str, int]
    seconds: float

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Findings that somebody must do something about."""
        return tuple(each for each in self.findings if each.severity is Severity.PROBLEM)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """Findings that need nothing done."""
        return tuple(each for each in self.findings if each.severity is Severity.NOTE)


class LibraryCheck:
    """Looks at both databases, the indexes, the search model, the settings and the files beside them.

    Changes nothing, so any process may run it, beside one that writes too: what that one is changing may then show as
    a finding that a second look doesn't have.
    """

    def __init__(
        self,
        paths: AppPaths,
        library: Database,
        chats: Database,
        store: LibraryStore,
        settings: SettingsStore,
        open_embedder: Callable[[], Embedder],
        open_vector_index: Callable[[], VectorIndex],
        open_keyword_index: Callable[[], KeywordIndex],
    ) -> None:
        self._paths = paths
        self._library = library
        self._chats = chats
        self._store = store
        self._settings = settings
        self._open_embedder = open_embedder
        self._open_vector_index = open_vector_index
        self._open_keyword_index = open_keyword_index

    def run(self, progress: CheckProgress = lambda what, done, total: None) -> CheckReport:
        """Look at everything. What can't be read becomes a finding and hides nothing else."""
        began = time.monotonic()
        rule, findings = self._vector_rule()
        for name, inspect in self._inspections(rule, progress):
            progress(name, 0, 0)
            findings += _collected(inspect)
        findings = list(dict.fromkeys(findings))  # a damaged page is met by more than one look
        findings.sort(key=lambda each: each.severity is Severity.NOTE)
        return CheckReport(tuple(findings), self._looked_at(rule), time.monotonic() - began)

    def _inspections(
        self, rule: VectorRule | None, progress: CheckProgress
    ) -> Sequence[tuple[str, Callable[[], Iterator[Finding]]]]:
        return (
            ("database pages", lambda: inspect_pages(self._library)),
            (
                "documents",
                lambda: inspect_library(self._library, rule, lambda done, total: progress("documents", done, total)),
            ),
            ("vector index", lambda: inspect_vector_index(self._store, self._open_vector_index, rule)),
            ("keyword index", lambda: inspect_keyword_index(self._library, self._open_keyword_index)),
            ("pages of the chats", lambda: inspect_pages(self._chats)),
            ("chats", lambda: inspect_chats(self._chats)),
            ("settings", self._inspect_settings),
            ("files", lambda: inspect_files(self._paths, self._library, self._store)),
        )

    def _vector_rule(self) -> tuple[VectorRule | None, list[Finding]]:
        """What vectors must look like; opening the model proves that it can be used."""
        try:
            embedder = self._open_embedder()
            dimension = len(embedder.embed_query("check"))
            return VectorRule(embedder.model_key, dimension), []
        except UserFacingError as error:
            return None, [Finding(FindingCode.MODEL, f"The search model can't be used: {error}")]

    def _inspect_settings(self) -> Iterator[Finding]:
        with self._chats.read() as connection:
            if connection.execute("SELECT 1 FROM settings LIMIT 1").fetchone() is None:
                return  # collecting the schema imports everything
        from app.settings.schema import collect_settings

        for setting in collect_settings(skip=("app.gui",)).values():
            self._settings[setting]
        for problem in self._settings.problems:
            yield Finding(FindingCode.SETTINGS, problem)

    def _looked_at(self, rule: VectorRule | None) -> dict[str, int]:
        try:
            documents = sum(self._store.counts().values())
            vectors = self._store.vector_count(rule.model_key) if rule else 0
            return {"documents": documents, "chunks": self._store.chunk_count(), "vectors": vectors}
        except UserFacingError:
            return {}


def _collected(inspect: Callable[[], Iterator[Finding]]) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(inspect())
    except DamagedDatabaseError as error:
        found.append(damage(error))
    except UserFacingError as error:
        found.append(Finding(FindingCode.DATABASE, str(error)))
    return found


def damage(error: DamagedDatabaseError) -> Finding:
    """The finding for a database that can't be read."""
    return Finding(FindingCode.DATABASE, str(error), database=error.path)
