"""What a user chose for one chat."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain.passages import Scope
from app.domain.turn_options import MemoryKind, Strictness


@dataclass(frozen=True, slots=True)
class SessionChoices:
    """Choices that hold for every question of a chat until they change; None and "" leave it to the settings.

    ``model`` and ``persona`` are names as the settings spell them.
    """

    model: str = ""
    strictness: Strictness | None = None
    memory: MemoryKind | None = None
    persona: str = ""
    scope: Scope = field(default_factory=Scope)
