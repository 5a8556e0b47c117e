"""Where questions are written, and what goes with them is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QMoveEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.gui.chips import Chip, Trigger, is_command
from app.gui.models.suggestion_model import Suggestion
from app.gui.theme import Appearance
from app.gui.widgets.basics import ElidedLabel, IconButton, TextButton, restyle
from app.gui.widgets.chip_row import ChipRow
from app.gui.widgets.context_meter import ContextMeter
from app.gui.widgets.drop_overlay import DropOverlay
from app.gui.widgets.dropped import DropTarget
from app.gui.widgets.pick_list import PickList
from app.gui.widgets.question_edit import QuestionEdit

WIDEST_NAME = 170


class Composer(QFrame):
    """The question's text, chips for what goes with it, and buttons.

    Signals: ``question_sent(text)``; ``stop_wished``; ``add_files_wished`` for the library; ``attach_wished``;
    ``scope_wished``, ``model_wished``, ``persona_wished``, ``templates_wished``: a button was pressed;
    ``suggested(suggestion, trigger)``: one was picked for what was typed; ``trigger_changed(trigger or None)``;
    ``paths_dropped(list of paths)``; ``pages_dropped(list of web addresses)``; ``task_sent``: what stood here was taken
    for a task over all documents; ``command_missed(text)``: Enter was pressed on a command that there is not.
    """

    question_sent = Signal(str)
    task_sent = Signal()
    stop_wished = Signal()
    add_files_wished = Signal()
    attach_wished = Signal()
    scope_wished = Signal()
    model_wished = Signal()
    persona_wished = Signal()
    templates_wished = Signal()
    tools_toggled = Signal(bool)
    suggested = Signal(object, object)
    trigger_changed = Signal(object)
    paths_dropped = Signal(list)
    pages_dropped = Signal(list)
    command_missed = Signal(str)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", "composer")
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self._appearance = appearance
        self._answering = False
        self._ready = False
        self._trigger: Trigger | None = None
        self.edit = QuestionEdit(appearance)
        self.edit.setPlaceholderText("Ask about your files…  # collection, @ file, / command")
        self.chips = ChipRow(appearance)
        self.meter = ContextMeter(appearance)
        self._suggestions: PickList | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 10, 9)
        column.setSpacing(6)
        column.addWidget(self.chips)
        column.addWidget(self.edit)
        column.addLayout(self._make_buttons())
        overlay = DropOverlay(appearance, self, "Drop to attach to your question", "")
        drops = DropTarget(self, overlay, takes_content=True)
        drops.paths_dropped.connect(self.paths_dropped)
        drops.pages_dropped.connect(self.pages_dropped)
        drops.image_dropped.connect(self.edit.image_pasted)
        drops.text_dropped.connect(self.edit.insert_text)
        self.edit.paths_pasted.connect(self.paths_dropped)
        self.edit.sent.connect(self._submit)
        self.edit.textChanged.connect(self._update_button)
        self.edit.focus_changed.connect(self._show_focus)
        self.edit.trigger_changed.connect(self._on_trigger)
        self.edit.takes_keys = self._takes_key
        self._update_button()

    def _make_buttons(self) -> QHBoxLayout:
        appearance = self._appearance
        self._add = IconButton(appearance, "plus", "Add", on_click=self._show_menu)
        self._scope = ElidedLabel("", scale="small", tone="tertiary")
        self._persona = TextButton(appearance, "", kind="quiet", on_click=self.persona_wished.emit)
        self._persona.hide()
        self._model = TextButton(appearance, "Built-in", kind="quiet", on_click=self.model_wished.emit)
        self._send = IconButton(appearance, "send", "Send", color="on_accent", size=18, on_click=self._on_button)
        self._send.setProperty("kind", "send")
        self._send.setFixedSize(34, 34)
        self._tools = False
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._add)
        row.addWidget(self._scope, 1)
        row.addWidget(self.meter)
        self._controls = QHBoxLayout()
        self._controls.setSpacing(2)
        row.addLayout(self._controls)
        for widget in (self._persona, self._model, self._send):
            row.addWidget(widget)
        return row

    @property
    def send_button(self) -> IconButton:
        """Sends the question, or stops the answer while one is being written."""
        return self._send

    @property
    def model_button(self) -> TextButton:
        """Shows which model answers, and lets another one be picked."""
        return self._model

    @property
    def persona_button(self) -> TextButton:
        """Shows the persona, where one is chosen."""
        return self._persona

    @property
    def add_button(self) -> IconButton:
        """Opens the menu of what can go with a question."""
        return self._add

    def add_control(self, widget: QWidget) -> None:
        """Put a control for the chat between the words and the model."""
        self._controls.addWidget(widget)

    def set_ready(self, ready: bool) -> None:
        """Whether questions can be asked at all."""
        self._ready = ready
        self._update_button()

    def set_answering(self, answering: bool) -> None:
        """While an answer is being written the button stops it."""
        self._answering = answering
        self._send.set_name("Stop" if answering else "Send", "Esc" if answering else "Enter")
        self._update_button()

    def set_scope(self, text: str) -> None:
        """Say what the question will be asked of."""
        self._scope.set_full_text(text)

    def set_chips(self, chips: Sequence[Chip]) -> None:
        """Show what goes with the question."""
        self.chips.set_chips(chips)

    def set_model(self, name: str, details: str) -> None:
        """Show which model answers."""
        self._show_name(self._model, name, f"Model: {name}", details)

    def set_persona(self, name: str) -> None:
        """Show the persona; "" for none."""
        self._show_name(self._persona, name, f"Persona: {name}", "")
        self._persona.setVisible(bool(name))

    def set_tools(self, wanted: bool) -> None:
        """Whether the model may search by itself."""
        self._tools = wanted

    def set_text(self, text: str) -> None:
        """Put a question in, for the user to send."""
        self.edit.setPlainText(text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)

    def suggest(self, suggestions: Sequence[Suggestion], typed: str) -> None:
        """Offer these above the composer, narrowed down by what was typed."""
        if self._suggestions is None:
            self._suggestions = PickList(self._appearance, parent=self.window())
            self._suggestions.picked.connect(self._on_suggested)
        self._suggestions.set_suggestions(suggestions)
        self._suggestions.narrow(typed)
        self._place_suggestions()
        self._suggestions.setVisible(self._suggestions.model.rowCount() > 0)
        self._suggestions.raise_()

    def close_suggestions(self) -> bool:
        """Take the list above the composer away; False if there is none."""
        if self._suggestions is None or not self._suggestions.isVisible():
            return False
        self._suggestions.hide()
        return True

    @property
    def suggestions(self) -> PickList | None:
        """The list above the composer, once there was one."""
        return self._suggestions

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the words means them."""
        self.edit.setFocus()
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_suggestions()

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self._place_suggestions()

    def _place_suggestions(self) -> None:
        if self._suggestions is not None:
            corner = self.mapTo(self.window(), QPoint(0, 0))
            self._suggestions.move(corner.x(), max(0, corner.y() - self._suggestions.height() - 6))

    def _on_trigger(self, trigger: Trigger | None) -> None:
        self._trigger = trigger
        if trigger is None and self._suggestions is not None:
            self._suggestions.hide()
        self.trigger_changed.emit(trigger)

    def _on_suggested(self, suggestion: Suggestion) -> None:
        if self._trigger is not None:
            self.suggested.emit(suggestion, self._trigger)

    def _takes_key(self, event: QKeyEvent) -> bool:
        return self._suggestions is not None and self._suggestions.isVisible() and self._suggestions.handle(event)

    def _show_menu(self) -> None:
        menu = QMenu(self)
        for icon, words, wished in (
            ("attached", "Attach files to this question…", self.attach_wished),
            ("file-add", "Add files to the library…\tCtrl+O", self.add_files_wished),
            ("", "", None),
            ("search", "Search only in…\tCtrl+K", self.scope_wished),
            ("info", "Persona…", self.persona_wished),
            ("rename", "Personas and templates…", self.templates_wished),
        ):
            if wished is None:
                menu.addSeparator()
            else:
                menu.addAction(self._appearance.icon(icon, "text_secondary"), words).triggered.connect(wished)
        tools = menu.addAction("Let the model search by itself")
        tools.setCheckable(True)
        tools.setChecked(self._tools)
        tools.toggled.connect(self.tools_toggled)
        menu.exec(self._add.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _show_name(self, button: TextButton, name: str, spoken: str, details: str) -> None:
        shown = button.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, WIDEST_NAME)
        button.setText(shown.replace("&", "&&"))
        button.setAccessibleName(spoken)
        button.setToolTip("\n".join(part for part in (spoken, details) if part).replace("<", "‹"))

    def _on_button(self) -> None:
        if self._answering:
            self.stop_wished.emit()
        else:
            self._submit()

    def _submit(self) -> None:
        text = self.edit.toPlainText().strip()
        if is_command(text):
            self.command_missed.emit(text)
        elif text and self._ready:
            self.edit.clear()
            self.question_sent.emit(text)

    def _update_button(self) -> None:
        has_text = bool(self.edit.toPlainText().strip()) if self.edit.document().characterCount() < 500 else True
        enabled = self._answering or (self._ready and has_text)
        self._send.setEnabled(enabled)
        self._send.set_icon("stop" if self._answering else "send", "on_accent" if enabled else "text_tertiary")

    def _show_focus(self, focused: bool) -> None:
        self.setProperty("focused", focused)
        restyle(self)
