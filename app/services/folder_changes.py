"""Comparing what the library knows of some places with what is there: new, changed, moved, gone, back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from app.domain.documents import DocumentState
from app.domain.errors import FailureReason
from app.domain.folders import KnownFile
from app.services.folder_scanner import SeenFile

WAITING = frozenset({DocumentState.QUEUED, DocumentState.PARSING, DocumentState.EMBEDDING})
# Failures that lie not in the file but in what surrounds it, so that the same file may be readable next time.
PASSING_FAILURES = frozenset({FailureReason.NO_PERMISSION, FailureReason.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Move:
    """A file that the library knows under another path."""

    known: KnownFile
    path: str
    seen: SeenFile


@dataclass(slots=True)
class Differences:
    """What has to be done: paths to ``read``, documents that are ``back`` or ``gone`` or to note ``inodes`` of.

    ``waiting`` are paths whose reading was begun or queued by somebody else.
    """

    read: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    back: list[KnownFile] = field(default_factory=list)
    gone: list[KnownFile] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    inodes: list[tuple[int, int]] = field(default_factory=list)


def compare(
    known: Iterable[KnownFile],
    seen: Mapping[str, SeenFile],
    missing: Iterable[KnownFile],
    hash_of: Callable[[str], str],
    *,
    retry: bool = True,
) -> Differences:
    """Compare documents with the files seen in the same places; ``missing`` documents may have moved there.

    A file is a missing document's when size and time of change agree, and either the inode or the content's hash;
    for members of archives the first is enough, as their stamps hold a checksum.
    ``hash_of`` gives the SHA-256 of a file in hex, empty if it can't be read; it is asked only for candidates.
    Without ``retry``, unchanged files that could not be reached are not tried again.
    """
    found = Differences()
    unmatched = dict(seen)
    for each in known:
        there = unmatched.pop(each.path, None)
        if there is None:
            found.gone.append(each)
        else:
            _compare_one(each, there, found, retry=retry)
    # A file that took another one's place is not the one that was there: it may be a known one too.
    candidates = {path: seen[path] for path in (*found.read, *unmatched) if path in seen}
    found.read.extend(unmatched)
    found.moves = _moves([*found.gone, *missing], candidates, hash_of)
    moved, taken = {move.known.id for move in found.moves}, {move.path for move in found.moves}
    found.gone = [each for each in found.gone if each.id not in moved]
    found.read = [path for path in found.read if path not in taken]
    return found


def _compare_one(known: KnownFile, seen: SeenFile, found: Differences, *, retry: bool) -> None:
    same = known.stamp == seen.stamp
    if known.inode != seen.inode and seen.inode:
        found.inodes.append((known.id, seen.inode))
    if known.state is DocumentState.EXCLUDED:
        return
    if known.state is DocumentState.OFFLINE:
        found.back.append(known)
    if known.state in WAITING and same:
        found.waiting.append(known.path)
    elif not same or (retry and known.state is DocumentState.FAILED and known.reason in PASSING_FAILURES):
        found.read.append(known.path)


def _moves(gone: Iterable[KnownFile], candidates: Mapping[str, SeenFile], hash_of: Callable[[str], str]) -> list[Move]:
    by_stamp: defaultdict[object, list[KnownFile]] = defaultdict(list)
    for each in gone:
        by_stamp[each.stamp].append(each)
    moves = []
    for path, seen in candidates.items():
        known = _the_same(by_stamp.get(seen.stamp, []), path, seen, hash_of)
        if known is not None:
            by_stamp[seen.stamp].remove(known)
            moves.append(Move(known, path, seen))
    return moves


def _the_same(known: list[KnownFile], path: str, seen: SeenFile, hash_of: Callable[[str], str]) -> KnownFile | None:
    for each in known:
        if seen.member or (each.inode and each.inode == seen.inode):
            return each
    hashed = [each for each in known if each.content_hash]
    content_hash = hash_of(path) if hashed else ""
    return next((each for each in hashed if each.content_hash == content_hash), None)
