"""The profiles: which there are, a new one, and switching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_label
from app.settings.profiles import LONGEST_NAME

ABOUT = (
    "Each profile has a library, chats, settings and keys of its own. Switching closes this window and opens another."
)


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A line of the list; ``remark`` says what is special about it."""

    name: str
    remark: str = ""
    current: bool = False


class ProfilesDialog(QDialog):
    """Signals: ``create_wished(name)``; ``switch_wished(name)``."""

    create_wished = Signal(str)
    switch_wished = Signal(str)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Profiles")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(420, 380)
        self._rows: list[ProfileRow] = []
        about = plain_label(ABOUT, scale="small", tone="secondary")
        about.setWordWrap(True)
        self.list = QListWidget()
        self.list.setAccessibleName("Profiles")
        self.name = QLineEdit()
        self.name.setPlaceholderText("Name of a new profile")
        self.name.setAccessibleName("Name of a new profile")
        self.name.setMaxLength(LONGEST_NAME)
        self.create_button = TextButton(appearance, "Create", on_click=self._create)
        self.switch_button = TextButton(appearance, "Switch", kind="primary", on_click=self._switch)
        self.create_button.setAutoDefault(False)
        self.switch_button.setAutoDefault(False)
        self.problem = plain_label("", scale="small", tone="danger")
        self.problem.setWordWrap(True)
        self.problem.hide()
        self._lay_out(about, TextButton(appearance, "Close", on_click=self.reject))
        self.list.currentRowChanged.connect(self._show_state)
        self.list.itemActivated.connect(lambda _item: self._switch())
        self.name.textChanged.connect(self._show_state)
        self.name.returnPressed.connect(self._create)
        self._show_state()

    def _lay_out(self, about: QWidget, close: TextButton) -> None:
        close.setAutoDefault(False)
        new = QHBoxLayout()
        new.addWidget(self.name, 1)
        new.addWidget(self.create_button)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        buttons.addWidget(self.switch_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(10)
        for widget in (about, self.list):
            column.addWidget(widget, 1 if widget is self.list else 0)
        column.addLayout(new)
        column.addWidget(self.problem)
        column.addLayout(buttons)

    def show_rows(self, rows: Sequence[ProfileRow], chosen: str = "") -> None:
        """Show these profiles, the one named ``chosen`` selected."""
        self._rows = list(rows)
        self.problem.hide()
        self.list.clear()
        for row in rows:
            self.list.addItem(QListWidgetItem(f"{row.name}  ·  {row.remark}" if row.remark else row.name))
        names = [each.name for each in rows]
        self.list.setCurrentRow(names.index(chosen) if chosen in names else 0)
        if chosen:
            self.name.clear()

    def show_problem(self, message: str) -> None:
        """Say what can't be done, in the words of the error."""
        self.problem.setText(message)
        self.problem.show()

    def _create(self) -> None:
        if self.name.text().strip():
            self.create_wished.emit(self.name.text())

    def _switch(self) -> None:
        row = self._chosen()
        if row is not None and not row.current:
            self.switch_wished.emit(row.name)

    def _show_state(self) -> None:
        row = self._chosen()
        self.switch_button.setEnabled(row is not None and not row.current)
        self.create_button.setEnabled(bool(self.name.text().strip()))

    def _chosen(self) -> ProfileRow | None:
        number = self.list.currentRow()
        return self._rows[number] if 0 <= number < len(self._rows) else None
