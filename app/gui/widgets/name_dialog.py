"""Asks for a name."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_label


class NameDialog(QDialog):
    """Stays open until ``accept`` is called, so that a name that is taken can be mended.

    Signals: ``name_wished(name)``.
    """

    name_wished = Signal(str)

    def __init__(
        self,
        appearance: Appearance,
        title: str,
        action: str,
        name: str = "",
        *,
        words: str = "",
        longest: int = 100,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(420)
        self.name = QLineEdit(name)
        self.name.setMaxLength(longest)
        self.name.setPlaceholderText("Name")
        self.name.setAccessibleName("Name")
        self.name.selectAll()
        self.problem = plain_label("", scale="small", tone="danger", wrap=True)
        self.problem.hide()
        self.action_button = TextButton(appearance, action, kind="primary", on_click=self._wish)
        self.action_button.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 18)
        column.setSpacing(12)
        column.addWidget(plain_label(title, scale="title"))
        if words:
            column.addWidget(plain_label(words, scale="small", tone="secondary", wrap=True))
        column.addWidget(self.name)
        column.addWidget(self.problem)
        column.addLayout(self._make_buttons(appearance))
        self.name.textChanged.connect(self._update)
        self._update()

    def _make_buttons(self, appearance: Appearance) -> QHBoxLayout:
        cancel = TextButton(appearance, "Cancel", on_click=self.reject)
        cancel.setAutoDefault(False)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.action_button)
        return buttons

    def show_problem(self, message: str) -> None:
        """Why the name can't be used."""
        self.problem.setText(message)
        self.problem.show()
        self.name.setFocus()
        self.name.selectAll()

    def _update(self) -> None:
        self.problem.hide()
        self.action_button.setEnabled(bool(self.name.text().strip()))

    def _wish(self) -> None:
        if self.name.text().strip():
            self.name_wished.emit(self.name.text().strip())
