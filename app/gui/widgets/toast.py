"""A short message at the bottom of the window, with at most one thing to do about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QHBoxLayout, QWidget

from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, TextButton, plain_label

SECONDS = 8
WIDEST = 560
GAP = 17


class Toast(QFrame):
    """One at a time: a new message takes the place of the one before.

    It floats in the middle over ``below``, so that it hides nothing of that.
    """

    def __init__(self, appearance: Appearance, window: QWidget, below: QWidget) -> None:
        super().__init__(window)
        self._below = below
        self.setProperty("card", "floating")
        self._window = window
        self._on_action: Callable[[], None] | None = None
        self._on_gone: Callable[[], None] | None = None
        self._label = plain_label("", wrap=True)
        self._action = TextButton(appearance, "Undo", kind="link", on_click=self._act)
        close = IconButton(appearance, "close", "Dismiss", size=14, on_click=self.dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(10)
        row.addWidget(self._label, 1)
        row.addWidget(self._action)
        row.addWidget(close)
        shadow = QGraphicsDropShadowEffect(self, blurRadius=24)
        shadow.setOffset(0, 5)
        shadow.setColor(appearance.theme.color("shadow"))
        self.setGraphicsEffect(shadow)
        self._timer = QTimer(self, singleShot=True, interval=SECONDS * 1000)
        self._timer.timeout.connect(self.dismiss)
        below.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """The message."""
        return self._label.text()

    @property
    def action(self) -> TextButton:
        """The button for what can be done about it."""
        return self._action

    def say(
        self,
        text: str,
        action: str = "",
        on_action: Callable[[], None] | None = None,
        on_gone: Callable[[], None] | None = None,
    ) -> None:
        """Show ``text`` for some seconds, with a button where there is something to do.

        ``on_gone`` runs when the message goes away without the button having been pressed.
        """
        self.dismiss()
        self._label.setText(text)
        self._on_action, self._on_gone = on_action, on_gone
        self._action.setText(action)
        self._action.setAccessibleName(action or "Undo")
        self._action.setVisible(bool(action))
        self._place()
        self.show()
        self.raise_()
        self._timer.start()

    def dismiss(self) -> None:
        """Take it away."""
        self._timer.stop()
        self.hide()
        gone, self._on_gone, self._on_action = self._on_gone, None, None
        if gone is not None:
            gone()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._below and event.type() in {QEvent.Type.Resize, QEvent.Type.Move} and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _act(self) -> None:
        chosen, self._on_gone = self._on_action, None
        self.dismiss()
        if chosen is not None:
            chosen()

    def _place(self) -> None:
        beside = 0 if self._action.isHidden() else self._action.sizeHint().width() + 10
        one_line = self._label.fontMetrics().horizontalAdvance(self._label.text()) + beside + 80
        width = max(200, min(WIDEST, self._window.width() - 48, one_line))
        self.setFixedWidth(width)
        layout = self.layout()
        height = layout.heightForWidth(width) if layout is not None and layout.hasHeightForWidth() else 44
        self.setFixedHeight(max(44, height))
        corner = self._below.mapTo(self._window, self._below.rect().topLeft())
        middle = corner.x() + self._below.width() // 2
        left = max(12, min(middle - width // 2, self._window.width() - width - 12))
        self.move(left, max(0, corner.y() - self.height() - GAP))
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
