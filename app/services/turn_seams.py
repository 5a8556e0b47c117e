"""Where other use cases reach into a turn: rewriting, memory, attachments, pinned documents, tools.

Every seam may be left out; then a turn does without. All run on the event loop and must not block it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from app.domain.messages import Message, Part
from app.domain.passages import Passage, Scope
from app.domain.turn_details import AttachedNote
from app.domain.turn_options import Attachment, MemoryKind, Strictness, TurnOptions
from app.domain.turns import StoredMessage, ToolCalled

if TYPE_CHECKING:
    from app.chat_models.model import ChatModel
    from app.chat_models.tools import Tool


def _no_ids(passages: Sequence[Passage]) -> list[str]:
    return []


def _unheard(text: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Turn:
    """What a seam is told of the turn it takes part in.

    ``model`` is the name the model was asked for by, ``open_model`` makes it (blocks: call it in a thread).
    ``strictness`` is the one that holds, whatever ``options`` leave open; ``scope`` is what may be searched. ``give``
    adds passages to those the model may cite, and returns their ids (``p4``) in order; a passage that it has already
    keeps its id. ``note`` tells the user something about the turn.
    """

    session_id: str
    question: str
    model: str
    options: TurnOptions
    strictness: Strictness
    scope: Scope
    open_model: Callable[[], ChatModel]
    give: Callable[[Sequence[Passage]], list[str]] = field(default=_no_ids)
    note: Callable[[str], None] = field(default=_unheard)


@dataclass(frozen=True, slots=True)
class Remembered:
    """Earlier messages for a prompt, oldest first; how many stored ones they stand for and how many are left out."""

    messages: tuple[Message, ...] = ()
    used: int = 0
    dropped: int = 0
    summary: str = ""
    kind: MemoryKind | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """What attached files add: parts of the last message (images, notes), and the scope to search instead.

    ``fresh`` are the files that came with this question.
    """

    parts: tuple[Part, ...] = ()
    scope: Scope | None = None
    fresh: tuple[AttachedNote, ...] = ()


class Rewrite(Protocol):
    """Makes a question standalone; returns it as it is where it stands alone already."""

    async def __call__(self, turn: Turn, question: str, history: Sequence[StoredMessage]) -> str: ...


class Remember(Protocol):
    """Chooses what of ``history`` (oldest first) the model is given, within ``budget`` tokens.

    ``question`` is the one that is searched, rewritten or not.
    """

    async def __call__(
        self, turn: Turn, history: Sequence[StoredMessage], question: str, budget: int
    ) -> Remembered: ...


class Attach(Protocol):
    """Takes the files of this turn, and those attached to the chat earlier. Called in every turn."""

    async def __call__(self, turn: Turn, attachments: Sequence[Attachment]) -> Attached: ...


class Pin(Protocol):
    """The whole of pinned documents as passages, as far as ``budget`` tokens hold them."""

    async def __call__(self, turn: Turn, ids: Sequence[int], budget: int) -> Sequence[Passage]: ...


class Approve(Protocol):
    """Whether a tool may run; waits for the user where that is needed."""

    async def __call__(self, turn: Turn, call: ToolCalled) -> bool: ...


def _no_tools(turn: Turn) -> Sequence[Tool]:
    return ()


def _never(name: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class TurnSeams:
    """All of them. ``tools`` are offered only where ``TurnOptions.tools`` is set and the model takes tools.

    ``needs_approval`` tells from a tool's name whether ``approve`` will ask the user.
    """

    rewrite: Rewrite | None = None
    remember: Remember | None = None
    attach: Attach | None = None
    pin: Pin | None = None
    tools: Callable[[Turn], Sequence[Tool]] = field(default=_no_tools)
    approve: Approve | None = None
    needs_approval: Callable[[str], bool] = field(default=_never)


NO_SEAMS = TurnSeams()
