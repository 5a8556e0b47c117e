"""What a footnote shows while the pointer rests on it: the quote, the file, the page, the score."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QHBoxLayout, QVBoxLayout, QWidget

from app.domain.citations import Citation
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconLabel, plain_label
from app.gui.wording import citation_place

WIDTH = 400
LONGEST_QUOTE = 420
DELAY_MILLISECONDS = 180
MARGIN, GAP = 14, 8


class FootnoteCard(QFrame):
    """Floats inside the window above or below a marker."""

    def __init__(self, appearance: Appearance, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setProperty("card", "floating")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._appearance = appearance
        self._place = plain_label("", scale="small", tone="secondary")
        self._quote = plain_label("", wrap=True)
        self._hint = plain_label("Click to open it there", scale="small", tone="tertiary")
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(IconLabel(appearance, "file-text", size=15))
        head.addWidget(self._place, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.setSpacing(GAP)
        column.addLayout(head)
        column.addWidget(self._quote)
        column.addWidget(self._hint)
        self._shadow = QGraphicsDropShadowEffect(self, blurRadius=28)
        self._shadow.setOffset(0, 6)
        self.setGraphicsEffect(self._shadow)
        self._delay = QTimer(self, singleShot=True, interval=DELAY_MILLISECONDS)
        self._delay.timeout.connect(self._appear)
        self._marker = QRect()
        self.hide()

    @property
    def quote(self) -> str:
        """The quote it shows or is about to show."""
        return self._quote.text()

    def announce(self, citation: Citation, marker: QRect) -> None:
        """Appear in a moment beside ``marker``, a rectangle in global coordinates."""
        quote = " ".join(citation.quote.split())
        self._quote.setText(f"“{quote if len(quote) <= LONGEST_QUOTE else quote[:LONGEST_QUOTE] + ' …'}”")
        self._place.setText(citation_place(citation))
        score = f"Score {citation.score:.2f} · " if citation.score else ""
        self._hint.setText(f"{score}Click to open it there")
        self._marker = marker
        self._delay.start()

    def dismiss(self) -> None:
        """Go away."""
        self._delay.stop()
        self.hide()

    def _appear(self) -> None:
        window = self._window
        self._shadow.setColor(self._appearance.theme.color("shadow"))
        width = min(WIDTH, window.width() - 24)
        self.setFixedWidth(width)
        height = self._height_for(width)
        self.setFixedHeight(height)
        marker = QRect(window.mapFromGlobal(self._marker.topLeft()), self._marker.size())
        left = max(12, min(marker.center().x() - width // 2, window.width() - width - 12))
        below = marker.bottom() + 10
        fits = below + height <= window.height() - 12
        self.move(QPoint(left, below if fits else marker.top() - height - 10))
        self.show()
        self.raise_()

    def _height_for(self, width: int) -> int:
        inside = width - 2 * MARGIN - 2
        small = max(self._place.sizeHint().height(), 15) + self._hint.sizeHint().height()
        return small + self._quote.heightForWidth(inside) + 2 * GAP + 2 * MARGIN + 2
