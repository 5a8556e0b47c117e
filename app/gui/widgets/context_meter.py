"""How full the model's context is: earlier turns, passages, the question, and what is kept free for the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from app.gui.theme import Appearance
from app.gui.wording import counted

MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class ContextReading:
    """Tokens of the last question's prompt, by a rule-of-thumb count. ``room`` is what there is in all.

    ``reserve`` is kept for the answer; it is a part of ``room``. ``dropped`` earlier messages did not fit, for which
    notes stand in where they are ``summarised``, and passages of the files ``left_out``, each as often as it has one.
    """

    history: int = 0
    passages: int = 0
    other: int = 0
    reserve: int = 0
    room: int = 0
    dropped: int = 0
    summarised: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def free(self) -> int:
        """What more passages and earlier turns would have had."""
        return max(0, self.room - self.history - self.passages - self.other - self.reserve)

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
        lines.append(f"{self.free:,} not used")
        if self.dropped:
            instead = "; notes on them went along" if self.summarised else ""
            lines.append(f"{counted(self.dropped, 'earlier message')} did not fit{instead}.")
        if self.left_out:
            lines.append(f"{counted(len(self.left_out), 'passage')} did not fit, of {_few(self.left_out)}.")
        return "\n".join(lines)


def _few(names: Sequence[str]) -> str:
    different = list(dict.fromkeys(names))
    more = len(different) - MOST_NAMES
    return ", ".join(different[:MOST_NAMES]) + (f" and {counted(more, 'other file')}" if more > 0 else "")


class ContextMeter(QWidget):
    """A bar in three colours, pale where the answer goes; pointing at it, a click or Space tells the figures."""

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
        self.setToolTip(reading.words.replace("<", "‹"))  # tool tips read markup
        self.update()

    def keyPressEvent(self, event: object) -> None:
        if event.key() == Qt.Key.Key_Space:  # type: ignore[attr-defined]  # a key event has one
            self._tell()

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self._tell()

    def _tell(self) -> None:
        QToolTip.showText(self.mapToGlobal(self.rect().topLeft()), self.toolTip(), self)

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
        if reading.reserve:
            width = bar.width() * min(1.0, reading.reserve / max(1, reading.room))
            painter.setBrush(theme.color("accent_soft"))
            painter.drawRoundedRect(QRectF(max(left, bar.right() - width), bar.top(), width, bar.height()) & bar, 2, 2)
        if reading.dropped or reading.left_out:
            painter.setBrush(theme.color("warning"))
            painter.drawEllipse(QRectF(self.width() - 7, 2, 5, 5))
        painter.end()
