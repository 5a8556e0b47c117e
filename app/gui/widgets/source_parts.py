"""Parts of the source viewer: what has to be known about a source, its quote alone, the part of it that is set."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.gui.reading.blocks import Reading
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconLabel, TextButton, plain_label


class NoticeBar(QFrame):
    """What has to be known, and buttons for what can be done. Signals: ``offer_taken(offer)``."""

    offer_taken = Signal(str)

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.setProperty("card", "notice")
        self._appearance = appearance
        self._label = plain_label("", wrap=True)
        self._buttons: list[TextButton] = []
        self._offers = QHBoxLayout()
        self._offers.setSpacing(4)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(self._label)
        words.addLayout(self._offers)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 9, 14, 9)
        row.setSpacing(9)
        row.addWidget(IconLabel(appearance, "info", color="warning", size=17), alignment=Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    @property
    def buttons(self) -> Sequence[TextButton]:
        """What can be done."""
        return tuple(self._buttons)

    def say(self, text: str, offers: Sequence[str] = ()) -> None:
        """Say something, or hide."""
        for button in self._buttons:
            button.deleteLater()
        while self._offers.count():
            self._offers.takeAt(0)
        self._buttons = [self._button(offer) for offer in offers]
        for button in self._buttons:
            self._offers.addWidget(button)
        self._offers.addStretch(1)
        self._label.setText(text)
        self.setVisible(bool(text))

    def _button(self, offer: str) -> TextButton:
        return TextButton(self._appearance, offer, kind="link", on_click=lambda: self.offer_taken.emit(offer))


class PartBar(QWidget):
    """Says which part of a long text is set. Signals: ``part_wished(place)``, an offset in the text."""

    part_wished = Signal(int)

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._reading = Reading()
        self._label = plain_label("", scale="small", tone="secondary")
        self.earlier = TextButton(appearance, "Earlier", kind="link", on_click=self._go_earlier)
        self.later = TextButton(appearance, "Later", kind="link", on_click=self._go_later)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 3, 8, 3)
        row.addWidget(self._label, 1)
        row.addWidget(self.earlier)
        row.addWidget(self.later)

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def show_reading(self, reading: Reading | None) -> None:
        """Say what is set of a text; hide where that is all."""
        self.setVisible(reading is not None and reading.cut)
        if reading is None or not reading.cut:
            return
        self._reading = reading
        first, last = reading.first / reading.length, reading.last / reading.length
        self._label.setText(f"A long document: {first:.1%} to {last:.1%} of it is shown".replace("%", " %"))
        self.earlier.setEnabled(reading.first > 0)
        self.later.setEnabled(reading.last < reading.length)

    def _go_earlier(self) -> None:
        self.part_wished.emit(max(0, self._reading.first - 1))

    def _go_later(self) -> None:
        self.part_wished.emit(min(self._reading.length - 1, self._reading.last))


class QuotePage(QScrollArea):
    """The stored quote, large."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._label = plain_label("", wrap=True)
        self._label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._label.setAccessibleName("What the answer quoted")
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(28, 28, 28, 28)
        column.setSpacing(12)
        column.addWidget(IconLabel(appearance, "quote", color="text_tertiary", size=26))
        column.addWidget(self._label)
        column.addStretch(1)
        self.setWidget(inner)

    @property
    def quote(self) -> str:
        """The quote."""
        return self._label.text()

    def show_quote(self, quote: str) -> None:
        """Show a quote."""
        self._label.setText(quote)


def message_page(text: str) -> QWidget:
    """A page that only says something."""
    page = QWidget()
    label = plain_label(text, tone="secondary", wrap=True)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    column = QVBoxLayout(page)
    column.setContentsMargins(40, 20, 40, 20)
    column.addStretch(1)
    column.addWidget(label)
    column.addStretch(2)
    return page
