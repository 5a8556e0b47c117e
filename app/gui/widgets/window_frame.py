"""The window before anything is in it: painted first, while the rest of the program is still being loaded.

Everything this file imports delays the first paint; Qt's bindings make each class ready when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QTimer, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QMainWindow

from app.gui.colors import Theme

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from app.gui.window_state import WindowState

SIDEBAR_WIDTH, LIBRARY_WIDTH = 248, 330
FIRST_SIZE = (1320, 840)
SMALLEST_SIZE = (720, 480)
BOX_SIDE, BOX_WIDTH, BOX_HEIGHT, BOX_BOTTOM = 28, 740, 78, 38


class WindowFrame(QMainWindow):
    """Size, place and colours of the window.

    Signals: ``first_painted`` once the user can see the window.
    """

    first_painted = Signal()

    def __init__(self, state: WindowState, theme: Theme) -> None:
        super().__init__()
        self._state = state
        self._theme = theme
        self._painted = False
        self.setWindowTitle("Footnote")
        self.setMinimumSize(*SMALLEST_SIZE)
        if not self.restoreGeometry(state.bytes("geometry")):
            self.resize(*FIRST_SIZE)

    @property
    def state(self) -> WindowState:
        """What the window remembers about itself."""
        return self._state

    @property
    def painted(self) -> bool:
        """Whether the user can see it."""
        return self._painted

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.centralWidget() is None:
            self._paint_panes()
        else:
            super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self.first_painted.emit)

    def _paint_panes(self) -> None:
        """The surfaces that the panels will have, so that nothing jumps when they come."""
        left, right = self._state.panes or (SIDEBAR_WIDTH, LIBRARY_WIDTH)
        color, height = self._theme.color, self.height()
        middle = max(0, self.width() - left - right)
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("sidebar"))
        painter.fillRect(left, 0, middle, height, color("window"))
        box = min(BOX_WIDTH, middle - 2 * BOX_SIDE)
        place = QRect(left + (middle - box) // 2, height - BOX_BOTTOM - BOX_HEIGHT, box, BOX_HEIGHT)
        painter.fillRect(place, color("border"))
        painter.fillRect(place.adjusted(1, 1, -1, -1), color("surface"))
        painter.end()
