"""How answers come about: strictness and memory of the chat, tools, tasks over whole documents."""

from __future__ import annotations

from app.domain.turn_options import MemoryKind, Strictness
from app.gui.controllers.choices_controller import ChoicesController
from app.gui.ports import Services
from app.gui.widgets.answering_button import AnsweringButton
from app.gui.wiring import Shortcut, Stage


class AnsweringWiring:
    """The button for strictness and memory in the composer's row."""

    def __init__(self, stage: Stage, choices: ChoicesController) -> None:
        self._stage = stage
        self._choices = choices
        self._services: Services | None = None
        self.button = AnsweringButton(stage.appearance)
        stage.window.chat.composer.add_control(self.button)
        self.button.strictness_chosen.connect(self._set_strictness)
        self.button.memory_chosen.connect(self._set_memory)
        choices.changed.connect(lambda: self.button.show_choices(choices.choices))

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        return [("Ctrl+Shift+A", "How this chat answers", self.button.showMenu)]

    def _set_strictness(self, chosen: str | None) -> None:
        self._choices.set(strictness=Strictness(chosen) if chosen else None)

    def _set_memory(self, chosen: str | None) -> None:
        self._choices.set(memory=MemoryKind(chosen) if chosen else None)
