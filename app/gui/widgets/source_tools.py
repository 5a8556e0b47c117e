"""The head of the source viewer: which document is on show, and the buttons to get about in it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.domain.citations import Citation
from app.gui.theme import Appearance
from app.gui.widgets.basics import ElidedLabel, IconButton, plain_label


class SourceHead(QWidget):
    """Signals: ``open_outside_wished``, ``reveal_wished``, ``summary_wished``."""

    summary_wished = Signal()
    open_outside_wished = Signal()
    reveal_wished = Signal()

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 4, 10, 4)
        row.setSpacing(6)
        names = QVBoxLayout()
        names.setSpacing(1)
        self.name = ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle, scale="heading")
        self.place = ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle, scale="small", tone="tertiary")
        names.addWidget(self.name)
        names.addWidget(self.place)
        self.external_button = IconButton(
            appearance, "external", "Open in another program", on_click=self.open_outside_wished.emit
        )
        self.reveal_button = IconButton(appearance, "reveal", "Show in folder", on_click=self.reveal_wished.emit)
        self.summary_button = IconButton(
            appearance, "summary", "Summarise this document", on_click=self.summary_wished.emit
        )
        row.addLayout(names, 1)
        row.addWidget(self.summary_button)
        row.addWidget(self.external_button)
        row.addWidget(self.reveal_button)


class SourceTools(QWidget):
    """Signals: ``step_wished(step)`` to the previous (-1) or next (1) footnote; ``zoom_wished(step)``, 0 for the size
    that fits; ``find_wished``; ``outline_toggled(shown)``; ``page_wished(page)``.
    """

    step_wished = Signal(int)
    zoom_wished = Signal(int)
    find_wished = Signal()
    outline_toggled = Signal(bool)
    page_wished = Signal(str)

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 10, 6)
        row.setSpacing(2)
        self.outline_button = IconButton(appearance, "outline", "Outline", shortcut="Ctrl+Shift+L")
        self.outline_button.setCheckable(True)
        self.outline_button.toggled.connect(self.outline_toggled)
        row.addWidget(self.outline_button)
        self._add_footnotes(row)
        row.addStretch(1)
        self._add_pages(row)
        row.addStretch(1)
        self._add_view(row)

    def _add_footnotes(self, row: QHBoxLayout) -> None:
        self.previous_button = self._button("chevron-left", "Previous footnote", "Alt+Up")
        self.next_button = self._button("chevron-right", "Next footnote", "Alt+Down")
        self.previous_button.clicked.connect(lambda: self.step_wished.emit(-1))
        self.next_button.clicked.connect(lambda: self.step_wished.emit(1))
        self.footnote = plain_label("", scale="small", tone="secondary")
        for widget in (self.previous_button, self.footnote, self.next_button):
            row.addWidget(widget)

    def _add_pages(self, row: QHBoxLayout) -> None:
        self.page_edit = QLineEdit()
        self.page_edit.setFixedWidth(46)
        self.page_edit.setProperty("compact", True)
        self.page_edit.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.page_edit.setAccessibleName("Page")
        self.page_edit.returnPressed.connect(lambda: self.page_wished.emit(self.page_edit.text().strip()))
        self.page_total = plain_label("", scale="small", tone="secondary")
        row.addWidget(self.page_edit)
        row.addWidget(self.page_total)

    def _add_view(self, row: QHBoxLayout) -> None:
        self.zoom_out_button = self._button("zoom-out", "Smaller", "Ctrl+-")
        self.zoom_in_button = self._button("zoom-in", "Larger", "Ctrl++")
        self.fit_button = self._button("fit-width", "Fit the width", "Ctrl+0")
        self.find_button = self._button("search", "Find", "Ctrl+F")
        self.zoom_out_button.clicked.connect(lambda: self.zoom_wished.emit(-1))
        self.zoom_in_button.clicked.connect(lambda: self.zoom_wished.emit(1))
        self.fit_button.clicked.connect(lambda: self.zoom_wished.emit(0))
        self.find_button.clicked.connect(lambda _checked=False: self.find_wished.emit())
        for button in (self.zoom_out_button, self.zoom_in_button, self.fit_button, self.find_button):
            row.addWidget(button)

    def _button(self, icon: str, name: str, shortcut: str) -> IconButton:
        return IconButton(self._appearance, icon, name, shortcut=shortcut)

    def show_footnote(self, citation: Citation | None, total: int) -> None:
        """Say which of the answer's footnotes is shown."""
        self.footnote.setText(f"Footnote {citation.number} of {total}" if citation else "")
        for widget in (self.footnote, self.previous_button, self.next_button):
            widget.setVisible(citation is not None)
        self.previous_button.setEnabled(total > 1)
        self.next_button.setEnabled(total > 1)

    def show_page(self, page: int, total: int) -> None:
        """Say which page is in the middle of the view."""
        self.page_edit.setText(str(page))
        self.page_total.setText(f"of {total}")

    def show_controls(self, *, pages: bool, body: bool, outline: bool) -> None:
        """Show what makes sense for the source on show."""
        for widget in (self.page_edit, self.page_total):
            widget.setVisible(pages)
        for button in (self.zoom_in_button, self.zoom_out_button, self.fit_button, self.find_button):
            button.setVisible(body)
        self.outline_button.setVisible(outline)
