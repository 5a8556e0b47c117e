"""How the open chat answers: only from documents or also from general knowledge, and what it remembers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from app.domain.session_choices import SessionChoices
from app.domain.turn_options import MemoryKind, Strictness
from app.gui.answer_account import MEMORY_WORDS, STRICTNESS_WORDS
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton

AS_SET = "As in the settings"


class AnsweringButton(IconButton):
    """A menu with both. Signals: ``strictness_chosen`` and ``memory_chosen``, each with the choice or None."""

    strictness_chosen = Signal(object)
    memory_chosen = Signal(object)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(appearance, "balance", "How this chat answers", parent=parent)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self)
        self.setMenu(self._menu)
        self.strictness = self._group("Answers", list(STRICTNESS_WORDS.items()))
        self._menu.addSeparator()
        self.memory = self._group("Remembers of this chat", list(MEMORY_WORDS.items()))
        self.strictness.triggered.connect(lambda action: self.strictness_chosen.emit(action.data()))
        self.memory.triggered.connect(lambda action: self.memory_chosen.emit(action.data()))
        self.show_choices(SessionChoices())

    def show_choices(self, choices: SessionChoices) -> None:
        """Show what holds for the open chat."""
        _check(self.strictness, choices.strictness)
        _check(self.memory, choices.memory)
        parts = [STRICTNESS_WORDS[choices.strictness]] if choices.strictness is not None else []
        parts += [MEMORY_WORDS[choices.memory]] if choices.memory is not None else []
        self.set_name("How this chat answers" + (": " + "; ".join(parts) if parts else ""))
        self.set_icon("balance", "accent" if parts else "text_secondary")

    def _group(self, title: str, choices: Sequence[tuple[StrEnum, str]]) -> QActionGroup:
        heading = self._menu.addAction(title)
        heading.setEnabled(False)
        group = QActionGroup(self)
        for value, words in [(None, AS_SET), *choices]:
            action = QAction(words, group)
            action.setCheckable(True)
            action.setData(value)
            self._menu.addAction(action)
        return group


def _check(group: QActionGroup, value: Strictness | MemoryKind | None) -> None:
    for action in group.actions():
        action.setChecked(action.data() == value)
