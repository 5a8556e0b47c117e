"""What goes with a question when it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain.passages import Scope
from app.domain.turn_options import TurnOptions


@dataclass(frozen=True, slots=True)
class AskWith:
    """The model (None for that of the settings), where to search, and the choices for the turn."""

    model: str | None = None
    scope: Scope = field(default_factory=Scope)
    options: TurnOptions = field(default_factory=TurnOptions)
