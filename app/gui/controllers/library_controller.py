"""Documents: add, follow, retry, remove."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.documents import DocumentRecord
from app.domain.errors import UserFacingError
from app.domain.folders import FolderPreview
from app.domain.ingestion import FileOutcome, IngestProgress, IngestSummary
from app.gui.jobs import JobRunner
from app.gui.models.document_list_model import WAITING_STATES, DocumentEntry, DocumentListModel
from app.gui.ports import IngestEvent, Services
from app.gui.widgets.ingestion_card import IngestionCard
from app.gui.widgets.toast import Toast
from app.gui.wording import counted

REFRESH_SECONDS = 1.0
# A library of many thousand files takes a while to list; listing it must stay a small part of the work.
REFRESH_SHARE = 20
# More than this is perhaps not what the user thinks a folder holds.
ASK_ABOVE_FILES = 2_000
ASK_ABOVE_BYTES = 2_000_000_000


class LibraryController(QObject):
    """Signals: ``documents_changed`` after the list on the screen has changed; ``many_files_found(preview, paths)``
    when so many are to be added that the user should be asked first: ``add_now(paths)`` adds them.
    """

    documents_changed = Signal()
    many_files_found = Signal(object, list)

    def __init__(self, runner: JobRunner, model: DocumentListModel, card: IngestionCard, toast: Toast) -> None:
        super().__init__()
        self._runner = runner
        self._model = model
        self._card = card
        self._toast = toast
        self._services: Services | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._post = runner.channel(self._on_events)
        self._refresh_seconds = REFRESH_SECONDS
        self._refresh_timer = QTimer(self, singleShot=True)
        self._refresh_timer.timeout.connect(self.refresh)
        self._waiting_paths: list[Path] = []
        self._asked_for_work = self._summed_up = False
        self._beginning = 0  # additions whose ingestion has not begun: none runs, and the card stays
        self.loaded = False
        model.counts_changed.connect(self.documents_changed)

    def attach(self, services: Services) -> None:
        """The services are there: show the documents, go on with what an earlier run left, add what was dropped."""
        self._services = services
        self._beginning = 0

        def begin() -> Callable[[], None]:
            unsubscribe = services.ingest.subscribe(self._post)
            self._asked_for_work = services.ingest.resume_pending() is not None
            return unsubscribe

        self._runner.run(begin, self._on_subscribed)
        self.refresh()

    def detach(self) -> None:
        """No more events; the services are about to close."""
        self._refresh_timer.stop()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    # -- what the user can do --------------------------------------------------------------------------------------

    def add(self, paths: Sequence[Path]) -> None:
        """Read files and folders into the library, and follow the folders; ask first if that is a lot."""
        if not paths:
            return
        if self._services is None:
            self._waiting_paths.extend(paths)
            return
        services, wanted = self._services, list(paths)
        self._show_beginning(len(wanted))
        self.documents_changed.emit()
        self._runner.run(
            lambda: services.folders.preview(wanted),
            lambda preview: self._on_preview(preview, wanted),
            self._on_refused,
        )

    def add_now(self, paths: Sequence[Path]) -> None:
        """``add`` without asking."""
        services, wanted = self._services, list(paths)
        if services is None:
            return
        self._asked_for_work, self._summed_up = True, False
        self._show_beginning(len(wanted))
        self._runner.run(lambda: services.folders.add(wanted), lambda _job: self._on_added(), self._on_refused)

    def retry(self, entries: Sequence[DocumentEntry]) -> None:
        """Read files again."""
        self.add([entry.path for entry in entries])

    def remove(self, entries: Sequence[DocumentEntry]) -> None:
        """Take documents out of the library at once; undoing reads them again. The files are never touched."""
        services = self._services
        if services is None:
            return
        ids = [entry.id for entry in entries if entry.id is not None]
        paths = [entry.path for entry in entries]
        for path in paths:
            self._model.drop(path)

        def remove_all() -> None:
            for document_id in ids:
                services.library.remove(document_id)

        self._runner.run(remove_all, lambda _: self.refresh())
        what = f"“{entries[0].name}”" if len(entries) == 1 else counted(len(entries), "document")
        self._toast.say(f"Removed {what} from the library.", "Undo", on_action=lambda: self.add(paths))

    def pause(self) -> None:
        """Pause reading."""
        self._with_ingest(lambda services: services.ingest.pause())

    def resume(self) -> None:
        """Go on reading."""
        self._with_ingest(lambda services: services.ingest.resume())

    def cancel(self) -> None:
        """Stop reading; what is ready stays."""

        def cancel_all(services: Services) -> None:
            for job in services.ingest.active_jobs:
                job.cancel()

        self._with_ingest(cancel_all)

    def refresh(self) -> None:
        """Read the list of documents again."""
        services = self._services
        if services is None:
            return
        began = time.monotonic()

        def read() -> Sequence[DocumentRecord]:
            return services.library.documents()  # the first use of a service imports it: never on the GUI thread

        self._runner.run(read, lambda records: self._on_documents(records, began), group="documents")

    def _with_ingest(self, work: Callable[[Services], None]) -> None:
        services = self._services
        if services is not None:
            self._runner.run(lambda: work(services), lambda _: self._ask_progress())

    # -- events ----------------------------------------------------------------------------------------------------

    def _on_subscribed(self, unsubscribe: Callable[[], None]) -> None:
        self._unsubscribe = unsubscribe
        waiting, self._waiting_paths = self._waiting_paths, []
        self.add(waiting)

    def _show_beginning(self, paths: int) -> None:
        self._beginning += 1
        self._card.show_starting(paths)

    def _on_begun(self) -> None:
        self._beginning = max(0, self._beginning - 1)  # the library may have been opened anew meanwhile
        self._ask_progress()

    def _on_added(self) -> None:
        self._on_begun()
        self._refresh_soon()

    def _on_events(self, events: Sequence[IngestEvent]) -> None:
        outcomes = [event for event in events if isinstance(event, FileOutcome) and not event.skipped]
        if outcomes:
            self._model.put([DocumentEntry.of_outcome(outcome) for outcome in outcomes])
        summaries = [event for event in events if isinstance(event, IngestSummary)]
        if summaries:
            self._on_summary(summaries[-1])
        elif any(isinstance(event, IngestProgress) for event in events):
            self._ask_progress()
        if events:
            self._refresh_soon()

    def _on_preview(self, preview: FolderPreview, paths: Sequence[Path]) -> None:
        few = preview.files <= ASK_ABOVE_FILES and preview.size <= ASK_ABOVE_BYTES
        if few:
            self.add_now(paths)
        self._on_begun()
        if not few:
            self.many_files_found.emit(preview, list(paths))

    def _on_refused(self, error: Exception) -> None:
        self._on_begun()
        if not isinstance(error, UserFacingError):
            raise error
        self._toast.say(str(error))

    def _ask_progress(self) -> None:
        """Several ingestions may run: what the card shows is their sum."""
        services = self._services
        if services is not None:
            self._runner.run(
                lambda: combined([job.progress for job in services.ingest.active_jobs]),
                self._on_progress,
                group="progress",
            )

    def _on_progress(self, progress: IngestProgress | None) -> None:
        if progress is None and not self._beginning:
            self._card.hide()
            self._asked_for_work = self._asked_for_work and not self._summed_up  # its summary may still be on its way
        elif progress is not None:
            self._card.show_progress(progress)
        self.documents_changed.emit()

    def _on_summary(self, summary: IngestSummary) -> None:
        self._summed_up = True
        self._ask_progress()
        self.refresh()
        words = summary_words(summary)
        if words and self._asked_for_work:  # what a followed folder brings in by itself needs no announcement
            self._toast.say(words)

    def _on_documents(self, records: Sequence[DocumentRecord], began: float) -> None:
        self.loaded = True
        self._refresh_seconds = max(REFRESH_SECONDS, REFRESH_SHARE * (time.monotonic() - began))
        self._model.set_records(records)
        if any(record.state in WAITING_STATES for record in records):
            self._ask_progress()  # nothing happens in the job while the search model is prepared
            self._refresh_soon()

    def _refresh_soon(self) -> None:
        if not self._refresh_timer.isActive():
            self._refresh_timer.start(round(self._refresh_seconds * 1000))


def combined(progresses: Sequence[IngestProgress]) -> IngestProgress | None:
    """The sum of several ingestions; None if there is none."""
    if not progresses:
        return None
    running = [each for each in progresses if not each.paused]
    known = [each.eta_seconds for each in running if each.eta_seconds is not None]
    return IngestProgress(
        total=sum(each.total for each in progresses),
        done=sum(each.done for each in progresses),
        failed=sum(each.failed for each in progresses),
        skipped=sum(each.skipped for each in progresses),
        chunks=sum(each.chunks for each in progresses),
        active=tuple(path for each in progresses for path in each.active)[:2],
        eta_seconds=sum(known) if known and len(known) == len(running) else None,
        paused=all(each.paused for each in progresses),
        share=sum(each.share * each.total for each in progresses) / max(1, sum(each.total for each in progresses)),
        waiting_for=next((each.waiting_for for each in progresses if each.waiting_for), ""),
        failures=tuple(failure for each in progresses for failure in each.failures),
        preparing=any(each.preparing for each in progresses),
    )


def summary_words(summary: IngestSummary) -> str:
    """What to say at the end of an ingestion; nothing if nothing happened."""
    if summary.cancelled:
        return "Stopped. What is ready stays in your library."
    new = summary.documents - summary.skipped
    parts = []
    if new > 0:
        parts.append(f"{counted(new, 'document')} ready")
    if summary.skipped:
        parts.append(f"{summary.skipped:,} unchanged")
    if summary.failed:
        parts.append(f"{counted(summary.failed, 'file')} could not be read")
    return ", ".join(parts) + "." if parts else ""
