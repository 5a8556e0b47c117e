"""What a check of the library found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class FindingCode(StrEnum):
    """Kinds of findings. Stable in ``--json`` output."""

    DATABASE = "database"  # a database can't be opened, or its pages are damaged
    ROWS = "rows"  # rows point to rows that are missing
    TEXT = "text"  # a document's stored text, sections or chunks are altered or incomplete
    VECTOR = "vector"  # vectors are missing, altered or can't be vectors of the model
    STATE = "state"  # a document's state does not fit what is stored of it
    CHANGE_LOG = "change_log"  # the log that indexes follow can't be read
    CHUNK_RUNS = "chunk_runs"  # the ranges by which searches are limited to documents are wrong
    MODEL = "model"  # the search model can't be used
    VECTOR_INDEX = "vector_index"  # the vector index is damaged or finds something else than the library holds
    KEYWORD_INDEX = "keyword_index"  # the same of the keyword index
    MESSAGES = "messages"  # the search index of the chats does not match them
    CITATIONS = "citations"  # footnotes point to nothing
    SETTINGS = "settings"  # a stored setting can't be used
    FILES = "files"  # files that Footnote keeps are missing
    LEFTOVERS = "leftovers"  # files that an interrupted write left behind
    PENDING = "pending"  # work that the next start takes up


class Severity(StrEnum):
    """A note needs nobody to do anything; a problem does."""

    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. ``message`` is written for the user; the ids and paths are what it concerns.

    ``database`` is the file that is damaged, for ``FindingCode.DATABASE``.
    """

    code: FindingCode
    message: str
    severity: Severity = Severity.PROBLEM
    document_ids: tuple[int, ...] = ()
    chunk_ids: tuple[int, ...] = ()
    paths: tuple[Path, ...] = ()
    database: Path | None = None


def counted(count: int, what: str) -> str:
    """``1 passage``, ``2,000 passages``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
