"""The source viewer: footnotes and documents, their files, other programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.domain.citations import Citation
from app.domain.errors import UserFacingError
from app.gui import external
from app.gui.jobs import JobRunner
from app.gui.pdf_file import open_pdf
from app.gui.ports import Services
from app.gui.sources import LoadedSource, SourceLoader
from app.gui.widgets.source_panel import SourcePanel
from app.gui.widgets.toast import Toast
from app.gui.wording import shown_name


class SourceController(QObject):
    """Signals: ``shown`` when a source is on the screen."""

    shown = Signal()

    def __init__(self, runner: JobRunner, panel: SourcePanel, toast: Toast) -> None:
        super().__init__()
        self._runner = runner
        self._panel = panel
        self._toast = toast
        self._services: Services | None = None
        self._citations: tuple[Citation, ...] = ()
        self._position = 0
        panel.step_wished.connect(self.step)
        panel.open_outside_wished.connect(lambda path: self.open_outside(Path(path)))
        panel.reveal_wished.connect(lambda path: self.reveal(Path(path)))

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

    def step(self, step: int) -> None:
        """Go to the previous (-1) or next (1) footnote of the same answer, in a circle."""
        if self._citations:
            self._position = (self._position + step) % len(self._citations)
            self._load_citation()

    def show_document(self, document_id: int, path: Path) -> None:
        """Open a document of the library from its beginning."""
        self._citations = ()
        self._panel.show_loading(shown_name(path))
        self._load(lambda loader: loader.load_document(document_id), None)

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

    def _load_citation(self) -> None:
        citation = self._citations[self._position]
        self._panel.show_loading(shown_name(citation.path))
        self._load(lambda loader: loader.load_citation(citation), citation)

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

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        self._toast.say(str(error))
