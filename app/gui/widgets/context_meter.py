"""How full the model's context is: earlier turns, passages, the question, and what is kept free for the answer."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from app.gui.theme import Appearance
from app.gui.wording import counted


@dataclass(frozen=True, slots=True)
class ContextReading:
    """Tokens of the last question's prompt, by a rule-of-thumb count. ``room`` is what a prompt may have.

    ``dropped`` earlier messages and ``left_out`` passages did not fit. ``reserve`` is kept for the answer.
    """

    history: int = 0
    passages: int = 0
    other: int = 0
    reserve: int = 0
    room: int = 0
    dropped: int = 0
    left_out: int = 0

    @property
    def words(self) -> str:
        """All of it in words."""
        if not self.room:
            return "Nothing was sent to a model in this chat yet."
        lines = [
            f"Of about {self.room:,} tokens:",
            f"{self.history:,} earlier turns",
            f"{self.passages:,} passages",
            f"{self.other:,} rules and question",
        ]
        if self.reserve:
            lines.append(f"{self.reserve:,} kept free for the answer")
        if self.dropped:
            lines.append(f"{counted(self.dropped, 'earlier message')} did not fit.")
        if self.left_out:
            lines.append(f"{counted(self.left_out, 'passage')} did not fit.")
        return "\n".join(lines)


class ContextMeter(QWidget):
    """A bar in three colours; pointing at it or pressing Space tells the figures."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.reading = ContextReading()
        self.setFixedSize(QSize(64, 22))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        appearance.changed.connect(self.update)
        self.show_reading(self.reading)

    def show_reading(self, reading: ContextReading) -> None:
        """Show another reading."""
        self.reading = reading
        self.setVisible(reading.room > 0)
        self.setAccessibleName("Context")
        self.setAccessibleDescription(reading.words)
        self.setToolTip(reading.words)
        self.update()

    def keyPressEvent(self, event: object) -> None:
        if event.key() == Qt.Key.Key_Space:  # type: ignore[attr-defined]  # a key event has one
            QToolTip.showText(self.mapToGlobal(self.rect().topLeft()), self.reading.words, self)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, reading = self._appearance.theme, self.reading
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QRectF(2, self.height() / 2 - 3, self.width() - 4, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("border"))
        painter.drawRoundedRect(bar, 3, 3)
        left = bar.left()
        colours = ("text_tertiary", "accent", "text_secondary")
        for tokens, colour in zip((reading.history, reading.passages, reading.other), colours, strict=True):
            width = bar.width() * min(1.0, tokens / max(1, reading.room))
            painter.setBrush(theme.color(colour))
            painter.drawRoundedRect(QRectF(left, bar.top(), min(width, bar.right() - left), bar.height()), 2, 2)
            left = min(bar.right(), left + width)
        if reading.dropped or reading.left_out:
            painter.setBrush(theme.color("warning"))
            painter.drawEllipse(QRectF(self.width() - 7, 2, 5, 5))
        painter.end()
