"""The source viewer: footnotes and documents, their files, other programs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.domain.cancellation import CancelToken
from app.domain.citations import Citation
from app.domain.errors import UserFacingError
from app.domain.turn_details import SentPassage
from app.gui import external
from app.gui.jobs import JobRunner
from app.gui.pdf_file import open_pdf
from app.gui.ports import Services
from app.gui.reading.document_reader import DocumentReader
from app.gui.scan_search import places_in_scan
from app.gui.sources import LoadedSource, Offer, SourceLoader
from app.gui.widgets.source_panel import SourcePanel
from app.gui.widgets.toast import Toast
from app.gui.wording import shown_name

log = logging.getLogger(__name__)


class SourceController(QObject):
    """Signals: ``shown`` when a source is on the screen; ``reading_wished(path)`` for a file to read (again);
    ``file_wished(path)`` for a file that the user has to find.
    """

    shown = Signal()
    reading_wished = Signal(str)
    file_wished = Signal(str)

    def __init__(self, runner: JobRunner, panel: SourcePanel, toast: Toast) -> None:
        super().__init__()
        self._runner = runner
        self._panel = panel
        self._toast = toast
        self._services: Services | None = None
        self._citations: tuple[Citation, ...] = ()
        self._position = 0
        self._again: Callable[[], None] | None = None
        self._waiting = False  # for the library, to read what is on show (again)
        panel.step_wished.connect(self.step)
        panel.open_outside_wished.connect(lambda path: self.open_outside(Path(path)))
        panel.reveal_wished.connect(lambda path: self.reveal(Path(path)))
        panel.offer_taken.connect(self._take_offer)
        panel.part_wished.connect(self._load_part)
        panel.search_wished.connect(self._search)
        panel.scan_search_wished.connect(self._search_scan)
        panel.pdf.text_wished.connect(self._load_page_text)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def show_citation(self, citations: Sequence[Citation], number: int) -> None:
        """Open the place behind footnote ``number`` of an answer's ``citations``."""
        self._citations = tuple(sorted(citations, key=lambda citation: citation.number))
        positions = [at for at, citation in enumerate(self._citations) if citation.number == number]
        if positions:
            self._position = positions[0]
            self._load_citation()

    def show_passage(self, passage: SentPassage) -> None:
        """Open the place of a passage that is no footnote of an answer."""
        self._citations = ()
        self._open(passage.path, lambda loader: loader.load_passage(passage), None)

    def step(self, step: int) -> None:
        """Go to the previous (-1) or next (1) footnote of the same answer, in a circle."""
        if self._citations:
            self._position = (self._position + step) % len(self._citations)
            self._load_citation()

    def show_document(self, document_id: int, path: Path) -> None:
        """Open a document of the library from its beginning."""
        self._citations = ()
        self._open(path, lambda loader: loader.load_document(document_id), None)

    def open_outside(self, path: Path) -> None:
        """Open a file in the program the desktop has for it; a copy of it if it is in an archive."""
        services = self._services
        if services is None:
            return

        def open_found(file: Path | None) -> None:
            if not external.open_file(file or path):
                self._toast.say(f"No program opened “{shown_name(path)}”.")

        self._runner.run(lambda: services.library.file(path), open_found, self._on_error)

    def reveal(self, path: Path) -> None:
        """Show a file's folder."""
        if not external.reveal_file(path):
            self._toast.say("The folder could not be opened.")

    def library_settled(self) -> None:
        """The library has read what it was given: if the reader waits for that, show the source anew."""
        if self._waiting and self._again is not None:
            self._waiting = False
            self._again()

    # -- loading ---------------------------------------------------------------------------------------------------

    def _load_citation(self) -> None:
        citation = self._citations[self._position]
        self._open(citation.path, lambda loader: loader.load_citation(citation), citation)

    def _open(self, path: Path, load: Callable[[SourceLoader], LoadedSource], citation: Citation | None) -> None:
        self._waiting = False
        self._again = lambda: self._load(load, citation)
        self._panel.show_loading(shown_name(path))
        self._load(load, citation)

    def _load(self, load: Callable[[SourceLoader], LoadedSource], citation: Citation | None) -> None:
        services = self._services
        if services is None:
            return
        gui_thread, current = self._panel.thread(), self._panel.pdf.file

        def work() -> LoadedSource:
            return load(SourceLoader(services.library, lambda path: open_pdf(path, gui_thread, current)))

        def done(source: LoadedSource) -> None:
            if source.pdf is not None and source.pdf is current and self._panel.pdf.file is not current:
                self._load(load, citation)  # the open file that was to be used again has been closed meanwhile
            else:
                self._show(source, citation)

        self._runner.run(work, done, self._on_error, group="source")

    def _show(self, source: LoadedSource, citation: Citation | None) -> None:
        self._panel.show_source(source)
        self._panel.show_footnote(citation, len(self._citations))
        self.shown.emit()

    def _load_part(self, place: int) -> None:
        """Set another part of a long text."""
        source = self._panel.source
        if source is None or source.reader is None or source.reading is None:
            return
        reader, passage = source.reader, source.reading
        self._runner.run(
            lambda: reader.read(passage.start, passage.end, around=place),
            lambda reading: self._panel.show_part(reader, reading, place),
            self._on_error,
            group="source-part",
        )

    def _search(self, words: str) -> None:
        """Look through all of a long text."""
        source = self._panel.source
        if source is None or source.reader is None:
            return
        reader: DocumentReader = source.reader
        token = CancelToken()
        self._runner.run(
            lambda: reader.find(words, lambda: token.cancelled),
            lambda places: self._panel.show_found(reader, words, places),
            self._on_error,
            group="source-search",
            token=token,
        )

    def _search_scan(self, words: str) -> None:
        """Look through what OCR read of a document."""
        services, source = self._services, self._panel.source
        document_id = source.document_id if source is not None else None
        if services is None or document_id is None:
            return
        token = CancelToken()
        self._runner.run(
            lambda: places_in_scan(services.library, document_id, words, lambda: token.cancelled),
            lambda places: self._panel.show_found_in_scan(document_id, words, places),
            self._on_error,
            group="source-search",
            token=token,
        )

    def _load_page_text(self, page: int) -> None:
        """Make the text of a page selectable."""
        services, source = self._services, self._panel.source
        if services is None or source is None or source.pdf is None:
            return
        file, document_id = source.pdf, source.document_id

        def failed(error: Exception) -> None:
            if not isinstance(error, UserFacingError):
                raise error
            log.info("the text of page %s can't be selected: %s", page, error)

        self._runner.run(
            lambda: services.library.page_text(document_id, file.path, page),
            lambda text: self._panel.pdf.take_text(file, page, text),
            failed,
        )

    # -- what can be done --------------------------------------------------------------------------------------------

    def _take_offer(self, offer: str) -> None:
        source = self._panel.source
        if source is None:
            return
        self._waiting = offer != Offer.OPEN_OUTSIDE
        if offer in {Offer.READ_AGAIN, Offer.ADD}:
            self.reading_wished.emit(str(source.path))
        elif offer == Offer.FIND_FILE:
            self.file_wished.emit(str(source.path))
        else:
            self.open_outside(source.path)

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        self._toast.say(str(error))
