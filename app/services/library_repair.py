"""`footnote doctor --repair`: makes derived data again, and never deletes a text that can't be had again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.findings import Finding, FindingCode, counted
from app.services.library_check import CheckReport
from app.services.library_check_files import leftovers
from app.storage.backups import copy_beside
from app.storage.chats_integrity import repair_chats
from app.storage.chats_schema import CHATS_SCHEMA
from app.storage.library_repair import (
    delete_orphans,
    embed_again,
    forget_indexes,
    mend_chunk_runs,
    mend_states,
    read_again,
)
from app.storage.library_salvage import salvage_library
from app.storage.salvage import Salvage, salvage_database

if TYPE_CHECKING:
    from app.settings.paths import AppPaths
    from app.storage.database import Database
    from app.storage.settings_store import SettingsStore

_INDEX_CODES = frozenset({FindingCode.VECTOR_INDEX, FindingCode.KEYWORD_INDEX, FindingCode.CHANGE_LOG})
_CHATS_CODES = frozenset({FindingCode.MESSAGES, FindingCode.CITATIONS})
# What rows other rows depend on were changed by these repairs behind the back of the log that the indexes follow.
_BEHIND_THE_LOG = frozenset({FindingCode.ROWS, FindingCode.STATE, FindingCode.TEXT, FindingCode.VECTOR})


@dataclass(frozen=True, slots=True)
class Repairs:
    """What was done, and what was left for the user to decide, each as a sentence."""

    done: tuple[str, ...]
    left: tuple[str, ...]


class LibraryRepair:
    """Repairs the rows and files that a ``CheckReport`` names. For the process that owns the library only.

    What has to be read or embedded again is queued; ``IngestService.resume_pending`` does it. Indexes that are to be
    made anew are made at the next start, so close the services after ``run``.
    """

    def __init__(self, paths: AppPaths, library: Database, chats: Database, settings: SettingsStore) -> None:
        self._paths = paths
        self._library = library
        self._chats = chats
        self._settings = settings

    def run(self, report: CheckReport) -> Repairs:
        """Repair what can be. Raises ``StorageError`` when the disk is full, say."""
        found = report.findings
        done: list[str] = []
        left = [each.message for each in found if each.code in (FindingCode.MODEL, FindingCode.FILES)]
        codes = {each.code for each in report.problems}
        for wanted, words, repair in self._row_repairs():
            if codes & wanted:
                repair()
                done.append(words)
        self._read_again([each for each in found if each.code is FindingCode.TEXT], done, left)
        vectors = [each for each in found if each.code is FindingCode.VECTOR]
        if vectors:
            documents = [number for each in vectors for number in each.document_ids]
            embed_again(self._library, documents, [number for each in vectors for number in each.chunk_ids])
            done.append(f"the damaged vectors of {counted(len(documents), 'document')} are made again")
        if codes & (_INDEX_CODES | _BEHIND_THE_LOG):
            forget_indexes(self._library)
            done.append("the indexes are made again from the library")
        self._delete_leftovers(done)
        return Repairs(tuple(done), tuple(left))

    def _row_repairs(self) -> tuple[tuple[frozenset[FindingCode], str, Callable[[], None]], ...]:
        return (
            (frozenset({FindingCode.ROWS}), "rows that belonged to nothing were removed", self._delete_orphans),
            (
                frozenset({FindingCode.STATE}),
                "documents have a state again that fits them",
                lambda: mend_states(self._library),
            ),
            (
                frozenset({FindingCode.CHUNK_RUNS}),
                "the ranges of passages were made again",
                lambda: mend_chunk_runs(self._library),
            ),
            (
                _CHATS_CODES,
                f"the chats were put in order; they are kept as they were in {self._paths.backups_dir}",
                self._repair_chats,
            ),
            (frozenset({FindingCode.SETTINGS}), "settings that can't be used were reset", self._reset_settings),
        )

    def _delete_orphans(self) -> None:
        delete_orphans(self._library)
        mend_chunk_runs(self._library)
        self._repair_chats()

    def _repair_chats(self) -> None:
        copy_beside(self._chats.path)
        repair_chats(self._chats)

    def _reset_settings(self) -> None:
        from app.settings.schema import collect_settings

        for setting in collect_settings(skip=("app.gui",)).values():
            self._settings[setting]
            if setting.key in self._settings.unusable:
                self._settings.reset(setting)

    def _read_again(self, findings: list[Finding], done: list[str], left: list[str]) -> None:
        """Only where the file is there: else the stored text, though altered, is all there is."""
        readable: list[int] = []
        for document_id in {number for each in findings for number in each.document_ids}:
            path = self._path_of(document_id)
            if path is not None and path.exists():
                readable.append(document_id)
            else:
                left.append(
                    f"{path or 'A document'} is damaged in the library, and its file is gone. What is stored of it was "
                    "kept; bring the file back, or remove it with `footnote remove`."
                )
        if readable:
            read_again(self._library, readable)
            done.append(f"{counted(len(readable), 'document')} to be read again from the file")

    def _path_of(self, document_id: int) -> Path | None:
        from app.storage.rows import path_from_column

        with self._library.read() as connection:
            row = connection.execute("SELECT path FROM documents WHERE id = ?", (document_id,)).fetchone()
        return path_from_column(row[0]) if row and isinstance(row[0], str | bytes) else None

    def _delete_leftovers(self, done: list[str]) -> None:
        found = list(leftovers(self._paths, self._library))
        for path in found:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if found:
            done.append(f"{counted(len(found), 'leftover file')} deleted")


def salvage(paths: AppPaths, database: Path) -> Salvage:
    """Replace a damaged database by one with all rows that can be read; the damaged file is kept beside it.

    Nothing may have it open. Raises ``StorageError``, and then nothing was changed.
    """
    if database == paths.library_db:
        return salvage_library(database)
    return salvage_database(database, CHATS_SCHEMA)
