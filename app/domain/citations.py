"""Citations: snapshots of the passages that an answer rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.domain.documents import Box


@dataclass(frozen=True, slots=True)
class Citation:
    """What a footnote shows. A snapshot: re-indexing or deleting the file never breaks an old answer.

    ``number`` counts from 1 in order of appearance in the answer. ``start`` and ``end`` are offsets in the document's
    text, ``quote`` is that text, ``boxes`` its rectangles on ``page`` (PDF only).
    """

    number: int
    document_id: int
    path: Path
    title: str
    file_hash: str
    start: int
    end: int
    quote: str
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    score: float = 0.0


class Support(StrEnum):
    """What the passages say to a sentence. ``GENERAL`` is what an open answer adds from general knowledge."""

    UNCHECKED = "unchecked"
    SUPPORTED = "supported"
    PARTLY = "partly"
    UNSUPPORTED = "unsupported"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence of an answer, ``answer[start:end]``, the numbers of the citations behind it, and whether they bear it.

    ``reason`` says in plain words what is missing, such as an altered number.
    """

    text: str
    start: int
    end: int
    citations: tuple[int, ...] = ()
    support: Support = Support.UNCHECKED
    reason: str = ""
