"""Chats on their way between programs and computers, and what searches over chats find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.citations import AnswerSentence, Citation
from app.domain.findings import counted
from app.domain.session_choices import SessionChoices
from app.domain.turn_details import TurnDetails
from app.domain.turns import MessageStatus


@dataclass(frozen=True, slots=True)
class ArrivingMessage:
    """A message to be stored. ``origin`` names it the same on every computer; ``parent`` is the origin of the message
    it follows, "" for one that begins its chat."""

    origin: str
    parent: str
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
    details: TurnDetails | None = None


@dataclass(frozen=True, slots=True)
class ArrivingChat:
    """A chat to be stored. Every message stands behind its parent; ``leaf`` is the origin of the end of the branch on
    show, "" for the last message."""

    id: str
    title: str
    created_at: float
    updated_at: float
    messages: Sequence[ArrivingMessage]
    leaf: str = ""
    pinned: bool = False
    archived: bool = False
    folder: str = ""
    tags: tuple[str, ...] = ()
    choices: SessionChoices = field(default_factory=SessionChoices)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of a chat that arrived. ``known`` messages were here already and are as they were."""

    session_id: str
    new: bool
    added: int
    known: int
    restored: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. ``left_out`` says in plain sentences what could not be taken over."""

    arrivals: tuple[Arrival, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def new_chats(self) -> int:
        """Chats that were not here before."""
        return sum(each.new for each in self.arrivals)

    @property
    def continued_chats(self) -> int:
        """Chats that were here and got messages they lacked."""
        return sum(not each.new and each.added > 0 for each in self.arrivals)

    @property
    def known_chats(self) -> int:
        """Chats that were here as a whole."""
        return sum(not each.new and not each.added for each in self.arrivals)

    @property
    def messages(self) -> int:
        """Messages that were stored."""
        return sum(each.added for each in self.arrivals)

    @property
    def restored(self) -> int:
        """Chats that were taken out of the trash."""
        return sum(each.restored for each in self.arrivals)

    def told(self) -> str:
        """What happened, in a sentence or two for the user."""
        parts = (
            (self.new_chats, "new"),
            (self.continued_chats, f"got messages {'it' if self.continued_chats == 1 else 'they'} lacked"),
            (self.known_chats, f"{'was' if self.known_chats == 1 else 'were'} here already"),
        )
        fates = ", ".join(f"{count:,} {fate}" for count, fate in parts if count)
        back = f" {self.restored:,} of them came back from the trash." if self.restored else ""
        chats, messages = counted(len(self.arrivals), "chat"), counted(self.messages, "message")
        return f"{chats}: {fates}. Added {messages}.{back}"


@dataclass(frozen=True, slots=True)
class ChatHit:
    """A message that a search found. ``excerpt`` is one line around its first match; ``spans`` are [start, end) offsets
    in it of the words that match."""

    session_id: str
    session_title: str
    message_id: int
    role: str
    created_at: float
    excerpt: str
    spans: tuple[tuple[int, int], ...]
    archived: bool = False
