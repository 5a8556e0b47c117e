"""Events of tasks that read whole documents. They come between those of a turn (``app.domain.turns``)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.domain.citations import Citation
from app.domain.turns import TurnEvent


class TaskStep(StrEnum):
    """What a task is doing."""

    SEARCHING = "searching"
    READING = "reading"
    JUDGING = "judging"
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """How far a step is: ``done`` of ``total``, in ``unit`` ("parts" or "files").

    ``found`` counts what was found so far, ``path`` is what is being read. ``seconds_left`` is an estimate for this
    step, None before there is one.
    """

    step: TaskStep
    done: int
    total: int
    unit: str
    found: int = 0
    path: Path | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class DocumentFound:
    """A document that answers, and its footnotes in the answer."""

    document_id: int
    path: Path
    title: str
    citations: tuple[Citation, ...]


TaskEvent = TurnEvent | TaskProgress | DocumentFound
