"""Reads how full the model's context was with the last answer of the open chat."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.domain.turn_details import TurnDetails
from app.gui.jobs import JobRunner
from app.gui.models.message_list_model import MessageListModel
from app.gui.ports import Services
from app.gui.widgets.context_meter import ContextMeter, ContextReading


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
        answer_id = answers[-1].id
        self._runner.run(lambda: _reading(services, answer_id), self._meter.show_reading, group="context-meter")


def _reading(services: Services, answer_id: int) -> ContextReading:
    from app.services.chat_service import CONTEXT_TOKENS

    details = services.sessions.details(answer_id)
    return ContextReading() if details is None else reading_of(details, services.settings[CONTEXT_TOKENS])


def reading_of(details: TurnDetails, room: int) -> ContextReading:
    """The tokens of a prompt by what they are for; earlier turns stand between the rules and the last message."""
    from app.chat_models.token_estimate import estimate_tokens

    sizes = [(message.role, estimate_tokens(message.text)) for message in details.prompt]
    passages = sum(estimate_tokens(each.text) for each in details.passages if each.id)
    history = sum(size for role, size in sizes[:-1] if role != "system")
    other = max(0, sum(size for _, size in sizes) - history - passages)
    return ContextReading(
        history=history,
        passages=passages,
        other=other,
        room=max(room, history + passages + other),
        dropped=details.dropped,
        left_out=len(details.near_misses),
    )
