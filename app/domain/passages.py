"""Passages: chunks as retrieval hands them to an answer, and what limits a search."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.domain.document_types import DocumentType


class SearchMode(StrEnum):
    """Which rankings a search uses."""

    HYBRID = "hybrid"
    DENSE = "dense"
    KEYWORD = "keyword"


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` on and before ``until``, in seconds since 1970; None does not limit."""

    since: float | None = None
    until: float | None = None

    @property
    def always(self) -> bool:
        """Whether nothing is limited."""
        return self.since is None and self.until is None


@dataclass(frozen=True, slots=True)
class Scope:
    """Limits a search. Empty fields don't limit; a document must satisfy every field that is set.

    Of several values in a field one is enough. ``collections`` are ids. ``modified`` is about the file's time of
    change, ``added`` about when the library came to know it. ``session`` is a chat whose attached files are searched
    besides; it does not limit.
    """

    document_ids: frozenset[int] = frozenset()
    folders: tuple[Path, ...] = ()
    media_types: frozenset[str] = frozenset()
    types: frozenset[DocumentType] = frozenset()
    collections: frozenset[int] = frozenset()
    modified: Period = Period()
    added: Period = Period()
    session: str = ""

    @property
    def everything(self) -> bool:
        """Whether nothing is limited."""
        return (
            not (self.document_ids or self.folders or self.media_types or self.types or self.collections)
            and self.modified.always
            and self.added.always
        )


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved chunk with where it stands and how it was found.

    ``score`` is the final ranking score, comparable only inside one result. ``similarity`` is the cosine of query and
    chunk where it was measured. Ranks count from 1. ``ocr_confidence`` is how sure OCR was of the pages that the chunk
    stands on (mean, 0 to 1), None if its text was read directly. ``offline`` says that its file can't be reached now.
    """

    chunk_id: int
    document_id: int
    path: Path
    title: str
    file_hash: str
    start: int
    end: int
    text: str
    score: float
    page: int | None = None
    headings: tuple[str, ...] = ()
    token_count: int = 0
    similarity: float | None = None
    dense_rank: int | None = None
    keyword_rank: int | None = None
    ocr_confidence: float | None = None
    offline: bool = False
