"""Pictures of a PDF's pages, rendered by a thread of Qt's own, the last few of them kept."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage

from app.gui.pdf_file import PdfFile

if TYPE_CHECKING:
    from PySide6.QtPdf import QPdfPageRenderer

KEPT_PAGES = 12
MOST_PIXELS = 24_000_000


class PdfImages(QObject):
    """Pages count from 1. Signals: ``arrived`` when a page was rendered."""

    arrived = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file: PdfFile | None = None
        self._renderer: QPdfPageRenderer | None = None
        self._images: OrderedDict[int, QImage] = OrderedDict()
        self._requested: dict[int, QSize] = {}

    def __len__(self) -> int:
        return len(self._images)

    def use(self, file: PdfFile | None) -> None:
        """Render the pages of this file from now on, and let go of the one before."""
        if self._renderer is not None:
            self._renderer.setDocument(None)  # type: ignore[arg-type]  # Qt takes a null document
            self._renderer.deleteLater()
            self._renderer = None
        if self._file is not None:
            self._file.document.deleteLater()
        self._file = file
        self._images.clear()
        self._requested.clear()
        if file is not None:
            from PySide6.QtPdf import QPdfPageRenderer

            self._renderer = QPdfPageRenderer(self)
            self._renderer.setRenderMode(QPdfPageRenderer.RenderMode.MultiThreaded)
            self._renderer.setDocument(file.document)
            self._renderer.pageRendered.connect(self._on_rendered)

    def image(self, page: int) -> QImage | None:
        """The picture of a page, perhaps of another size than asked for last."""
        return self._images.get(page)

    def request(self, page: int, scale: float) -> None:
        """Have a page rendered at ``scale`` pixels a point, unless it is."""
        size = self._pixel_size(page, scale)
        image = self._images.get(page)
        known = image is not None and image.size() == size
        if self._renderer is not None and not known and self._requested.get(page) != size:
            self._requested[page] = size
            self._renderer.requestPage(page - 1, size)

    def _pixel_size(self, page: int, scale: float) -> QSize:
        if self._file is None:
            return QSize()
        size = self._file.page_sizes[page - 1] * scale
        too_many = size.width() * size.height() / MOST_PIXELS
        return (size / too_many**0.5 if too_many > 1 else size).toSize()

    def _on_rendered(self, page_index: int, _size: QSize, image: QImage, *_rest: object) -> None:
        page = page_index + 1
        self._images[page] = image
        self._images.move_to_end(page)
        self._requested.pop(page, None)
        while len(self._images) > KEPT_PAGES:
            self._images.popitem(last=False)
        self.arrived.emit()
