"""Reads how full the model's context was with the last answer of the open chat."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject

from app.domain.turn_details import TurnDetails
from app.domain.turn_options import BUILT_IN_MODEL
from app.gui.jobs import JobRunner
from app.gui.models.message_list_model import MessageListModel
from app.gui.ports import Services
from app.gui.widgets.context_meter import ContextMeter, ContextReading
from app.gui.wording import shown_name

MOST_ANSWERS = 3


class MeterController(QObject):
    """Keeps a meter true."""

    def __init__(self, runner: JobRunner, messages: MessageListModel, meter: ContextMeter) -> None:
        super().__init__()
        self._runner = runner
        self._messages = messages
        self._meter = meter
        self._services: Services | None = None

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def read(self, *_: object) -> None:
        """Show what the last answer was given."""
        services = self._services
        answers = [entry for entry in self._messages.entries if not entry.is_question and entry.id > 0]
        if services is None or not answers:
            self._meter.show_reading(ContextReading())
            return
        last = [entry.id for entry in answers[: -MOST_ANSWERS - 1 : -1]]
        self._runner.run(lambda: _reading(services, last), self._meter.show_reading, group="context-meter")


def _reading(services: Services, answer_ids: Sequence[int]) -> ContextReading:
    """That of the first of the answers which says how it came about; one that was killed does not."""
    from app.services.chat_service import CONTEXT_TOKENS

    for answer_id in answer_ids:
        details = services.sessions.details(answer_id)
        if details is not None and details.prompt:
            return reading_of(details, services.settings[CONTEXT_TOKENS])
    return ContextReading()


def reading_of(details: TurnDetails, room: int) -> ContextReading:
    """The tokens of a prompt by what they are for; earlier turns stand between the rules and the last message.

    ``room`` is for details that don't say how much room there was. The built-in answerer needs none for its answer.
    """
    from app.chat_models.token_estimate import estimate_tokens
    from app.services.turn_notes import NO_ROOM

    sizes = [(message.role, estimate_tokens(message.text)) for message in details.prompt]
    passages = sum(estimate_tokens(each.text) for each in details.passages if each.id)
    history = sum(size for role, size in sizes[:-1] if role != "system")
    other = max(0, sum(size for _, size in sizes) - history - passages)
    reserve = 0 if details.model == BUILT_IN_MODEL else details.reserve
    return ContextReading(
        history=history,
        passages=passages,
        other=other,
        reserve=max(0, reserve - other),
        room=max((details.room or room) + max(reserve, other), history + passages + other),
        dropped=details.dropped,
        summarised=bool(details.summary),
        left_out=tuple(shown_name(each.passage.path) for each in details.near_misses if each.reason == NO_ROOM),
    )
