"""Going from one alternative of a message to the next: ``2 / 3`` between two arrows."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.gui.models.message_list_model import MessageEntry
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, plain_label


class BranchSwitcher(QWidget):
    """Hidden where there is only one alternative.

    Signals: ``branch_wished(message_id)`` with the id of the alternative to be shown.
    """

    branch_wished = Signal(int)

    def __init__(self, appearance: Appearance, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._what = what
        self._siblings: tuple[int, ...] = ()
        self._place = 0
        self._before = IconButton(
            appearance, "chevron-left", f"Previous {what}", size=14, on_click=lambda: self._step(-1)
        )
        self._after = IconButton(appearance, "chevron-right", f"Next {what}", size=14, on_click=lambda: self._step(1))
        self._label = plain_label("", scale="small", tone="tertiary")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        for widget in (self._before, self._label, self._after):
            row.addWidget(widget)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def show_for(self, entry: MessageEntry) -> None:
        """Show at which alternative ``entry`` is."""
        self._siblings = entry.siblings
        self.setVisible(len(self._siblings) > 1 and entry.id in self._siblings)
        if entry.id in self._siblings:
            self._place = self._siblings.index(entry.id)
            self._label.setText(f"{self._place + 1} / {len(self._siblings)}")
            self._label.setAccessibleName(f"{self._what} {self._place + 1} of {len(self._siblings)}")
            self._before.setEnabled(self._place > 0)
            self._after.setEnabled(self._place + 1 < len(self._siblings))

    def _step(self, step: int) -> None:
        self.branch_wished.emit(self._siblings[self._place + step])
