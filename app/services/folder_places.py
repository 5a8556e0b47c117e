"""Small questions about places in followed folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def mark_of(path: Path) -> tuple[int, int] | None:
    """What changes when another folder comes to stand at ``path``; None if it can't be reached."""
    try:
        information = path.stat()
    except OSError:
        return None
    return information.st_dev, information.st_ino


def partly_words(unreadable: frozenset[str]) -> str:
    """What to say of a folder with places that can't be looked into."""
    places = len(unreadable)
    return f"{places} {'place' if places == 1 else 'places'} in this folder can't be read." if places else ""


def topmost(paths: set[Path]) -> tuple[Path, ...]:
    """``paths`` without those that lie below others of them."""
    return tuple(sorted(path for path in paths if not any(parent in paths for parent in path.parents)))


def is_inside(path: Path, folders: Iterable[Path]) -> bool:
    """Whether ``path`` is one of ``folders`` or in one of them."""
    return any(folder == path or folder in path.parents for folder in folders)
