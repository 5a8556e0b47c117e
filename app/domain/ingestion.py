"""Progress of ingestion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.domain.documents import DocumentState
from app.domain.errors import FailureReason


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file. ``skipped`` means it had not changed. Seconds of wall time.

    ``warning`` says what is missing of a file that could be read in part only.
    """

    path: Path
    state: DocumentState
    chunks: int = 0
    pages: int | None = None
    seconds: float = 0.0
    reason: FailureReason | None = None
    error: str = ""
    skipped: bool = False
    document_id: int | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """Where an ingestion stands. ``eta_seconds`` is None until there is something to extrapolate from.

    ``share`` of the work is done, 0 to 1. ``waiting_for`` says what it waits until (“the computer is plugged in”), or
    nothing. ``failures`` are the latest ones. ``preparing`` says that the search model is being made ready for this
    computer, which happens once.
    """

    total: int
    done: int
    failed: int
    skipped: int
    chunks: int
    active: tuple[Path, ...] = ()
    eta_seconds: float | None = None
    paused: bool = False
    share: float = 0.0
    waiting_for: str = ""
    failures: tuple[FileOutcome, ...] = ()
    preparing: bool = False


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """The end of an ingestion."""

    documents: int
    chunks: int
    failed: int
    skipped: int
    seconds: float
    cancelled: bool = False
