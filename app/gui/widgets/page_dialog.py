"""Asks for the address of a web page."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.gui.external import page_link
from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_label

_WORDS = (
    "Footnote fetches the page once, now, without your cookies or logins, and keeps its text on this computer. "
    "“Read again” in its menu fetches it anew."
)


class PageDialog(QDialog):
    """Signals: ``page_wished(address)``. An address in the clipboard is offered."""

    page_wished = Signal(str)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add a web page")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(480)
        self.address = QLineEdit(page_link(QGuiApplication.clipboard().text()))
        self.address.setPlaceholderText("https://")
        self.address.setAccessibleName("Address of the web page")
        self.address.selectAll()
        self.address.textChanged.connect(self._update)
        self.add_button = TextButton(appearance, "Add page", kind="primary", on_click=self._accept)
        self.add_button.setDefault(True)
        cancel = TextButton(appearance, "Cancel", on_click=self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.add_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 18)
        column.setSpacing(12)
        column.addWidget(plain_label("Add a web page", scale="title"))
        column.addWidget(self.address)
        column.addWidget(plain_label(_WORDS, scale="small", tone="secondary", wrap=True))
        column.addLayout(buttons)
        self._update()

    def _update(self) -> None:
        self.add_button.setEnabled(bool(self.address.text().strip()))

    def _accept(self) -> None:
        text = self.address.text().strip()
        self.accept()
        self.page_wished.emit(text if "://" in text else f"https://{text}")
