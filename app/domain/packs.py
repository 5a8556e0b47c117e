"""Collection packs: documents as they travel from one computer to another in one file."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.documents import Chunk, FileStamp, ParsedDocument


@dataclass(frozen=True, slots=True)
class PackedDocument:
    """A document with its text, chunks and vectors.

    ``path`` is where its file was, as text of that computer's system. ``vectors`` are little-endian float16, one for
    each chunk; none where they were left behind because another model answers here.
    """

    path: str
    stamp: FileStamp
    content_hash: str
    parsed: ParsedDocument
    chunks: tuple[Chunk, ...]
    vectors: tuple[bytes, ...]
    collections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PackSummary:
    """What a pack says of itself. ``size`` is the file's in bytes, ``unpacked`` that of what is in it."""

    documents: int
    sections: int
    chunks: int
    collections: tuple[str, ...]
    model_key: str
    dimension: int
    app_version: str
    size: int
    unpacked: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did, or would do. The first six add up to ``documents``.

    ``added`` came in, ``updated`` took the place of an older text, ``moved`` were there under another path, ``known``
    were there as they are, ``kept`` differ from what is at their path here, which stays, ``excluded`` were left out
    here. ``offline`` of those that came in have no file here; ``embedded`` passages had to be embedded again.
    """

    documents: int
    added: int
    updated: int
    moved: int
    known: int
    kept: int
    excluded: int
    offline: int
    chunks: int
    embedded: int
