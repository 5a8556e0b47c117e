"""Events of one chat turn, in the order in which they happen, and the messages a session keeps.

A turn yields ``TurnStarted``, ``PassagesFound``, then ``TextAdded`` and ``CitationAdded`` interleaved, and exactly one
of ``TurnFinished``, ``TurnStopped`` or ``TurnFailed`` at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.citations import AnswerSentence, Citation
from app.domain.passages import Passage


class MessageStatus(StrEnum):
    """What became of a stored message."""

    STREAMING = "streaming"
    COMPLETE = "complete"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as a session keeps it. ``role`` is ``user``, ``assistant``, ``system`` or ``tool``.

    ``text`` carries footnote markers as ``[1]``. ``answered`` is False when the answer says that the documents don't
    hold one. ``timings`` are seconds since the question arrived. ``created_at`` is a Unix time.
    """

    id: int
    session_id: str
    role: str
    text: str
    status: MessageStatus = MessageStatus.COMPLETE
    created_at: float = 0.0
    model: str = ""
    answered: bool = True
    error: str = ""
    citations: tuple[Citation, ...] = ()
    sentences: tuple[AnswerSentence, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A chat session. Times are Unix times."""

    id: str
    title: str
    created_at: float
    updated_at: float
    message_count: int = 0


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The question is stored; the answer will be stored under ``answer_id``."""

    session_id: str
    question_id: int
    answer_id: int


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """The passages the model is given, best first."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class TextAdded:
    """More answer text, footnote markers included as ``[1]``."""

    text: str


@dataclass(frozen=True, slots=True)
class CitationAdded:
    """A footnote that the text so far has begun to use."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The answer is complete and stored."""

    message: StoredMessage


@dataclass(frozen=True, slots=True)
class TurnStopped:
    """The user stopped the turn; the part that had arrived is stored."""

    message: StoredMessage


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The turn failed; the part that had arrived is stored. ``message.error`` is written for the user."""

    message: StoredMessage


TurnEvent = TurnStarted | PassagesFound | TextAdded | CitationAdded | TurnFinished | TurnStopped | TurnFailed
