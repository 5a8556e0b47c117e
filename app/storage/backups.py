"""Copies of a database taken before its schema changes."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

KEPT = 3


def backups_dir(database: Path) -> Path:
    """The folder with the backups of ``database``."""
    return database.parent / "backups"


def back_up(database: Path, version: int) -> Path:
    """Copy ``database`` (its last committed state) to ``backups/<name>-v<version>.db``, whole or not at all.

    Older backups beyond the newest ``KEPT`` are deleted. Raises sqlite3.Error or OSError, e.g. for a full disk.
    """
    folder = backups_dir(database)
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{database.stem}-v{version}.db"
    partial = target.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(partial)) as copy:
        source.backup(copy)
    _sync(partial)
    partial.replace(target)
    _sync(folder)
    for outdated in _by_age(database)[KEPT:]:
        outdated.unlink()
    return target


def copy_beside(database: Path) -> Path:
    """Copy ``database`` to ``backups/<name>-before-repair-<number>.db``. Such copies are never deleted.

    Raises sqlite3.Error or OSError.
    """
    folder = backups_dir(database)
    folder.mkdir(mode=0o700, exist_ok=True)
    number = 1
    while (target := folder / f"{database.stem}-before-repair-{number}.db").exists():
        number += 1
    os.close(os.open(target, os.O_CREAT | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    _sync(target)
    return target


def newest_backup(database: Path) -> Path | None:
    """The newest backup of ``database``, if there is one."""
    return next(iter(_by_age(database)), None)


def _by_age(database: Path) -> list[Path]:
    """Newest first: the schema version only grows."""
    found = backups_dir(database).glob(f"{database.stem}-v*.db")
    return sorted(found, key=lambda path: int(path.stem.rpartition("-v")[2]), reverse=True)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows has no handle on a folder to flush
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
