"""News of something that is made anew in the background while the old one answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Rebuilt(StrEnum):
    """What is made anew."""

    MODEL = "model"
    PASSAGES = "passages"


@dataclass(frozen=True, slots=True)
class RebuildNews:
    """How far it is: passages for ``MODEL``, documents for ``PASSAGES``.

    ``ended`` is told once. ``stopped`` means that it goes on later, ``problem`` why it could not be done.
    """

    what: Rebuilt
    done: int = 0
    total: int = 0
    ended: bool = False
    stopped: bool = False
    problem: str = ""


TellRebuild = Callable[[RebuildNews], None]


def nobody(news: RebuildNews) -> None:
    """Nobody wants to know."""
