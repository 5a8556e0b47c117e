"""Finding text in an open PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, QTimer, Signal

if TYPE_CHECKING:
    from PySide6.QtPdf import QPdfDocument, QPdfSearchModel

TYPING_PAUSE_MILLISECONDS = 120


class PdfSearch(QObject):
    """Qt looks through a few pages at a time while the window stays alive.

    Signals: ``found`` whenever there are more results.
    """

    found = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model: QPdfSearchModel | None = None
        self._text = ""
        self._pause = QTimer(self, singleShot=True, interval=TYPING_PAUSE_MILLISECONDS)
        self._pause.timeout.connect(self._search)

    def use(self, document: QPdfDocument) -> None:
        """Search this document from now on."""
        if self._model is not None and self._model.document() is document:
            return
        from PySide6.QtPdf import QPdfSearchModel

        self.close()
        self._model = QPdfSearchModel(self)
        self._model.setDocument(document)
        self._model.countChanged.connect(self.found)

    def close(self) -> None:
        """Let go of the document."""
        self._pause.stop()
        if self._model is not None:
            self._model.deleteLater()
            self._model = None

    def look_for(self, text: str) -> None:
        """Begin a new search."""
        self._text = text
        self._pause.start()

    @property
    def count(self) -> int:
        """How many places were found so far."""
        return self._model.rowCount(self._model.index(-1, 0)) if self._model is not None else 0

    def place(self, number: int) -> tuple[int, QRectF] | None:
        """The page, from 1, and the first rectangle of a place, in points."""
        if self._model is None or not 0 <= number < self.count:
            return None
        link = self._model.resultAtIndex(number)
        rectangles = link.rectangles()
        return (link.page() + 1, rectangles[0]) if rectangles else None

    def by_page(self) -> dict[int, list[QRectF]]:
        """All rectangles by page, from 1."""
        places: dict[int, list[QRectF]] = {}
        for number in range(self.count):
            link = self._model.resultAtIndex(number) if self._model is not None else None
            if link is not None:
                places.setdefault(link.page() + 1, []).extend(link.rectangles())
        return places

    def _search(self) -> None:
        if self._model is not None:
            self._model.setSearchString(self._text)
            self.found.emit()
