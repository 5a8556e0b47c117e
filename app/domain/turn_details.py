"""How an answer came about: what was searched, sent, left out, used and paid. Shown on demand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.domain.answer_facts import Usage
from app.domain.turn_options import MemoryKind, Strictness


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """A message as the model was given it; images and files stand in ``text`` as a note of what they were."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class SentPassage:
    """A passage with its id in the prompt (``p1``; empty if it was not sent).

    ``start`` and ``end`` are offsets in the document's text. ``score`` is comparable only inside one turn.
    """

    id: str
    document_id: int
    path: Path
    title: str
    page: int | None
    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A passage that was found and not sent, and why, in plain words."""

    passage: SentPassage
    reason: str


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file in the scope of the question of which nothing could be searched, and why, in plain words."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that the model called: ``arguments`` is JSON, ``result`` what it got back, cut where it is long."""

    name: str
    arguments: str
    result: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class AttachedNote:
    """A file that came with the question. ``document_id`` is the negative id of a file of the chat, 0 for one that
    joined the library; ``picture`` tells whether its bytes are kept for models that see.
    """

    document_id: int
    path: Path
    picture: bool = False


class TaskKind(StrEnum):
    """What is done with whole documents instead of answering from the best passages."""

    FIND = "find"
    SUMMARISE = "summarise"


@dataclass(frozen=True, slots=True)
class Task:
    """A task over whole documents. ``document_id`` is the one to summarise, 0 where all are looked through."""

    kind: TaskKind
    document_id: int = 0


@dataclass(frozen=True, slots=True)
class TurnDetails:
    """Everything about one turn.

    ``query`` is what was searched, rewritten or not. ``used`` and ``dropped`` count earlier messages that the model was
    and was not given; ``summary`` stands for the latter. Of the model's context ``room`` tokens were for passages and
    earlier turns, and ``reserve`` for our rules, the question and the answer; 0 where that was not noted. ``unread``
    holds the first of ``unread_count`` files. ``cost`` is in US dollars, None where the price isn't known. Times are
    in seconds since the question arrived; None where nothing arrived. ``tokens_per_second`` counts output tokens from
    the first one on. ``notes`` are remarks on the turn, such as that a file was too long to be read whole.
    ``attached`` are the files that came with the question itself, not those of earlier ones. ``task`` is None for
    questions.
    """

    query: str = ""
    strictness: Strictness = Strictness.STRICT
    memory: MemoryKind | None = None
    used: int = 0
    dropped: int = 0
    summary: str = ""
    room: int = 0
    reserve: int = 0
    prompt: tuple[PromptMessage, ...] = ()
    passages: tuple[SentPassage, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    unread: tuple[UnreadFile, ...] = ()
    unread_count: int = 0
    tools: tuple[ToolUse, ...] = ()
    model: str = ""
    finish: str = ""
    usage: Usage | None = None
    cost: float | None = None
    first_token_seconds: float | None = None
    tokens_per_second: float | None = None
    reasoning: str = ""
    notes: tuple[str, ...] = ()
    attached: tuple[AttachedNote, ...] = ()
    task: Task | None = None
