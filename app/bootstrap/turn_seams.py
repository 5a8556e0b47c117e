"""What reaches into a turn, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.turn_seams import Remember, TurnSeams

if TYPE_CHECKING:
    from app.bootstrap.services import Services


def turn_seams(services: Services, *, remember: Remember) -> TurnSeams:
    """The seams of the turns of one library."""
    from app.services.question_rewriting import REWRITE, QuestionRewriting

    rewriting = QuestionRewriting(lambda: services.settings[REWRITE])
    return TurnSeams(rewrite=rewriting.rewrite, remember=remember)
