"""The right side of the window: the library, the source behind a footnote, or what an answer rests on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.gui.models.document_list_model import DocumentListModel
from app.gui.models.folder_list_model import FolderListModel
from app.gui.theme import Appearance
from app.gui.widgets.answer_panel import AnswerPanel
from app.gui.widgets.basics import IconButton, TextButton
from app.gui.widgets.library_panel import LibraryPanel
from app.gui.widgets.source_panel import SourcePanel


class RightPanel(QWidget):
    """Signals: ``page_changed(wide)``, whether a source or an answer is in front, which need room; ``close_wished``."""

    page_changed = Signal(bool)
    close_wished = Signal()

    def __init__(
        self,
        appearance: Appearance,
        documents: DocumentListModel,
        folders: FolderListModel,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("panel", "sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.library = LibraryPanel(appearance, documents, folders)
        self.source = SourcePanel(appearance)
        self.answer = AnswerPanel(appearance)
        self.library_tab = self._make_tab(appearance, "Library")
        self.source_tab = self._make_tab(appearance, "Source")
        self.answer_tab = self._make_tab(appearance, "Answer")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.library)
        self._pages.addWidget(self.source)
        self._pages.addWidget(self.answer)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_head(appearance))
        column.addWidget(self._pages, 1)
        self.library_tab.clicked.connect(self.show_library)
        self.source_tab.clicked.connect(self.show_source)
        self.answer_tab.clicked.connect(self.show_answer)
        self.library_tab.setChecked(True)

    def _make_head(self, appearance: Appearance) -> QWidget:
        head = QWidget()
        head.setFixedHeight(52)
        row = QHBoxLayout(head)
        row.setContentsMargins(14, 0, 10, 0)
        row.setSpacing(4)
        tabs = QButtonGroup(self)
        for tab in (self.library_tab, self.source_tab, self.answer_tab):
            tabs.addButton(tab)
            row.addWidget(tab)
        row.addStretch(1)
        row.addWidget(IconButton(appearance, "close", "Close this panel", on_click=self.close_wished.emit))
        return head

    def _make_tab(self, appearance: Appearance, text: str) -> TextButton:
        tab = TextButton(appearance, text, kind="tab")
        tab.setCheckable(True)
        return tab

    @property
    def shows_source(self) -> bool:
        """Whether the source is in front."""
        return self._pages.currentWidget() is self.source

    def show_library(self) -> None:
        """Bring the library to the front."""
        self.library_tab.setChecked(True)
        self._pages.setCurrentWidget(self.library)
        self.page_changed.emit(False)

    def show_source(self) -> None:
        """Bring the source to the front."""
        self.source_tab.setChecked(True)
        self._pages.setCurrentWidget(self.source)
        self.page_changed.emit(True)

    def show_answer(self) -> None:
        """Bring what an answer rests on to the front."""
        self.answer_tab.setChecked(True)
        self._pages.setCurrentWidget(self.answer)
        self.page_changed.emit(True)
