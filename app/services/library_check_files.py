"""Files beside the databases: what an interrupted write left behind, and what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.findings import Finding, FindingCode, Severity, counted
from app.storage.library_integrity import recorded_index_files
from app.storage.library_lock import LibraryLock

if TYPE_CHECKING:
    from app.settings.paths import AppPaths
    from app.storage.database import Database
    from app.storage.library_store import LibraryStore

_LEFTOVERS = ("*.tmp", "*.partial", "*.rebuilt", "*.rebuilt-wal", "*.rebuilt-shm", "salvage-*", "unpacking-*")


def inspect_files(paths: AppPaths, library: Database, store: LibraryStore) -> Iterator[Finding]:
    """Leftovers are a note: they take room, and answers never depend on them."""
    left = tuple(leftovers(paths, library))
    if left:
        message = f"{counted(len(left), 'file')} left over from an interrupted write can be deleted."
        yield Finding(FindingCode.LEFTOVERS, message, Severity.NOTE, paths=left)
    gone = tuple(_missing_snapshots(paths, store))
    if gone:
        message = f"{counted(len(gone), 'saved file')} missing in {paths.data}; what was read stays searchable."
        yield Finding(FindingCode.FILES, message, paths=gone)


def leftovers(paths: AppPaths, library: Database) -> Iterator[Path]:
    """Files and folders of ours that nothing refers to. None while another process owns the library and may write."""
    if LibraryLock(paths.library_lock).owner() not in (None, os.getpid()):
        return
    for folder in (paths.data, paths.backups_dir, paths.index_dir, paths.cache, paths.archives_dir):
        if folder.is_dir():
            for pattern in _LEFTOVERS:
                yield from folder.glob(pattern)
    recorded = recorded_index_files(library)
    for pattern in ("vectors-*", "keywords-*"):
        for path in paths.index_dir.glob(pattern):
            if path.name not in recorded and not path.name.endswith(".tmp"):
                yield path


def _missing_snapshots(paths: AppPaths, store: LibraryStore) -> Iterator[Path]:
    """Documents that Footnote itself keeps the file of."""
    for record in store.documents():
        if paths.data in record.path.parents and not record.path.exists():
            yield record.path
