"""What covers the window while files are dragged over it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.gui.theme import Appearance


class DropOverlay(QWidget):
    """Says that files can be dropped, and with ``hint`` more about it. Takes no events itself."""

    def __init__(
        self,
        appearance: Appearance,
        parent: QWidget,
        title: str = "Drop to add to your library",
        hint: str = "Footnote only reads your files; it never moves or changes them.",
    ) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._title = title
        self._hint = hint
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def cover(self) -> None:
        """Cover all of the parent."""
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._appearance.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.color("window"))
        small = not self._hint
        frame = QRectF(self.rect()).adjusted(4, 4, -4, -4) if small else QRectF(self.rect()).adjusted(22, 22, -22, -22)
        painter.setPen(QPen(theme.color("accent"), 2, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(frame, 12 if small else 18, 12 if small else 18)
        middle = self.rect().center()
        if small:
            self._write(painter, self._title, middle.y() - 15, "body", "text")
        else:
            icon = self._appearance.pixmap("drop", "accent", 48, self.devicePixelRatioF())
            painter.drawPixmap(middle.x() - 24, middle.y() - 74, icon)
            self._write(painter, self._title, middle.y() - 8, "title", "text")
            self._write(painter, self._hint, middle.y() + 24, "body", "text_secondary")
        painter.end()

    def _write(self, painter: QPainter, text: str, top: int, scale: str, color: str) -> None:
        font = QFont(self._appearance.font)
        font.setPointSizeF(self._appearance.scale.sizes[scale])
        font.setWeight(QFont.Weight.DemiBold if scale == "title" else QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(self._appearance.theme.color(color))
        painter.drawText(QRectF(0, top, self.width(), 30), Qt.AlignmentFlag.AlignCenter, text)
