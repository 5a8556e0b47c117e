"""The files that came with a question, above its words: pictures small, other files by name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.gui.attached_files import THUMBNAIL, AttachedFile
from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_tool_tip
from app.gui.wording import shown_name

GAP = 6
RADIUS = 10
LONGEST_NAME = 34


class PictureButton(QAbstractButton):
    """A picture with round corners that can be pressed."""

    def __init__(self, appearance: Appearance, file: AttachedFile, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._picture = file.picture
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"Picture {shown_name(file.path)}")
        self.setToolTip(plain_tool_tip(shown_name(file.path)))

    def sizeHint(self) -> QSize:
        size = self._picture.size() if self._picture is not None else THUMBNAIL
        return size.scaled(size.boundedTo(THUMBNAIL), Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(24, 24))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        painter.setClipPath(outline)
        if self._picture is not None:
            painter.drawImage(self.rect(), self._picture)
        else:
            painter.fillRect(self.rect(), self._appearance.theme.color("sunken"))
        painter.setClipping(False)
        painter.setPen(self._appearance.theme.color("accent" if self.hasFocus() or self.underMouse() else "border"))
        painter.drawPath(outline)
        painter.end()


class AttachedStrip(QWidget):
    """Lines of files, each line ending at the right.

    Signals: ``opened(file)``.
    """

    opened = Signal(object)

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._files: Sequence[AttachedFile] = ()
        self.buttons: list[QAbstractButton] = []
        self.hide()

    def show_files(self, files: Sequence[AttachedFile]) -> bool:
        """Show these files. Returns whether they are others than before."""
        if files is self._files or tuple(files) == tuple(self._files):
            return False
        self._files = files
        for button in self.buttons:
            button.hide()
            button.deleteLater()
        self.buttons = [self._button(each) for each in files]
        for button in self.buttons:
            button.show()
        self.setVisible(bool(files))
        self._place()
        return True

    def height_for(self, width: int) -> int:
        """Its height at a width."""
        return max((place.bottom() + 1 for place in self._places(width)), default=0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _button(self, file: AttachedFile) -> QAbstractButton:
        name = shown_name(file.path)
        button: QAbstractButton
        if file.is_picture:
            button = PictureButton(self._appearance, file, self)
        else:
            short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
            button = TextButton(self._appearance, short, kind="source", icon="file-text", parent=self)
            button.setAccessibleName(f"File {name}")
            button.setToolTip(plain_tool_tip(name))
        button.clicked.connect(lambda _checked=False: self.opened.emit(file))
        return button

    def _place(self) -> None:
        for button, place in zip(self.buttons, self._places(self.width()), strict=True):
            button.setGeometry(place)

    def _places(self, width: int) -> list[QRect]:
        """Where each button stands: lines from the top, each pushed to the right, its buttons level at the bottom."""
        lines: list[list[QSize]] = []
        used = 0
        for button in self.buttons:
            size = button.sizeHint().boundedTo(QSize(max(1, width), 10_000))
            if not lines or used + GAP + size.width() > width:
                lines.append([])
                used = -GAP
            lines[-1].append(size)
            used += GAP + size.width()
        places: list[QRect] = []
        top = 0
        for line in lines:
            height = max(size.height() for size in line)
            left = width - sum(size.width() for size in line) - GAP * (len(line) - 1)
            for size in line:
                places.append(QRect(left, top + height - size.height(), size.width(), size.height()))
                left += size.width() + GAP
            top += height + GAP
        return places
