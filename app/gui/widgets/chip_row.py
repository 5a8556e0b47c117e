"""Chips above the words of a question, in as many lines as they need."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QSizePolicy, QWidget

from app.domain.turn_options import AttachmentUse
from app.gui.chips import ICONS, Chip, ChipKind, other_use
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, IconLabel, TextButton, plain_label
from app.gui.widgets.stacking import flow

GAP = 6
WIDEST_LABEL = 260


class ChipWidget(QFrame):
    """One chip with a button that takes it away. Signals: ``removed(chip)``; ``replaced(chip, other)``."""

    removed = Signal(object)
    replaced = Signal(object, object)

    def __init__(self, appearance: Appearance, chip: Chip, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chip = chip
        self.setProperty("card", "chip")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(f"{chip.label}, {chip.detail}" if chip.detail else chip.label)
        self.setToolTip(self.accessibleName().replace("<", "‹"))  # tool tips read markup
        label = plain_label(scale="small")
        label.setText(label.fontMetrics().elidedText(chip.label, Qt.TextElideMode.ElideMiddle, WIDEST_LABEL))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 2, 2)
        row.setSpacing(5)
        row.addWidget(IconLabel(appearance, ICONS[chip.kind], size=14))
        row.addWidget(label)
        if chip.kind is ChipKind.ATTACHMENT:
            row.addWidget(self._make_use(appearance))
        take_away = IconButton(
            appearance, "close", f"Take away {chip.label}", size=12, on_click=lambda: self.removed.emit(chip)
        )
        row.addWidget(take_away)

    def _make_use(self, appearance: Appearance) -> TextButton:
        """Says where the file goes; a click changes it."""
        chat_only = self.chip.value.use is AttachmentUse.CHAT
        other = other_use(self.chip)
        button = TextButton(appearance, "this chat" if chat_only else "library", kind="chip")
        button.setAccessibleName(f"{self.chip.detail}. Press to change")
        button.setToolTip(f"{self.chip.detail}. Click for: {other.detail.lower()}")
        button.clicked.connect(lambda _checked=False: self.replaced.emit(self.chip, other))
        return button

    def contextMenuEvent(self, event: object) -> None:
        if self.chip.kind is ChipKind.ATTACHMENT:
            menu = QMenu(self)
            other = other_use(self.chip)
            menu.addAction(other.detail, lambda: self.replaced.emit(self.chip, other))
            menu.exec(event.globalPos())  # type: ignore[attr-defined]  # a context menu event has one

    def keyPressEvent(self, event: object) -> None:
        if event.key() in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:  # type: ignore[attr-defined]  # a key event
            self.removed.emit(self.chip)


class ChipRow(QWidget):
    """Signals: ``removed(chip)``; ``replaced(chip, other)``."""

    removed = Signal(object)
    replaced = Signal(object, object)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._widgets: list[ChipWidget] = []
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.hide()

    @property
    def widgets(self) -> Sequence[ChipWidget]:
        """The chips on the screen, in order."""
        return tuple(self._widgets)

    def set_chips(self, chips: Sequence[Chip]) -> None:
        """Show exactly these."""
        for widget in self._widgets:
            widget.hide()
            widget.deleteLater()
        self._widgets = [ChipWidget(self._appearance, chip, self) for chip in chips]
        for widget in self._widgets:
            widget.removed.connect(self.removed)
            widget.replaced.connect(self.replaced)
            widget.show()
        self.setVisible(bool(chips))
        self._place()

    def sizeHint(self) -> QSize:
        return QSize(200, max(1, flow(self._widgets, max(200, self.width()), GAP, move=False)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        self.setFixedHeight(max(1, flow(self._widgets, max(200, self.width()), GAP, move=True)))
