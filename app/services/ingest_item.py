"""What travels through the stages of ingestion."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.documents import DocumentRecord, DocumentState, ParsedDocument
from app.domain.errors import DocumentError, FailureReason
from app.domain.ingestion import FileOutcome
from app.services.ingest_job import IngestJob
from app.storage.library_values import ChunkToEmbed

GROUP_CHUNKS = 16
"""Small, because a stop waits for the groups that are being embedded."""


@dataclass(slots=True)
class IngestItem:
    """One file on its way. ``record`` is what the library said when it was queued."""

    job: IngestJob
    record: DocumentRecord
    content_hash: str = ""
    parsed: ParsedDocument | None = None
    pages: int | None = None
    chunk_count: int = 0
    open_groups: int = 0
    started: float = 0.0
    dropped: bool = False

    def start(self) -> None:
        """Work on this file begins now."""
        self.started = time.monotonic()

    def outcome(
        self, record: DocumentRecord | None = None, *, skipped: bool = False, error: DocumentError | None = None
    ) -> FileOutcome:
        """What became of the file; ``record`` is what the library holds of it where nothing was read anew."""
        chunks, pages = (record.chunk_count, record.page_count) if record else (self.chunk_count, self.pages)
        return FileOutcome(
            path=self.record.path,
            state=DocumentState.FAILED if error else DocumentState.READY,
            chunks=0 if error else chunks,
            pages=pages,
            seconds=time.monotonic() - self.started if self.started else 0.0,
            reason=error.reason if error else None,
            error=str(error) if error else "",
            skipped=skipped,
            document_id=record.id if record else self.record.id,
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
