"""Folders that the library follows, and what happens in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.domain.documents import DocumentState, FileStamp
from app.domain.errors import FailureReason


class FolderState(StrEnum):
    """How a folder is followed. Stored."""

    LIVE = "live"  # the system tells of every change
    POLLING = "polling"  # it is looked through again and again, because the system tells of no change there
    OFFLINE = "offline"  # it can't be reached; its documents stay searchable
    PAUSED = "paused"  # the user stopped reading it


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """A folder of the library. ``message`` says in plain words why it is not LIVE.

    ``identity`` tells one folder from another at the same path (another drive); empty before it was first looked
    through. ``mounts`` are the paths below it where other file systems were mounted. Times are Unix times.
    """

    id: int
    path: Path
    state: FolderState
    message: str
    identity: str
    mounts: tuple[Path, ...]
    added_at: float
    scanned_at: float | None


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """A folder as it is shown: how it is followed, and how many documents it has, can't reach or could not read."""

    path: Path
    state: FolderState
    message: str
    documents: int
    offline: int
    failed: int


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the library knows of a file, as far as looking through folders needs it. ``inode`` 0 is unknown."""

    id: int
    path: str
    stamp: FileStamp
    state: DocumentState
    reason: FailureReason | None
    content_hash: str
    inode: int


class ChangeKind(StrEnum):
    """What happened to a file or folder."""

    READING = "reading"  # new or changed: it was handed over to be read
    MOVED = "moved"
    REMOVED = "removed"
    OFFLINE = "offline"
    BACK = "back"
    FOLDER = "folder"  # the state of a followed folder changed


@dataclass(frozen=True, slots=True)
class FolderChange:
    """One thing that happened. ``source`` is where a moved file was, ``message`` the state of a folder in words."""

    kind: ChangeKind
    path: Path
    source: Path | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class FolderPreview:
    """What adding paths would bring in. ``passed_over`` counts what is left out, by the reason in words."""

    files: int
    size: int
    passed_over: dict[str, int]
    unreadable: tuple[Path, ...]
