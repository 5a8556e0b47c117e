"""Choosing by age alone: everything, the last turns, or as many of the last as fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.services.memory.exchanges import Exchange, newest_within


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a memory gives a model, oldest first; ``summary`` stands for exchanges that are not among them."""

    exchanges: Sequence[Exchange]
    summary: str = ""


class Memory(Protocol):
    """One way to choose what a model is given of a chat."""

    async def recall(self, exchanges: Sequence[Exchange], question: str, budget: int) -> Recalled:
        """Choose from ``exchanges`` (oldest first) for ``question``. ``budget`` is in tokens."""
        ...


class BufferMemory:
    """Everything that was said, up to ``longest`` tokens: beyond it a model would refuse the whole prompt."""

    def __init__(self, longest: int) -> None:
        self._longest = longest

    async def recall(self, exchanges: Sequence[Exchange], question: str, budget: int) -> Recalled:
        """Everything, the oldest left out where it is too long."""
        return Recalled(newest_within(exchanges, max(self._longest, budget)))


class WindowMemory:
    """The last ``turns`` exchanges, up to ``longest`` tokens."""

    def __init__(self, turns: int, longest: int) -> None:
        self._turns = turns
        self._longest = longest

    async def recall(self, exchanges: Sequence[Exchange], question: str, budget: int) -> Recalled:
        """The last exchanges."""
        return Recalled(newest_within(exchanges[-self._turns :], max(self._longest, budget)))


class TokenMemory:
    """As many of the last exchanges as the budget holds."""

    async def recall(self, exchanges: Sequence[Exchange], question: str, budget: int) -> Recalled:
        """The newest exchanges within ``budget``."""
        return Recalled(newest_within(exchanges, budget))
