"""Follow-up questions in a turn: what is searched for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.domain.turns import StoredMessage
from app.grounding.follow_up_model import REWRITE_SECONDS, standalone_by_model
from app.services.model_service import BUILT_IN
from app.services.turn_seams import Turn
from app.settings.setting import Setting

REWRITE = Setting(
    "chat.rewrite_questions",
    True,
    "Complete follow-up questions",
    "A question such as “What about a service?” is searched as what it means in the chat. The answer shows how.",
)


class QuestionRewriting:
    """The ``rewrite`` seam. A chat model has ``seconds`` to rewrite; the built-in one leaves it to the words."""

    def __init__(self, wanted: Callable[[], bool], *, seconds: float = REWRITE_SECONDS) -> None:
        self._wanted = wanted
        self._seconds = seconds

    async def rewrite(self, turn: Turn, question: str, history: Sequence[StoredMessage]) -> str:
        """Make the question stand alone."""
        if not self._wanted():
            return question
        open_model = None if turn.model == BUILT_IN else turn.open_model
        return await standalone_by_model(question, history, open_model, seconds=self._seconds)
