"""Values that the library store hands out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from app.domain.box_map import BoxMap
from app.domain.documents import SectionKind
from app.domain.errors import FootnoteError


class UnknownDocumentError(FootnoteError):
    """The document is not in the library (any more): removed while work on it went on."""


class ChangesPrunedError(FootnoteError):
    """The change log no longer reaches back that far: read the segments or the vectors anew."""


class ChunkToEmbed(NamedTuple):
    """A chunk that lacks a vector, and the text to embed."""

    chunk_id: int
    embed_text: str


@dataclass(frozen=True, slots=True)
class ReplaceResult:
    """What became of a document's chunks, in the order of their ids.

    ``kept`` have their old ids and vectors. ``new`` are all that lack any vector: those that were added, and kept ones
    that were never embedded because the program had ended.
    """

    kept: frozenset[int]
    new: list[ChunkToEmbed]
    removed: list[int]


class Changes(NamedTuple):
    """What happened up to ``sequence``. Apply ``removed`` first; an id in both lists was changed."""

    sequence: int
    added: list[int]
    removed: list[int]


@dataclass(frozen=True)
class StoredSection:
    """A section of a stored document: ``document_text[start:end]`` is its text.

    ``confidence`` is how sure OCR was (mean, 0 to 1), None where text was read directly.
    """

    start: int
    end: int
    page: int | None
    headings: tuple[str, ...]
    kind: SectionKind
    has_char_map: bool
    _load_char_map: Callable[[], tuple[int, ...] | None] = field(repr=False, compare=False)
    confidence: float | None = None
    _load_box_map: Callable[[], BoxMap | None] = field(default=lambda: None, repr=False, compare=False)

    @cached_property
    def char_map(self) -> tuple[int, ...] | None:
        """The index in PDFium's page text of each character, -1 for none (PDF only). Read at first use."""
        return self._load_char_map()

    @cached_property
    def box_map(self) -> BoxMap | None:
        """Where the words stand that OCR read; None for text read directly. Read at first use."""
        return self._load_box_map() if self.confidence is not None else None


@dataclass(frozen=True, slots=True)
class IndexSegment:
    """The record of one immutable file of a derived index.

    ``kind`` names the index (``vector``, ``keyword``), ``model_key`` is empty where no model matters, ``generation``
    grows with every segment written. ``size`` is the file's in bytes, ``block_checksums`` are the concatenated
    checksums of its blocks of ``block_size`` bytes. ``sequence`` is the change the index had reached. ``tombstones``
    are chunk ids the file holds but that were removed since; ``vector_count`` counts them too.
    """

    kind: str
    model_key: str
    generation: int
    file_name: str
    sha256: str
    vector_count: int
    max_chunk_id: int
    sequence: int
    dimension: int = 0
    size: int = 0
    block_size: int = 0
    block_checksums: bytes = b""
    tombstones: tuple[int, ...] = ()
    created_at: float = 0.0
