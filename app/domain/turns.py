"""Events of one chat turn, in the order in which they happen, and the messages a session keeps.

A turn yields ``TurnStarted``, perhaps ``QueryRewritten`` and ``MemoryUsed``, ``PassagesFound``, then ``TextAdded``,
``CitationAdded``, ``ReasoningAdded``, ``ToolCalled`` and ``ToolReturned`` as they come, and exactly one of
``TurnFinished``, ``TurnStopped`` or ``TurnFailed`` at the end. ``NoteAdded`` may come anywhere between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.citations import AnswerSentence, Citation
from app.domain.passages import Passage
from app.domain.session_choices import SessionChoices

ROOT = 0
"""As the id of a parent: no message. What follows it begins the chat."""


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
    hold one. ``timings`` are seconds since the question arrived. ``created_at`` is a Unix time. ``parent_id`` is the
    message it follows, None for one that begins its chat. ``siblings`` are the ids of the messages that follow the same
    one, itself included, in the order they were stored; empty where there is no other. ``damage`` says in plain
    sentences what of it could not be read.
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
    citations: Sequence[Citation] = ()
    sentences: Sequence[AnswerSentence] = ()
    timings: dict[str, float] = field(default_factory=dict)
    parent_id: int | None = None
    siblings: tuple[int, ...] = ()
    damage: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A chat session. Times are Unix times; ``deleted_at`` is when it went into the trash, None if it is not there.

    ``message_count`` counts the messages of all branches.
    """

    id: str
    title: str
    created_at: float
    updated_at: float
    message_count: int = 0
    pinned: bool = False
    archived: bool = False
    deleted_at: float | None = None
    folder: str = ""
    tags: tuple[str, ...] = ()
    choices: SessionChoices = field(default_factory=SessionChoices)


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
class QueryRewritten:
    """The question was made standalone; this is what is searched."""

    query: str


@dataclass(frozen=True, slots=True)
class MemoryUsed:
    """How many earlier messages the model is given, and how many it is not. ``summary`` stands for those, if any."""

    used: int
    dropped: int
    summary: str = ""


@dataclass(frozen=True, slots=True)
class NoteAdded:
    """A remark on this turn, such as that a file was too long to be read whole."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningAdded:
    """More of what the model thinks before or between its words."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model wants a tool to run; ``arguments`` is JSON. Where ``needs_approval``, the turn waits for the user."""

    call_id: str
    name: str
    arguments: str
    needs_approval: bool = False


@dataclass(frozen=True, slots=True)
class ToolReturned:
    """What a tool gave back to the model, or why it did not run."""

    call_id: str
    name: str
    text: str
    failed: bool = False


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


TurnEvent = (
    TurnStarted
    | QueryRewritten
    | MemoryUsed
    | NoteAdded
    | PassagesFound
    | ReasoningAdded
    | ToolCalled
    | ToolReturned
    | TextAdded
    | CitationAdded
    | TurnFinished
    | TurnStopped
    | TurnFailed
)
