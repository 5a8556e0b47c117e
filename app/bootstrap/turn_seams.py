"""What reaches into a turn, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.turn_seams import Remember, TurnSeams

if TYPE_CHECKING:
    from app.bootstrap.services import Services


def turn_seams(services: Services, *, remember: Remember) -> TurnSeams:
    """The seams of the turns of one library."""
    from app.services.library_tools import LibraryTools
    from app.services.pinning import Pinning
    from app.services.question_rewriting import REWRITE, QuestionRewriting

    tools = LibraryTools(services.passages, services.settings)
    return TurnSeams(
        rewrite=QuestionRewriting(lambda: services.settings[REWRITE]).rewrite,
        remember=remember,
        attach=services.attaching.attach,
        pin=Pinning(services.passages).pin,
        tools=tools.tools,
        approve=services.tool_approvals.approve,
        needs_approval=tools.needs_approval,
    )
