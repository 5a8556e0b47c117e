"""What a user thinks of answers, kept on this computer as examples for measuring search."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Judgement(StrEnum):
    """What the user said of an answer, or did with one of its footnotes."""

    UP = "up"
    DOWN = "down"
    OPENED = "opened"


@dataclass(frozen=True, slots=True)
class FeedbackExample:
    """A question and a place that its answer cited. Offsets are in the document's text, ``at`` is a Unix time.

    ``number`` is the footnote; 0 stands for an answer without any, which has no place (``path`` is empty).
    """

    message_id: int
    number: int
    judgement: Judgement
    question: str
    path: Path
    file_hash: str
    page: int | None
    start: int
    end: int
    quote: str
    at: float
