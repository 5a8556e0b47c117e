"""Lines above an answer: what was searched and left out, how far a task is, which tools the model wants to use."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.gui.theme import Appearance
from app.gui.turn_notes import ToolNote, ToolState, TurnNotes
from app.gui.widgets.basics import IconLabel, TextButton, plain_label
from app.gui.widgets.stacking import flow, stack, stacked_height
from app.gui.wording import shown

GAP, ICON, ICON_GAP = 4, 15, 8
CARD_MARGIN, BUTTON_GAP = 12, 8
LONGEST_SHOWN_RESULT = 160
STATE_WORDS = {ToolState.RUNNING: "…", ToolState.DONE: "", ToolState.FAILED: " – this failed"}


class TurnNotesView(QWidget):
    """Signals: ``tool_answered(call_id, allowed, always)``; ``stop_wished`` for a task; ``height_changed``."""

    tool_answered = Signal(str, bool, bool)
    stop_wished = Signal()
    height_changed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._notes = TurnNotes()
        self.rows: list[NoteRow | ApprovalCard | TaskRow] = []
        self.task: TaskRow | None = None

    def show_notes(self, notes: TurnNotes, *, running: bool = False) -> None:
        """Show these notes; hide where there are none. How far a task is, is shown while it is ``running``."""
        if not running:
            notes = replace(notes, progress=None)
        if replace(notes, progress=None) != replace(self._notes, progress=None) or (
            (notes.progress is None) is not (self._notes.progress is None)
        ):
            self._notes = notes
            self._fill()
        elif notes.progress is not None and self.task is not None:
            self._notes = notes
            self.task.show_progress(notes)
        self.setVisible(bool(self.rows))

    def height_for(self, width: int) -> int:
        """Its height at a width."""
        return stacked_height(self.rows, width, GAP)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        stack(self.rows, self.width(), GAP)

    def _fill(self) -> None:
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self.rows, self.task = [], None
        notes = self._notes
        if notes.query:
            self._add(NoteRow(self._appearance, "search", f"Searched for “{shown(notes.query)}”", self))
        if notes.memory_words:
            self._add(NoteRow(self._appearance, "clock", notes.memory_words, self))
        for tool in notes.tools:
            waiting = tool.state is ToolState.WAITING
            self._add(self._approval(tool) if waiting else NoteRow(self._appearance, "wrench", _tool_words(tool), self))
        if notes.progress is not None:
            self.task = TaskRow(self._appearance, self)
            self.task.show_progress(notes)
            self.task.stop_button.clicked.connect(lambda _checked=False: self.stop_wished.emit())
            self._add(self.task)
        if notes.found:
            self._add(NoteRow(self._appearance, "check", "Found in " + ", ".join(notes.found), self))
        for remark in notes.remarks:
            self._add(NoteRow(self._appearance, "info", shown(remark), self))
        stack(self.rows, self.width(), GAP)
        self.height_changed.emit()

    def _add(self, row: NoteRow | ApprovalCard | TaskRow) -> None:
        self.rows.append(row)
        row.show()

    def _approval(self, tool: ToolNote) -> ApprovalCard:
        card = ApprovalCard(self._appearance, tool, self)
        card.answered.connect(lambda allowed, always: self.tool_answered.emit(tool.call_id, allowed, always))
        return card


class NoteRow(QWidget):
    """An icon and a few words."""

    def __init__(self, appearance: Appearance, icon: str, words: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._icon = IconLabel(appearance, icon, color="text_tertiary", size=ICON, parent=self)
        self.label = plain_label(words, scale="small", tone="secondary", wrap=True, parent=self)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def height_for(self, width: int) -> int:
        """Its height at a width."""
        return max(ICON, self.label.heightForWidth(max(40, width - ICON - ICON_GAP)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._icon.move(0, 1)
        self.label.setGeometry(QRect(ICON + ICON_GAP, 0, self.width() - ICON - ICON_GAP, self.height()))


class TaskRow(QFrame):
    """How far a task that reads whole documents is, and a button that stops it."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("card", "sunken")
        self.words = plain_label("")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the task")
        self.stop_button = TextButton(appearance, "Stop", kind="quiet", icon="stop")
        column = QVBoxLayout()
        column.setSpacing(7)
        column.addWidget(self.words)
        column.addWidget(self.bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(CARD_MARGIN + 2, 8, 8, 10)
        row.setSpacing(CARD_MARGIN)
        row.addLayout(column, 1)
        row.addWidget(self.stop_button)

    def height_for(self, _width: int) -> int:
        """Its height at any width."""
        return self.sizeHint().height()

    def show_progress(self, notes: TurnNotes) -> None:
        """Show how far it is."""
        if notes.progress is not None:
            self.bar.setMaximum(max(1, notes.progress.total))
            self.bar.setValue(notes.progress.done)
            self.words.setText(notes.progress_words)


class ApprovalCard(QFrame):
    """The model wants to use a tool. Signals: ``answered(allowed, always)``."""

    answered = Signal(bool, bool)

    def __init__(self, appearance: Appearance, tool: ToolNote, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("card", "warning")
        self.label = plain_label(f"The model wants to: {_lowered(tool.words)}", wrap=True, parent=self)
        self.allow = TextButton(appearance, "Allow", kind="primary", parent=self)
        self.always = TextButton(appearance, "Always in this chat", parent=self)
        self.refuse = TextButton(appearance, "Don't allow", kind="quiet", parent=self)
        self.buttons = [self.allow, self.always, self.refuse]
        self.allow.clicked.connect(lambda: self._answer(allowed=True, always=False))
        self.always.clicked.connect(lambda: self._answer(allowed=True, always=True))
        self.refuse.clicked.connect(lambda: self._answer(allowed=False, always=False))

    def height_for(self, width: int) -> int:
        """Its height at a width."""
        inner = max(80, width - 2 * CARD_MARGIN)
        return self._words_height(inner) + flow(self.buttons, inner, BUTTON_GAP, move=False) + 3 * CARD_MARGIN

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        inner = max(80, self.width() - 2 * CARD_MARGIN)
        words = self._words_height(inner)
        self.label.setGeometry(QRect(CARD_MARGIN, CARD_MARGIN, inner, words))
        flow(self.buttons, inner, BUTTON_GAP, move=True)
        for button in self.buttons:
            button.move(button.x() + CARD_MARGIN, button.y() + words + 2 * CARD_MARGIN)

    def _words_height(self, width: int) -> int:
        return self.label.heightForWidth(width)

    def _answer(self, *, allowed: bool, always: bool) -> None:
        for button in self.buttons:
            button.setEnabled(False)
        self.answered.emit(allowed, always)


def _tool_words(tool: ToolNote) -> str:
    failed = tool.state is ToolState.FAILED
    said = shown(tool.result)[:LONGEST_SHOWN_RESULT] if failed else ""
    return f"{tool.words}{STATE_WORDS.get(tool.state, '')}" + (f": {said}" if said else "")


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:]
