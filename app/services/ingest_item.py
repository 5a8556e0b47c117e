"""What travels through the stages of ingestion."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.documents import DocumentRecord, DocumentState, FileStamp, ParsedDocument
from app.domain.errors import DocumentError, FailureReason
from app.domain.ingestion import FileOutcome
from app.services.ingest_job import IngestJob
from app.storage.library_values import ChunkToEmbed

GROUP_CHUNKS = 16
"""Small, so that batches of several documents can be filled evenly."""


@dataclass(slots=True, eq=False)
class IngestItem:
    """One file on its way. Thousands may wait, so what is known of it is read from the library when its turn comes.

    ``only_vectors``: its text is in the library and lacks vectors only. ``is_new``: it was not in the library before.
    """

    job: IngestJob
    document_id: int
    path: Path
    size: int
    only_vectors: bool = False
    stamp: FileStamp | None = None
    content_hash: str = ""
    parsed: ParsedDocument | None = None
    pages: int | None = None
    chunk_count: int = 0
    warning: str = ""
    open_groups: int = 0
    started: float = 0.0
    is_new: bool = False
    settled: bool = False

    def start(self) -> None:
        """Work on this file begins now."""
        self.started = time.monotonic()
        self.job.began(self.path)

    def outcome(self) -> FileOutcome:
        """The file is ready."""
        return FileOutcome(
            path=self.path,
            state=DocumentState.READY,
            chunks=self.chunk_count,
            pages=self.pages,
            seconds=self._seconds,
            document_id=self.document_id,
            warning=self.warning,
        )

    def failure(self, error: DocumentError) -> FileOutcome:
        """The file can't be read."""
        return FileOutcome(
            path=self.path,
            state=DocumentState.FAILED,
            seconds=self._seconds,
            reason=error.reason,
            error=str(error),
            document_id=self.document_id,
        )

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self.started if self.started else 0.0


def known_outcome(path: Path, record: DocumentRecord) -> FileOutcome:
    """What the library holds of a file that nothing had to be done for."""
    failed = record.state is DocumentState.FAILED
    return FileOutcome(
        path=path,
        state=DocumentState.FAILED if failed else DocumentState.READY,
        chunks=0 if failed else record.chunk_count,
        pages=record.page_count,
        reason=record.reason if failed else None,
        error=record.message if failed else "",
        skipped=True,
        document_id=record.id,
        warning=record.warning,
    )


@dataclass(frozen=True, slots=True)
class EmbedGroup:
    """Some chunks of one document that wait for their vectors."""

    item: IngestItem
    chunk_ids: tuple[int, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VectorGroup:
    """Vectors (float16, little endian) of some chunks of one document."""

    item: IngestItem
    rows: list[tuple[int, bytes]]
    model_key: str


def group_chunks(item: IngestItem, chunks: Sequence[ChunkToEmbed]) -> list[EmbedGroup]:
    """Cut a document's chunks into groups of at most ``GROUP_CHUNKS``."""
    pieces = [chunks[start : start + GROUP_CHUNKS] for start in range(0, len(chunks), GROUP_CHUNKS)]
    return [
        EmbedGroup(item, tuple(chunk.chunk_id for chunk in piece), tuple(chunk.embed_text for chunk in piece))
        for piece in pieces
    ]


class DocumentsAtWork:
    """Sees to it that a document is worked on once at a time, however many ingestions want it. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_work: dict[int, IngestItem] = {}
        self._waiting: dict[int, list[IngestItem]] = {}

    def begin(self, item: IngestItem) -> bool:
        """Whether work on the item may begin; if not, ``end`` of the one at work hands it back."""
        with self._lock:
            other = self._at_work.setdefault(item.document_id, item)
            if other is item:
                return True
            self._waiting.setdefault(item.document_id, []).append(item)
            return False

    def end(self, item: IngestItem) -> list[IngestItem]:
        """Work on the item has ended. Returns those that waited for it."""
        with self._lock:
            if self._at_work.get(item.document_id) is not item:
                return []
            del self._at_work[item.document_id]
            return self._waiting.pop(item.document_id, [])


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex. Raises ``DocumentError`` if it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise DocumentError(FailureReason.NOT_FOUND, "The file is no longer there.") from error
    except PermissionError as error:
        message = "You don't have permission to read this file. Change its permissions and add it again."
        raise DocumentError(FailureReason.NO_PERMISSION, message) from error
    except OSError as error:
        raise DocumentError(FailureReason.NOT_FOUND, f"It can't be read: {error.strerror or error}.") from error
