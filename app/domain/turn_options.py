"""What a user can choose for one question."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

BUILT_IN_MODEL = "extractive"
"""The answerer that quotes sentences and needs no model."""


class Strictness(StrEnum):
    """Whether an answer may hold what no document says. Open answers mark those parts."""

    STRICT = "strict"
    OPEN = "open"


class MemoryKind(StrEnum):
    """How much of a chat a model is given with a question."""

    BUFFER = "buffer"
    WINDOW = "window"
    TOKENS = "tokens"
    SUMMARY = "summary"
    RETRIEVAL = "retrieval"


class AttachmentUse(StrEnum):
    """Whether an attached file is for its chat only or joins the library."""

    CHAT = "chat"
    LIBRARY = "library"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file or image that goes with a question."""

    path: Path
    use: AttachmentUse = AttachmentUse.CHAT


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """Choices for one turn; None takes those of the session, and where it has none those of the settings.

    ``instructions`` go before the rules of the prompt (a persona, filled in). ``pinned`` documents go into the prompt
    as a whole, as far as they fit. ``parent_id`` is the message behind which the question stands, None for the end of
    the branch on show. ``question_id`` answers a stored question once more, beside its earlier answers.
    ``continue_id`` goes on with an answer that was cut off.
    """

    strictness: Strictness | None = None
    memory: MemoryKind | None = None
    instructions: str = ""
    pinned: tuple[int, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    tools: bool = False
    parent_id: int | None = None
    question_id: int | None = None
    continue_id: int | None = None
