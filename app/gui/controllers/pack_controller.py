"""Collection packs: written, checked, looked at before, and taken in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.domain.cancellation import CancelToken
from app.domain.errors import UserFacingError, WorkCancelledError
from app.domain.packs import ImportSummary, PackSummary
from app.gui.jobs import JobRunner
from app.gui.ports import Services
from app.gui.theme import Appearance
from app.gui.widgets.pack_export_dialog import PackExportDialog
from app.gui.widgets.pack_import_dialog import PackImportDialog, effect_words
from app.gui.widgets.toast import Toast
from app.gui.wording import counted, file_size, shown_name
from app.services.pack_paths import PathMapping
from app.services.pack_roots import PackRoot

NOTHING_WRITTEN = "Stopped. Nothing was written."
NOTHING_STORED = "Stopped. Nothing was stored."
T = TypeVar("T")
Counts = tuple[int, int]


class PackController(QObject):
    """Signals: ``imported`` after documents came in; ``place_wished(folder)``: the user is to say where a folder of the
    pack is now, which ``set_place`` takes.
    """

    imported = Signal()
    place_wished = Signal(str)

    def __init__(self, runner: JobRunner, appearance: Appearance, toast: Toast) -> None:
        super().__init__()
        self._runner = runner
        self._appearance = appearance
        self._toast = toast
        self._services: Services | None = None
        self._token = CancelToken()
        self._file = Path()
        self._places: dict[str, Path] = {}
        self.export_dialog: PackExportDialog | None = None
        self.import_dialog: PackImportDialog | None = None
        self._post_written = runner.channel(self._on_written)
        self._post_read = runner.channel(self._on_read)
        self._headline = ""

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def detach(self) -> None:
        """The services will go: what is under way stops, with nothing done."""
        self._token.cancel()
        self._services = None

    # -- export ----------------------------------------------------------------------------------------------------

    def export(self, file: Path, collection: str | None, parent: QWidget) -> None:
        """Write all documents, or those of a collection, into a file."""
        services = self._services
        if services is None or self.export_dialog is not None:
            return
        token = self._token = CancelToken()
        dialog = self.export_dialog = PackExportDialog(self._appearance, shown_name(file), parent)
        dialog.stop_wished.connect(token.cancel)
        dialog.finished.connect(self._forget_export)

        def write() -> PackSummary | None:
            return _unless_cancelled(
                lambda: services.packs.export(
                    file, collection, lambda done, total: self._post_written((done, total)), token
                )
            )

        self._runner.run(write, self._on_exported, self._on_export_refused, token=token)
        dialog.open()

    def _on_written(self, counts: Sequence[Counts]) -> None:
        dialog = self.export_dialog
        if dialog is not None and dialog.outcome.isHidden() and not self._token.cancelled:
            dialog.show_progress(*counts[-1])

    def _on_exported(self, summary: PackSummary | None) -> None:
        if self.export_dialog is None:
            return
        if summary is None:
            self.export_dialog.show_outcome(NOTHING_WRITTEN)
            return
        words = f"Written: {counted(summary.documents, 'document')}, {file_size(summary.size)}."
        if summary.left_out:
            words += f"\n{counted(summary.left_out, 'document')} left out: not read to the end, or excluded."
        self.export_dialog.show_outcome(words)

    def _on_export_refused(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        if self.export_dialog is not None:
            self.export_dialog.show_outcome(str(error), failed=True)

    def _forget_export(self) -> None:
        self.export_dialog = None

    # -- import ----------------------------------------------------------------------------------------------------

    def open_pack(self, file: Path, parent: QWidget) -> None:
        """Check a pack and show what taking it in would do. Nothing is stored before the user says so."""
        services = self._services
        if services is None or self.import_dialog is not None:
            return
        self._file, self._places = file, {}
        token = self._token = CancelToken()
        dialog = self.import_dialog = PackImportDialog(self._appearance, file, parent)
        dialog.stop_wished.connect(self._stop)
        dialog.place_wished.connect(self.place_wished)
        dialog.import_wished.connect(self._import)
        dialog.finished.connect(self._forget_import)
        self._headline = "Checking the pack…"
        dialog.show_work(self._headline)

        def examine() -> tuple[PackSummary, tuple[PackRoot, ...]] | None:
            return _unless_cancelled(lambda: services.packs.examine(file, self._tell_read, token))

        self._runner.run(examine, self._on_examined, self._on_import_refused, group="pack", token=token)
        dialog.open()

    def set_place(self, folder: str, place: Path) -> None:
        """A folder of the pack is here now."""
        if self.import_dialog is not None:
            self._places[folder] = place
            self.import_dialog.show_place(folder, place)
            self._preview()

    @property
    def _mapping(self) -> PathMapping:
        return PathMapping(tuple(self._places.items()))

    def _tell_read(self, done: int, total: int) -> None:
        self._post_read((done, total))

    def _on_read(self, counts: Sequence[Counts]) -> None:
        dialog = self.import_dialog
        if dialog is not None and not self._token.cancelled and dialog.work.isVisible():
            done, total = counts[-1]
            dialog.show_work(self._headline, done, total)

    def _on_examined(self, found: tuple[PackSummary, tuple[PackRoot, ...]] | None) -> None:
        if self.import_dialog is None:
            return
        if found is None:
            self.import_dialog.show_problem("Stopped before the pack was checked. Nothing was stored.")
            return
        self.import_dialog.show_pack(*found)
        self._preview()

    def _preview(self, note: str = "") -> None:
        services, dialog = self._services, self.import_dialog
        if services is None or dialog is None:
            return
        file, mapping = self._file, self._mapping
        token = self._token = CancelToken()
        self._headline = "Comparing it with your library…"
        dialog.show_work(self._headline)

        def preview() -> ImportSummary | None:
            return _unless_cancelled(lambda: services.packs.preview(file, mapping, cancel=token))

        def show(effect: ImportSummary | None) -> None:
            if self.import_dialog is not None and effect is not None:
                self.import_dialog.show_effect(effect, note)
            elif self.import_dialog is not None:
                self.import_dialog.show_problem(NOTHING_STORED)

        self._runner.run(preview, show, self._on_import_refused, group="pack", token=token)

    def _import(self) -> None:
        services, dialog = self._services, self.import_dialog
        if services is None or dialog is None:
            return
        file, mapping = self._file, self._mapping
        token = self._token = CancelToken()
        self._headline = "Taking it in…"
        dialog.show_work(self._headline)

        def take_in() -> ImportSummary | None:
            return _unless_cancelled(
                lambda: services.packs.import_pack(file, mapping, progress=self._tell_read, cancel=token)
            )

        self._runner.run(take_in, self._on_imported, self._on_import_refused, group="pack", token=token)

    def _on_imported(self, effect: ImportSummary | None) -> None:
        if effect is None:
            self._preview(NOTHING_STORED)
            return
        self.imported.emit()
        self._toast.say(f"Imported “{shown_name(self._file)}”. " + effect_words(effect).partition("\n")[0])
        if self.import_dialog is not None:
            self.import_dialog.accept()

    def _on_import_refused(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        if self.import_dialog is not None:
            self.import_dialog.show_problem(str(error))

    def _stop(self) -> None:
        self._token.cancel()
        if self.import_dialog is not None:
            self.import_dialog.work.show_stopping()

    def _forget_import(self) -> None:
        self.import_dialog = None


def _unless_cancelled(work: Callable[[], T]) -> T | None:
    """None for work that was stopped: the window must hear about it."""
    try:
        return work()
    except WorkCancelledError:
        return None
