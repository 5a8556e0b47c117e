"""Small widgets that everything else is built of. Labels show plain text, always."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from app.gui.theme import Appearance


def plain_label(
    text: str = "", *, scale: str = "body", tone: str = "primary", wrap: bool = False, parent: QWidget | None = None
) -> QLabel:
    """A label that never reads its text as markup. ``scale`` and ``tone`` name rules of the style sheet."""
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    label.setProperty("scale", scale)
    label.setProperty("tone", tone)
    label.setWordWrap(wrap)
    return label


class ElidedLabel(QLabel):
    """One line of plain text that is cut in the middle or at the end where it doesn't fit."""

    def __init__(
        self,
        text: str = "",
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        scale: str = "body",
        tone: str = "primary",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("scale", scale)
        self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._mode = mode
        self._full = ""
        self.set_full_text(text)

    @property
    def full_text(self) -> str:
        """The text before it was cut."""
        return self._full

    def set_full_text(self, text: str) -> None:
        """Show ``text``, cut to the width there is."""
        self._full = text
        self.setAccessibleName(text)
        self._cut()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._cut()

    def minimumSizeHint(self) -> QSize:
        return QSize(20, super().minimumSizeHint().height())

    def _cut(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._full, self._mode, max(0, self.contentsRect().width())))


class IconButton(QToolButton):
    """A button with one of our icons, a name for screen readers and a tool tip. Follows the theme."""

    def __init__(
        self,
        appearance: Appearance,
        icon: str,
        name: str,
        *,
        on_click: Callable[[], None] | None = None,
        color: str = "text_secondary",
        size: int = 18,
        shortcut: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._icon = icon
        self._color = color
        self.setIconSize(QSize(size, size))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_name(name, shortcut)
        self._tint()
        appearance.changed.connect(self._tint)
        if on_click is not None:
            self.clicked.connect(lambda _checked=False: on_click())

    def set_name(self, name: str, shortcut: str = "") -> None:
        """What the button does, in words."""
        self.setAccessibleName(name)
        self.setToolTip(f"{name} ({shortcut})" if shortcut else name)

    def set_icon(self, icon: str, color: str = "") -> None:
        """Show another icon."""
        self._icon = icon
        self._color = color or self._color
        self._tint()

    def _tint(self) -> None:
        self.setIcon(self._appearance.icon(self._icon, self._color, self.iconSize().width()))


class IconLabel(QLabel):
    """An icon that is only looked at."""

    def __init__(
        self,
        appearance: Appearance,
        icon: str,
        *,
        color: str = "text_secondary",
        size: int = 18,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._appearance, self._icon, self._color, self._size = appearance, icon, color, size
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFixedSize(size, size)
        self._tint()
        appearance.changed.connect(self._tint)

    def set_icon(self, icon: str, color: str = "") -> None:
        """Show another icon."""
        self._icon = icon
        self._color = color or self._color
        self._tint()

    def _tint(self) -> None:
        self.setPixmap(self._appearance.pixmap(self._icon, self._color, self._size, self.devicePixelRatioF()))


class TextButton(QPushButton):
    """A button with words. ``kind`` names a rule of the style sheet; ``icon`` follows the theme."""

    def __init__(
        self,
        appearance: Appearance,
        text: str,
        *,
        kind: str = "secondary",
        icon: str = "",
        icon_color: str = "text_secondary",
        on_click: Callable[[], None] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        # An ampersand in a name is an ampersand, not a shortcut.
        self.setText((" " if icon else "") + text.replace("&", "&&"))
        self._appearance, self._icon_name, self._icon_color = appearance, icon, icon_color
        self.setProperty("kind", kind)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(text)
        if icon:
            self._tint()
            appearance.changed.connect(self._tint)
        if on_click is not None:
            self.clicked.connect(lambda _checked=False: on_click())

    def set_icon(self, icon: str) -> None:
        """Show another icon; only for a button that has one."""
        self._icon_name = icon
        self._tint()

    def _tint(self) -> None:
        self.setIcon(self._appearance.icon(self._icon_name, self._icon_color))


def card(kind: str = "true", parent: QWidget | None = None) -> QFrame:
    """A rounded panel; ``kind`` names a rule of the style sheet."""
    frame = QFrame(parent)
    frame.setProperty("card", kind)
    return frame


def hairline(parent: QWidget | None = None) -> QFrame:
    """A horizontal line one pixel high."""
    line = QFrame(parent)
    line.setProperty("line", "horizontal")
    line.setFixedHeight(1)
    return line


def restyle(widget: QWidget) -> None:
    """Apply the style sheet again after a property that its rules look at has changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def plain_tool_tip(text: str) -> str:
    """Tool tips guess whether they hold markup; escaped and said to be markup, they show what they are given."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")
    return f"<qt>{escaped}</qt>"
