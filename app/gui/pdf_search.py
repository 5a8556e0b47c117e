"""Finding text in an open PDF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, QTimer, Signal

if TYPE_CHECKING:
    from PySide6.QtPdf import QPdfDocument, QPdfSearchModel

Place = tuple[int, list[QRectF]]
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
        self._added: list[Place] = []
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
        self._added = []
        if self._model is not None:
            self._model.deleteLater()
            self._model = None

    def look_for(self, text: str) -> None:
        """Begin a new search."""
        self._text, self._added = text, []
        self._pause.start()

    def add(self, places: Sequence[Place]) -> None:
        """Places that were found elsewhere, on pages of which the file holds only pictures."""
        self._added = list(places)
        self.found.emit()

    @property
    def count(self) -> int:
        """How many places were found so far."""
        return self._in_file() + len(self._added)

    def place(self, number: int) -> tuple[int, QRectF] | None:
        """The page, from 1, and the first rectangle of a place, in points."""
        places = self._places()
        if not 0 <= number < len(places):
            return None
        page, rectangles = places[number]
        return (page, rectangles[0]) if rectangles else None

    def by_page(self) -> dict[int, list[QRectF]]:
        """All rectangles by page, from 1."""
        found: dict[int, list[QRectF]] = {}
        for page, rectangles in self._places():
            found.setdefault(page, []).extend(rectangles)
        return found

    def _in_file(self) -> int:
        return self._model.rowCount(self._model.index(-1, 0)) if self._model is not None else 0

    def _places(self) -> list[Place]:
        """All places in the order of the pages."""
        model, places = self._model, list(self._added)
        if model is not None:
            links = (model.resultAtIndex(number) for number in range(self._in_file()))
            places = [*((link.page() + 1, link.rectangles()) for link in links), *places]
        return sorted(places, key=lambda each: each[0]) if self._added else places

    def _search(self) -> None:
        if self._model is not None:
            self._model.setSearchString(self._text)
            self.found.emit()
