"""What a turn works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.chat_models.profiles import Cost, ModelProfile
from app.domain.citations import AnswerSentence
from app.domain.documents import Box
from app.domain.passages import Passage, Scope
from app.domain.turn_details import UnreadFile
from app.domain.turn_options import Strictness
from app.grounding.footnotes import Claim
from app.services.turn_seams import NO_SEAMS, TurnSeams

if TYPE_CHECKING:
    from app.chat_models.model import ChatModel

Check = Callable[
    [str, Sequence[AnswerSentence], Sequence[Claim], Mapping[str, Passage], Strictness], tuple[AnswerSentence, ...]
]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the passages there is room for, best first, and those behind them."""

    passages: Sequence[Passage]
    rest: Sequence[Passage] = ()


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a chat model. ``prices`` are None where they aren't known."""

    profile: ModelProfile | None = None
    prices: Cost | None = None
    local: bool = False


def unknown_model(spec: str = "") -> ModelFacts:
    """No facts."""
    return ModelFacts()


def nothing_unread(scope: Scope) -> tuple[Sequence[UnreadFile], int]:
    """No files."""
    return (), 0


def unchecked(
    question: str,
    sentences: Sequence[AnswerSentence],
    claims: Sequence[Claim],
    passages: Mapping[str, Passage],
    strictness: Strictness,
) -> tuple[AnswerSentence, ...]:
    """The sentences as they are."""
    return tuple(sentences)


@dataclass(frozen=True, slots=True)
class TurnParts:
    """What a turn works with. The functions block and are called in threads.

    ``check`` gives sentences (with what they claim, in the same order) their support. ``unread`` are the first of the
    files in a scope that can't be searched, and how many there are.
    """

    retrieve: Callable[[str, Scope], Found]
    open_model: Callable[[], ChatModel]
    boxes: Callable[[Passage, int, int], tuple[Box, ...]]
    token_budget: int
    seams: TurnSeams = NO_SEAMS
    model_facts: Callable[[], ModelFacts] = field(default=unknown_model)
    unread: Callable[[Scope], tuple[Sequence[UnreadFile], int]] = field(default=nothing_unread)
    check: Check = field(default=unchecked)
