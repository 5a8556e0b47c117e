"""The outline beside the document."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QListView, QWidget

from app.gui.models.outline_model import OutlineModel


class OutlineList(QListView):
    """Signals: ``place_chosen(place)``, an offset in the text, or a page of a PDF."""

    place_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.outline = OutlineModel(self)
        self.setModel(self.outline)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setProperty("kind", "outline")
        self.setUniformItemSizes(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Outline of the document")
        self.setMinimumWidth(120)
        self.clicked.connect(lambda index: self._choose(index.row()))
        self.activated.connect(lambda index: self._choose(index.row()))

    def show_place(self, place: int) -> None:
        """Mark the entry that the reader is at."""
        row = self.outline.row_at(place)
        if row >= 0 and row != self.currentIndex().row():
            self.setCurrentIndex(self.outline.index(row))

    def _choose(self, row: int) -> None:
        self.place_chosen.emit(self.outline.entries[row].start)
