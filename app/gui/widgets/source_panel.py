"""The source viewer: a document at the passage an answer rests on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.domain.citations import Citation
from app.gui.pdf_search import PdfSearch, Place
from app.gui.reading.blocks import OutlineEntry, Reading
from app.gui.reading.document_reader import DocumentReader
from app.gui.sources import LoadedSource
from app.gui.theme import Appearance
from app.gui.widgets.basics import hairline
from app.gui.widgets.find_bar import FindBar
from app.gui.widgets.outline_list import OutlineList
from app.gui.widgets.pdf_view import PdfView
from app.gui.widgets.reading_view import ReadingView
from app.gui.widgets.source_parts import NoticeBar, PartBar, QuotePage, message_page
from app.gui.widgets.source_tools import SourceHead, SourceTools
from app.gui.wording import shown, shown_folder, shown_name

OUTLINE_WIDTH = 190
ZOOM_STEP = 1.1


class SourcePanel(QWidget):
    """Signals: ``step_wished(step)`` to the previous (-1) or next (1) footnote of the answer; ``open_outside_wished``
    and ``reveal_wished``, each with a path as text; ``offer_taken(offer)``; ``part_wished(place)`` for another part of
    a long text and ``search_wished(words)`` in all of it; ``scan_search_wished(words)`` on pages that OCR read;
    ``summary_wished(document_id, path)``; ``closed``.
    """

    step_wished = Signal(int)
    open_outside_wished = Signal(str)
    reveal_wished = Signal(str)
    offer_taken = Signal(str)
    part_wished = Signal(int)
    search_wished = Signal(str)
    scan_search_wished = Signal(str)
    summary_wished = Signal(int, str)
    closed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: LoadedSource | None = None
        self._places: list[tuple[int, int]] = []  # what a search through a long text found
        self._match = 0
        self.pdf = PdfView(appearance)
        self.text = ReadingView(appearance)
        self.find_bar = FindBar(appearance)
        self.outline = OutlineList()
        self.notice = NoticeBar(appearance)
        self.part_bar = PartBar(appearance)
        self._head, self.tools = SourceHead(appearance), SourceTools(appearance)
        self._search = PdfSearch(self)
        self._quote_page = QuotePage(appearance)
        self._empty = message_page("Click a footnote in an answer, or open a document of your library.")
        self._lay_out()
        self._name_parts()
        self._connect()
        self.clear()

    def _lay_out(self) -> None:
        self._pages = QStackedWidget()
        self._pages.setProperty("panel", "surface")
        self._pages.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        for page in (self._empty, self.pdf, self.text, self._quote_page):
            self._pages.addWidget(page)
        self._body = QSplitter(Qt.Orientation.Horizontal)
        self._body.setHandleWidth(1)
        self._body.setChildrenCollapsible(False)
        self._body.addWidget(self.outline)
        self._body.addWidget(self._pages)
        self._body.setStretchFactor(1, 1)
        self._body.setSizes([OUTLINE_WIDTH, 1000])
        self.outline.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self._head, self.tools, self.find_bar, hairline(), self.notice):
            column.addWidget(widget)
        column.addWidget(self._body, 1)
        column.addWidget(self.part_bar)

    def _name_parts(self) -> None:
        self.name, self.place = self._head.name, self._head.place
        self.external_button, self.reveal_button = self._head.external_button, self._head.reveal_button
        self.summary_button = self._head.summary_button
        self.page_edit, self.footnote = self.tools.page_edit, self.tools.footnote

    def _connect(self) -> None:
        self._head.open_outside_wished.connect(lambda: self._emit_path(self.open_outside_wished))
        self._head.reveal_wished.connect(lambda: self._emit_path(self.reveal_wished))
        self._head.summary_wished.connect(self._wish_summary)
        self.tools.step_wished.connect(self.step_wished)
        self.tools.zoom_wished.connect(self._zoom)
        self.tools.find_wished.connect(self.find_bar.open_bar)
        self.tools.outline_toggled.connect(self._show_outline)
        self.tools.page_wished.connect(self._go_to_typed_page)
        self.pdf.page_changed.connect(self._on_page_changed)
        self.text.place_changed.connect(self.outline.show_place)
        self.outline.place_chosen.connect(self._go_to_place)
        self.notice.offer_taken.connect(self.offer_taken)
        self.part_bar.part_wished.connect(self.part_wished)
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
        return self.notice.text

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
        self.text.clear_reading()
        self.notice.say("")
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
        self._places = []
        self.find_bar.hide()
        self.name.set_full_text(shown_name(source.path))
        self.place.set_full_text(shown(source.url) if source.url else shown_folder(source.path))
        self.notice.say(source.notice, source.offers)
        self.outline.outline.set_entries(_outline_of(source))
        if source.pdf is None:
            self._search.close()
            self.pdf.close_file()
        if source.pdf is not None:
            self._pages.setCurrentWidget(self.pdf)
            self.pdf.show_file(source.pdf, source.page or 1, source.boxes)
            self._search.use(source.pdf.document)
            self._on_page_changed(self.pdf.page)
        elif source.reading is not None:
            self._pages.setCurrentWidget(self.text)
            self.text.show_reading(source.reading)
            self.outline.show_place(source.reading.start)
        else:
            self._quote_page.show_quote(source.quote)
            self._pages.setCurrentWidget(self._quote_page)
        self._show_controls()

    def show_part(self, reader: DocumentReader, reading: Reading, place: int) -> None:
        """Show another part of the long text on show, from ``place`` on."""
        if self._source is not None and self._source.reader is reader:
            self.text.show_reading(reading, place)
            self.part_bar.show_reading(reading)
            self.outline.show_place(place)
            self._show_found_match()

    def show_footnote(self, citation: Citation | None, total: int) -> None:
        """Say which of the answer's footnotes is shown."""
        self.tools.show_footnote(citation, total)

    def _show_controls(self) -> None:
        source = self._source
        is_pdf = source is not None and source.pdf is not None
        reading = source.reading if source is not None else None
        outline = bool(self.outline.outline.entries)
        self.tools.show_controls(pages=is_pdf, body=is_pdf or reading is not None, outline=outline)
        self.tools.setVisible(source is not None)
        self.part_bar.show_reading(None if is_pdf else reading)
        self._show_outline(self.tools.outline_button.isChecked())
        for button in (self.external_button, self.reveal_button):
            button.setVisible(source is not None)
        self.summary_button.setVisible(source is not None and source.document_id is not None)
        self.external_button.setEnabled(source is not None and source.reachable)

    # -- getting about ---------------------------------------------------------------------------------------------

    def zoom_in(self) -> None:
        """Larger."""
        self.pdf.zoom_in() if self._shows_pdf else self.text.zoom(ZOOM_STEP)

    def zoom_out(self) -> None:
        """Smaller."""
        self.pdf.zoom_out() if self._shows_pdf else self.text.zoom(1 / ZOOM_STEP)

    def fit_width(self) -> None:
        """The size that fits."""
        self.pdf.fit_width() if self._shows_pdf else self.text.reset_zoom()

    def toggle_outline(self) -> None:
        """Show or hide the outline, where there is one."""
        if self.outline.outline.entries:
            self.tools.outline_button.toggle()

    def _zoom(self, step: int) -> None:
        {1: self.zoom_in, -1: self.zoom_out, 0: self.fit_width}[step]()

    @property
    def _shows_pdf(self) -> bool:
        return self._pages.currentWidget() is self.pdf

    def _show_outline(self, shown: bool) -> None:
        self.outline.setVisible(shown and bool(self.outline.outline.entries))

    def _on_page_changed(self, page: int) -> None:
        self.tools.show_page(page, self.pdf.page_count)
        self.outline.show_place(page)

    def _go_to_typed_page(self, text: str) -> None:
        if text.isdecimal() and 1 <= int(text) <= self.pdf.page_count:
            self.pdf.go_to_page(int(text))
        else:
            self.tools.show_page(self.pdf.page, self.pdf.page_count)

    def _go_to_place(self, place: int) -> None:
        if self._shows_pdf:
            self.pdf.go_to_page(place)
        elif self.text.reading.first <= place < self.text.reading.last:
            self.text.go_to(place)
        else:
            self.part_wished.emit(place)

    def _wish_summary(self) -> None:
        if self._source is not None and self._source.document_id is not None:
            self.summary_wished.emit(self._source.document_id, str(self._source.path))

    def _emit_path(self, signal: object) -> None:
        if self._source is not None:
            signal.emit(str(self._source.path))  # type: ignore[attr-defined]  # a bound signal

    # -- find ------------------------------------------------------------------------------------------------------

    def _find(self, text: str) -> None:
        self._match = 0
        self._places = []
        if self._shows_pdf:
            self._search.look_for(text)
            self._show_pdf_matches()
            if text and self._source is not None and self._source.scanned:
                self.scan_search_wished.emit(text)
        elif self.text.reading.cut and text:
            self.search_wished.emit(text)
        else:
            total = self.text.find_all(text)
            self.text.show_match(0) if total else None
            self.find_bar.show_count(0, total)

    def _step_match(self, step: int) -> None:
        total = self._search.count if self._shows_pdf else len(self._places) or self.text.match_count
        self._match = (self._match + step) % total if total else 0
        if self._shows_pdf:
            self._show_pdf_matches()
        elif self._places:
            self._show_found_match()
        else:
            self.text.show_match(self._match)
            self.find_bar.show_count(self._match, total)

    def _show_pdf_matches(self) -> None:
        self.pdf.show_matches(self._search.by_page(), self._search.place(self._match))
        self.find_bar.show_count(self._match, self._search.count)

    def show_found_in_scan(self, document_id: int, words: str, places: Sequence[Place]) -> None:
        """What a search through the scanned pages of a PDF has found."""
        current = self._source is not None and self._source.document_id == document_id
        if current and self._shows_pdf and self.find_bar.edit.text() == words:
            self._search.add(places)

    def show_found(self, reader: DocumentReader, words: str, places: Sequence[tuple[int, int]]) -> None:
        """What a search through all of a long text has found."""
        current = self._source is not None and self._source.reader is reader
        if current and self.find_bar.isVisible() and self.find_bar.edit.text() == words:
            self._places = list(places)
            self.find_bar.show_count(0, len(places))
            self._show_found_match()

    def _show_found_match(self) -> None:
        """Show the match that is current, in another part of the text if need be."""
        if not self._places:
            return
        self.find_bar.show_count(self._match, len(self._places))
        current, reading = self._places[self._match], self.text.reading
        if reading.first <= current[0] and current[1] <= reading.last:
            inside = [place for place in self._places if reading.first <= place[0] and place[1] <= reading.last]
            self.text.mark_places(inside, current)
        else:
            self.part_wished.emit(current[0])


def _outline_of(source: LoadedSource) -> Sequence[OutlineEntry]:
    """The headings of a text, or the bookmarks of a PDF, whose places are pages."""
    if source.pdf is not None:
        return [OutlineEntry(title, page, level) for level, title, page in source.pdf.bookmarks]
    return source.reader.outline if source.reader is not None else ()
