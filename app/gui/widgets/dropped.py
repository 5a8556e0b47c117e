"""Taking files and links that are dragged onto the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtWidgets import QWidget

from app.gui.external import page_link
from app.gui.widgets.drop_overlay import DropOverlay


class DropTarget(QObject):
    """Makes ``widget`` take drops; ``overlay`` shows over it as long as something is dragged across.

    ``takes_content`` lets pictures and text be dropped that are no files, such as those of a web page.

    Signals: ``paths_dropped(list of paths)``; ``pages_dropped(list of web addresses)``; ``image_dropped(image)``;
    ``text_dropped(text)``.
    """

    paths_dropped = Signal(list)
    pages_dropped = Signal(list)
    image_dropped = Signal(QImage)
    text_dropped = Signal(str)

    def __init__(self, widget: QWidget, overlay: DropOverlay, *, takes_content: bool = False) -> None:
        super().__init__(widget)
        self._overlay = overlay
        self._takes_content = takes_content
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, _widget: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind is QEvent.Type.DragLeave:
            self._overlay.hide()
        elif isinstance(event, QDropEvent):  # moves and entering are drops by inheritance
            self._take(event, kind)
            return True
        return False

    def _take(self, event: QDropEvent, kind: QEvent.Type) -> None:
        data = event.mimeData()
        if kind is QEvent.Type.DragEnter and not self._can_take(data):
            event.ignore()
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if kind is QEvent.Type.DragEnter:
            self._overlay.cover()
        elif kind is QEvent.Type.Drop:
            self._overlay.hide()
            self._tell(data)

    def _can_take(self, data: QMimeData) -> bool:
        content = self._takes_content and (data.hasImage() or data.hasText())
        return bool(dropped_paths(data) or dropped_pages(data) or content)

    def _tell(self, data: QMimeData) -> None:
        """What a drop sets off may tear down widgets, which Qt does not survive inside the event.

        A picture of a web page comes with its address too; the picture is there already, and nothing is fetched.
        """
        if paths := dropped_paths(data):
            QTimer.singleShot(0, self, lambda: self.paths_dropped.emit(paths))
        elif self._takes_content and data.hasImage():
            image = QImage(data.imageData())
            QTimer.singleShot(0, self, lambda: self.image_dropped.emit(image))
        elif pages := dropped_pages(data):
            QTimer.singleShot(0, self, lambda: self.pages_dropped.emit(pages))
        elif self._takes_content and (text := data.text()):
            QTimer.singleShot(0, self, lambda: self.text_dropped.emit(text))


def dropped_paths(data: QMimeData) -> list[Path]:
    """The local files and folders. Only names are looked at, never the disk."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile() and url.toLocalFile()]


def dropped_pages(data: QMimeData) -> list[str]:
    """The web addresses, such as a tab or a link of a browser."""
    if not data.hasUrls():
        return []
    links = (url.toString(QUrl.ComponentFormattingOption.FullyEncoded) for url in data.urls())
    return list(dict.fromkeys(page for link in links if (page := page_link(link))))
