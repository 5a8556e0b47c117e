"""The check of the library and, for what can be made again, its repair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.domain.cancellation import CancelToken
from app.domain.errors import UserFacingError, WorkCancelledError
from app.domain.findings import FindingCode
from app.gui.jobs import JobRunner
from app.gui.ports import Services
from app.gui.theme import Appearance
from app.gui.widgets.check_dialog import CheckDialog
from app.gui.wording import counted, elapsed

if TYPE_CHECKING:
    from app.services.library_check import CheckReport
    from app.services.library_repair import Repairs

NOT_HERE = frozenset({FindingCode.DATABASE, FindingCode.MODEL, FindingCode.FILES})
"""A database whose pages are damaged is exchanged as a file, which needs Footnote closed; the others need the user."""

COMMAND = "Close Footnote and run “footnote doctor --repair” in a terminal. It keeps a copy of every file it exchanges."
REPAIR = "“Repair” makes again what follows from your files and texts; no text that can't be had again is deleted."
Reopen = Callable[[Callable[[Any], Any], Callable[[Any], None], Callable[[Exception], None]], None]


class CheckController(QObject):
    """``reopen(work, on_done, on_error)`` closes the services, gives fresh ones to ``work`` on a worker, closes these
    too and opens the window's services again.
    """

    def __init__(self, runner: JobRunner, appearance: Appearance, reopen: Reopen) -> None:
        super().__init__()
        self._runner = runner
        self._appearance = appearance
        self._reopen = reopen
        self._services: Services | None = None
        self._report: CheckReport | None = None
        self._token = CancelToken()
        self._looking = False  # the last news of how far it is may come after the report
        self._post = runner.channel(self._on_progress)
        self.dialog: CheckDialog | None = None

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def detach(self) -> None:
        """The services will go."""
        self._token.cancel()
        self._services = None

    def open_dialog(self, parent: QWidget) -> None:
        """Check the library and show what was found."""
        if self._services is None:
            return
        if self.dialog is not None:
            self.dialog.raise_()
            return
        dialog = self.dialog = CheckDialog(self._appearance, parent)
        dialog.check_wished.connect(self.check)
        dialog.stop_wished.connect(self._stop)
        dialog.repair_wished.connect(self.repair)
        dialog.finished.connect(self._forget_dialog)
        self.check()
        dialog.open()

    def check(self) -> None:
        """Look at everything."""
        services, dialog = self._services, self.dialog
        if services is None or dialog is None:
            return
        token = self._token = CancelToken()
        self._looking = True
        dialog.show_work("Beginning…")

        def progress(what: str, done: int, total: int) -> None:
            token.raise_if_cancelled()
            self._post((what, done, total))

        def run() -> CheckReport | None:
            try:
                return services.check.run(progress)
            except WorkCancelledError:
                return None

        self._runner.run(run, self._on_report, self._on_failed, group="check", token=token)

    def repair(self) -> None:
        """Make again what can be. Nothing else can be done meanwhile: indexes must not be open."""
        report, dialog = self._report, self.dialog
        if report is None or dialog is None:
            return
        dialog.show_work("Repairing…", may_stop=False)
        self._reopen(lambda services: services.repair.run(report), self._on_repaired, self._on_failed)

    def _stop(self) -> None:
        self._token.cancel()
        if self.dialog is not None:
            self.dialog.work.show_stopping()

    def _on_progress(self, news: Sequence[tuple[str, int, int]]) -> None:
        what, done, total = news[-1]
        if self.dialog is not None and self._looking and not self._token.cancelled:
            of = f": {done:,} of {total:,}" if total else ""
            self.dialog.show_work(f"Looking at the {what}{of}", done, total)

    def _on_report(self, report: CheckReport | None) -> None:
        self._report, self._looking = report, False
        dialog = self.dialog
        if dialog is None:
            return
        if report is None:
            dialog.show_problem("Stopped before everything was looked at.")
            return
        can_repair = _can_repair(report)
        dialog.show_findings(outcome_words(report), report.findings, _advice(report, can_repair), can_repair=can_repair)

    def _on_repaired(self, repairs: Repairs) -> None:
        if self.dialog is None:
            return
        outcome = "Repaired." if repairs.done else "There was nothing that could be repaired."
        advice = "What has to be read or embedded again is being done in the background." if repairs.done else ""
        self.dialog.show_repairs(outcome, repairs.done, repairs.left, advice)

    def _on_failed(self, error: Exception) -> None:
        self._looking = False
        if not isinstance(error, UserFacingError):
            if self.dialog is not None:
                self.dialog.show_problem("That could not be done.")
            raise error
        if self.dialog is not None:
            self.dialog.show_problem(str(error))

    def _forget_dialog(self) -> None:
        self.dialog = None


def outcome_words(report: CheckReport) -> str:
    """How the library is, in a few words."""
    return f"{counted(len(report.problems), 'problem')} found" if report.problems else "Everything is in order"


def _seen(report: CheckReport) -> str:
    names = {"documents": "document", "chunks": "passage", "vectors": "vector"}
    seen = ", ".join(counted(count, names.get(name, name)) for name, count in report.looked_at.items())
    return f"Looked at {seen} in {elapsed(report.seconds)}." if seen else "Nothing could be read."


def _can_repair(report: CheckReport) -> bool:
    codes = {each.code for each in report.problems}
    return bool(codes - NOT_HERE) and FindingCode.DATABASE not in codes


def _advice(report: CheckReport, can_repair: bool) -> str:
    if FindingCode.DATABASE in {each.code for each in report.problems}:
        return f"{_seen(report)} {COMMAND}"
    return f"{_seen(report)} {REPAIR}" if can_repair else _seen(report)
