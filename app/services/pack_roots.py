"""The folders that a pack's documents were in, so that the user can say where they are on this computer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath

SHALLOWEST = 3
"""Parts of a path that a root has at least, where documents lie that deep: ``/home/someone`` is nobody's collection."""


@dataclass(frozen=True, slots=True)
class PackRoot:
    """A folder there, how many documents of the pack are below it, and whether there is such a folder here."""

    folder: str
    documents: int
    here: bool


def roots_of(paths: Iterable[str], *, windows: bool) -> list[tuple[str, int]]:
    """Folders that together hold all ``paths``, with the number of paths below each; none is inside another."""
    kind: type[PurePath] = PureWindowsPath if windows else PurePosixPath
    folders = [kind(path).parent.parts for path in paths]
    found = _roots(folders, 0)
    return [(str(kind(*parts)), count) for parts, count in sorted(found)]


def _roots(folders: Sequence[tuple[str, ...]], depth: int) -> list[tuple[tuple[str, ...], int]]:
    """Go down while all documents do, and part company only where the folder is too high up to mean anything."""
    by_next: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for parts in folders:
        if len(parts) == depth:
            return [(parts, len(folders))]
        by_next[parts[depth]].append(parts)
    if len(by_next) > 1 and depth > SHALLOWEST:
        return [(folders[0][:depth], len(folders))]
    return [root for below in by_next.values() for root in _roots(below, depth + 1)]
