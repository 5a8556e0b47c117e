"""The source viewer: a document at the passage an answer rests on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.domain.citations import Citation
from app.gui.pdf_search import PdfSearch
from app.gui.sources import LoadedSource
from app.gui.theme import Appearance
from app.gui.widgets.basics import ElidedLabel, IconButton, IconLabel, hairline, plain_label
from app.gui.widgets.find_bar import FindBar
from app.gui.widgets.pdf_view import PdfView
from app.gui.widgets.text_source_view import TextSourceView
from app.gui.wording import shown, shown_folder, shown_name


class SourcePanel(QWidget):
    """Signals: ``step_wished(step)`` to the previous (-1) or next (1) footnote of the answer; ``open_outside_wished``
    and ``reveal_wished``, each with a path as text; ``closed``.
    """

    step_wished = Signal(int)
    open_outside_wished = Signal(str)
    reveal_wished = Signal(str)
    closed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._source: LoadedSource | None = None
        self.pdf = PdfView(appearance)
        self.text = TextSourceView(appearance)
        self.find_bar = FindBar(appearance)
        self._search = PdfSearch(self)
        self._match = 0
        self._pages = QStackedWidget()
        self._pages.setProperty("panel", "surface")
        self._pages.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._quote_page = _QuotePage(appearance)
        self._empty = _message("Click a footnote in an answer, or open a document of your library.")
        for page in (self._empty, self.pdf, self.text, self._quote_page):
            self._pages.addWidget(page)
        self._notice = _NoticeBar(appearance)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_head())
        column.addWidget(self._make_tools())
        column.addWidget(self.find_bar)
        column.addWidget(hairline())
        column.addWidget(self._notice)
        column.addWidget(self._pages, 1)
        self._connect()
        self.clear()

    # -- parts -----------------------------------------------------------------------------------------------------

    def _make_head(self) -> QWidget:
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(14, 4, 10, 4)
        row.setSpacing(6)
        names = QVBoxLayout()
        names.setSpacing(1)
        self.name = ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle, scale="heading")
        self.place = ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle, scale="small", tone="tertiary")
        names.addWidget(self.name)
        names.addWidget(self.place)
        self.external_button = IconButton(
            self._appearance,
            "external",
            "Open in another program",
            on_click=lambda: self._emit_path(self.open_outside_wished),
        )
        self.reveal_button = IconButton(
            self._appearance, "reveal", "Show in folder", on_click=lambda: self._emit_path(self.reveal_wished)
        )
        row.addLayout(names, 1)
        row.addWidget(self.external_button)
        row.addWidget(self.reveal_button)
        return head

    def _make_tools(self) -> QWidget:
        self._tools = QWidget()
        row = QHBoxLayout(self._tools)
        row.setContentsMargins(10, 0, 10, 6)
        row.setSpacing(2)
        appearance = self._appearance
        self.previous_button = IconButton(
            appearance,
            "chevron-left",
            "Previous footnote",
            shortcut="Alt+Up",
            on_click=lambda: self.step_wished.emit(-1),
        )
        self.next_button = IconButton(
            appearance, "chevron-right", "Next footnote", shortcut="Alt+Down", on_click=lambda: self.step_wished.emit(1)
        )
        self.footnote = plain_label("", scale="small", tone="secondary")
        self.page_edit = QLineEdit()
        self.page_edit.setFixedWidth(46)
        self.page_edit.setProperty("compact", True)
        self.page_edit.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.page_edit.setAccessibleName("Page")
        self.page_total = plain_label("", scale="small", tone="secondary")
        self.zoom_out_button = IconButton(appearance, "zoom-out", "Smaller", shortcut="Ctrl+-", on_click=self.zoom_out)
        self.zoom_in_button = IconButton(appearance, "zoom-in", "Larger", shortcut="Ctrl++", on_click=self.zoom_in)
        self.fit_button = IconButton(
            appearance, "fit-width", "Fit the width", shortcut="Ctrl+0", on_click=self.fit_width
        )
        self.find_button = IconButton(appearance, "search", "Find", shortcut="Ctrl+F", on_click=self.find_bar.open_bar)
        row.addWidget(self.previous_button)
        row.addWidget(self.footnote)
        row.addWidget(self.next_button)
        row.addStretch(1)
        row.addWidget(self.page_edit)
        row.addWidget(self.page_total)
        row.addStretch(1)
        for button in (self.zoom_out_button, self.zoom_in_button, self.fit_button, self.find_button):
            row.addWidget(button)
        return self._tools

    def _connect(self) -> None:
        self.pdf.page_changed.connect(self._show_page_number)
        self.page_edit.returnPressed.connect(self._go_to_typed_page)
        self.find_bar.text_changed.connect(self._find)
        self.find_bar.next_wished.connect(lambda: self._step_match(1))
        self.find_bar.previous_wished.connect(lambda: self._step_match(-1))
        self.find_bar.closed.connect(lambda: self._find(""))
        self._search.found.connect(self._show_pdf_matches)

    # -- content ---------------------------------------------------------------------------------------------------

    @property
    def source(self) -> LoadedSource | None:
        """What is on show."""
        return self._source

    @property
    def notice_text(self) -> str:
        """What the reader is told about the source."""
        return self._notice.text

    @property
    def quote_text(self) -> str:
        """The stored quote, where only that can be shown."""
        return self._quote_page.quote if self._pages.currentWidget() is self._quote_page else ""

    def clear(self) -> None:
        """Show nothing."""
        self._source = None
        self.find_bar.close_bar()
        self._search.close()
        self.pdf.close_file()
        self._notice.say("")
        self.name.set_full_text("")
        self.place.set_full_text("")
        self._pages.setCurrentWidget(self._empty)
        self._show_controls()
        self.show_footnote(None, 0)

    def show_loading(self, name: str) -> None:
        """A document is on its way."""
        self.name.set_full_text(name)

    def show_source(self, source: LoadedSource) -> None:
        """Show a document at its passage."""
        self._source = source
        self.find_bar.hide()
        self.name.set_full_text(shown_name(source.path))
        self.place.set_full_text(shown(source.url) if source.url else shown_folder(source.path))
        self._notice.say(source.notice)
        if source.pdf is None:
            self._search.close()
            self.pdf.close_file()
        if source.pdf is not None:
            self._pages.setCurrentWidget(self.pdf)
            self.pdf.show_file(source.pdf, source.page or 1, source.boxes)
            self._search.use(source.pdf.document)
            self._show_page_number(self.pdf.page)
        elif source.text is not None:
            self._pages.setCurrentWidget(self.text)
            self.text.show_extract(source.text)
        else:
            self._quote_page.show_quote(source.quote)
            self._pages.setCurrentWidget(self._quote_page)
        self._show_controls()

    def show_footnote(self, citation: Citation | None, total: int) -> None:
        """Say which of the answer's footnotes is shown."""
        self.footnote.setText(f"Footnote {citation.number} of {total}" if citation else "")
        for widget in (self.footnote, self.previous_button, self.next_button):
            widget.setVisible(citation is not None)
        self.previous_button.setEnabled(total > 1)
        self.next_button.setEnabled(total > 1)
        self._tools.setVisible(citation is not None or self._source is not None)

    def _show_controls(self) -> None:
        source = self._source
        is_pdf = source is not None and source.pdf is not None
        has_body = is_pdf or (source is not None and source.text is not None)
        for widget in (self.page_edit, self.page_total):
            widget.setVisible(is_pdf)
        for button in (self.zoom_in_button, self.zoom_out_button, self.fit_button, self.find_button):
            button.setVisible(has_body)
        for button in (self.external_button, self.reveal_button):
            button.setVisible(source is not None)
        self.external_button.setEnabled(source is not None and source.reachable)
        self._tools.setVisible(source is not None)

    # -- getting about ---------------------------------------------------------------------------------------------

    def zoom_in(self) -> None:
        """Larger."""
        self.pdf.zoom_in() if self._shows_pdf else self.text.zoom(1.1)

    def zoom_out(self) -> None:
        """Smaller."""
        self.pdf.zoom_out() if self._shows_pdf else self.text.zoom(1 / 1.1)

    def fit_width(self) -> None:
        """The size that fits."""
        self.pdf.fit_width() if self._shows_pdf else self.text.reset_zoom()

    @property
    def _shows_pdf(self) -> bool:
        return self._pages.currentWidget() is self.pdf

    def _show_page_number(self, page: int) -> None:
        self.page_edit.setText(str(page))
        self.page_total.setText(f"of {self.pdf.page_count}")

    def _go_to_typed_page(self) -> None:
        text = self.page_edit.text().strip()
        if text.isdecimal() and 1 <= int(text) <= self.pdf.page_count:
            self.pdf.go_to_page(int(text))
        else:
            self._show_page_number(self.pdf.page)

    def _emit_path(self, signal: SignalInstance) -> None:
        if self._source is not None:
            signal.emit(str(self._source.path))

    # -- find ------------------------------------------------------------------------------------------------------

    def _find(self, text: str) -> None:
        self._match = 0
        if self._shows_pdf:
            self._search.look_for(text)
            self._show_pdf_matches()
        else:
            total = self.text.find_all(text)
            self.text.show_match(0) if total else None
            self.find_bar.show_count(0, total)

    def _step_match(self, step: int) -> None:
        if self._shows_pdf:
            total = self._search.count
            self._match = (self._match + step) % total if total else 0
            self._show_pdf_matches()
        else:
            total = self.text.match_count
            self._match = (self._match + step) % total if total else 0
            self.text.show_match(self._match)
            self.find_bar.show_count(self._match, total)

    def _show_pdf_matches(self) -> None:
        self.pdf.show_matches(self._search.by_page(), self._search.place(self._match))
        self.find_bar.show_count(self._match, self._search.count)


class _NoticeBar(QFrame):
    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.setProperty("card", "warning")
        self._label = plain_label("", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 9, 14, 9)
        row.setSpacing(9)
        row.addWidget(IconLabel(appearance, "info", color="warning", size=17), alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._label, 1)

    @property
    def text(self) -> str:
        return self._label.text()

    def say(self, text: str) -> None:
        self._label.setText(text)
        self.setVisible(bool(text))


class _QuotePage(QScrollArea):
    """The stored quote, large."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._label = plain_label("", wrap=True)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(28, 28, 28, 28)
        column.setSpacing(12)
        column.addWidget(IconLabel(appearance, "quote", color="text_tertiary", size=26))
        column.addWidget(self._label)
        column.addStretch(1)
        self.setWidget(inner)

    @property
    def quote(self) -> str:
        return self._label.text()

    def show_quote(self, quote: str) -> None:
        self._label.setText(quote)


def _message(text: str) -> QWidget:
    page = QWidget()
    label = plain_label(text, tone="secondary", wrap=True)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    column = QVBoxLayout(page)
    column.setContentsMargins(40, 20, 40, 20)
    column.addStretch(1)
    column.addWidget(label)
    column.addStretch(2)
    return page
