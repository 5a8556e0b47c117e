"""Asks for the key of a provider, or for the address of a server, and tries them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.gui.model_words import headline, key_words
from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_label, restyle
from app.services.provider_access import LONGEST_KEY, ProviderAccess

_USUAL = "Empty: its usual place, {}."
_NO_USUAL = "The address before /chat/completions, such as http://127.0.0.1:8080/v1."


class ProviderDialog(QDialog):
    """Stays open until ``accept`` is called. The key is shown as dots, and is nowhere else than in its field.

    Signals: ``save_wished(key, address)`` and ``test_wished(key, address)``, where an empty key means the stored one;
    ``remove_wished``.
    """

    save_wished = Signal(str, str)
    test_wished = Signal(str, str)
    remove_wished = Signal()

    def __init__(self, appearance: Appearance, access: ProviderAccess, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = f"Key for {access.label}" if access.needs_key else headline(access)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(500)
        self._access = access
        self.key = QLineEdit()
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.setMaxLength(LONGEST_KEY)
        self.key.setAccessibleName(f"Key for {access.label}")
        self.key_state = plain_label("", scale="small", tone="secondary", wrap=True)
        self.address = QLineEdit(access.address or "")
        self.address.setPlaceholderText(access.usual_address or "http://")
        self.address.setAccessibleName(f"Address of {access.label}")
        self.outcome = plain_label("", scale="small", tone="secondary", wrap=True)
        self.outcome.hide()
        self.remove_button = TextButton(appearance, "Remove key", on_click=self.remove_wished.emit)
        self.test_button = TextButton(appearance, "Test", on_click=self._test)
        self.save_button = TextButton(appearance, "Save", kind="primary", on_click=self._save)
        self.save_button.setDefault(True)
        self._lay_out(title, TextButton(appearance, "Cancel", on_click=self.reject))
        for field in (self.key, self.address):
            field.textChanged.connect(self._update)
        self.show_access(access)

    def _lay_out(self, title: str, cancel: TextButton) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.remove_button)
        buttons.addStretch(1)
        for button in (self.test_button, cancel, self.save_button):
            button.setAutoDefault(button is self.save_button)
            buttons.addWidget(button)
        self.remove_button.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 18)
        column.setSpacing(10)
        column.addWidget(plain_label(title, scale="title"))
        if self._access.address is not None:
            usual = self._access.usual_address
            words = plain_label(
                _USUAL.format(usual) if usual else _NO_USUAL, scale="small", tone="secondary", wrap=True
            )
            self._add_field(column, "Address", self.address, words)
        if self._access.key_variable:
            self._add_field(column, "Key", self.key, self.key_state)
        column.addWidget(self.outcome)
        column.addSpacing(4)
        column.addLayout(buttons)

    def _add_field(self, column: QVBoxLayout, name: str, field: QLineEdit, words: QLabel) -> None:
        label = plain_label(name, scale="small")
        label.setBuddy(field)
        column.addWidget(label)
        column.addWidget(field)
        column.addWidget(words)

    def show_access(self, access: ProviderAccess) -> None:
        """Show which key there is now."""
        self._access = access
        self.key_state.setText(key_words(access))
        self.key.setPlaceholderText("••••••••" if access.stored else "Paste the key")
        self.remove_button.setVisible(access.stored)
        self._update()

    def say(self, words: str, *, failed: bool = False) -> None:
        """Say how a test went, or why something can't be done."""
        self.outcome.setProperty("tone", "danger" if failed else "accent")
        restyle(self.outcome)
        self.outcome.setText(words)
        self.outcome.setVisible(bool(words))
        self._update()

    def set_testing(self) -> None:
        """A test is under way."""
        self.outcome.setProperty("tone", "secondary")
        restyle(self.outcome)
        self.outcome.setText("Asking…")
        self.outcome.show()
        self.test_button.setEnabled(False)

    @property
    def address_changed(self) -> bool:
        """Whether another address stands there than is stored."""
        return self._access.address is not None and self.address.text().strip() != self._access.address

    def _update(self) -> None:
        typed = bool(self.key.text().strip())
        self.save_button.setEnabled(typed or self.address_changed)
        self.test_button.setEnabled(typed or bool(self._access.key_source) or not self._access.needs_key)

    def _save(self) -> None:
        self.save_wished.emit(self.key.text(), self.address.text())

    def _test(self) -> None:
        self.test_wished.emit(self.key.text(), self.address.text())
