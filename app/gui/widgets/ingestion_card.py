"""How far reading new files is, what it waits for, and what could not be read."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.domain.errors import FailureReason
from app.domain.ingestion import FileOutcome, IngestProgress
from app.gui.models.document_list_model import REASON_WORDS
from app.gui.theme import Appearance
from app.gui.widgets.basics import ElidedLabel, IconButton, plain_label
from app.gui.wording import counted, duration, shown, shown_name

FINE_STEPS = 1000
FAILURES_SHOWN = 3


class IngestionCard(QFrame):
    """Signals: ``pause_wished``, ``resume_wished``, ``cancel_wished``."""

    pause_wished = Signal()
    resume_wished = Signal()
    cancel_wished = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", "true")
        self._resting = False
        self.headline = plain_label("")
        self.time_left = plain_label("", scale="small", tone="secondary")
        self.detail = ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle, scale="small", tone="tertiary")
        self.failures = plain_label("", scale="small", tone="danger", wrap=True)
        self.failures.hide()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Files read")
        self.pause_button = IconButton(appearance, "pause", "Pause", size=16, on_click=self._on_pause)
        self.cancel_button = IconButton(appearance, "close", "Cancel", size=16, on_click=self.cancel_wished.emit)
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.headline, 1)
        head.addWidget(self.pause_button)
        head.addWidget(self.cancel_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 8, 10, 12)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.bar)
        column.addWidget(self.time_left)
        column.addWidget(self.detail)
        column.addWidget(self.failures)
        self.hide()

    def show_progress(self, progress: IngestProgress) -> None:
        """Show where it stands. ``total`` may still grow while folders are looked through."""
        self._resting = progress.paused or bool(progress.waiting_for)
        self.pause_button.set_icon("play" if self._resting else "pause")
        self.pause_button.set_name("Go on" if self._resting else "Pause")
        self.headline.setText(f"{progress.done:,} of {counted(progress.total, 'file')}")
        self.time_left.setText(_state_words(progress))
        self.time_left.setVisible(bool(self.time_left.text()))
        self.bar.setRange(0, FINE_STEPS if progress.total else 0)
        self.bar.setValue(round(FINE_STEPS * (progress.share or progress.done / max(1, progress.total))))
        names = ", ".join(shown_name(path) for path in progress.active)
        self.detail.set_full_text(names)
        self._show_failures(progress)
        self.show()

    def _show_failures(self, progress: IngestProgress) -> None:
        latest = progress.failures[-FAILURES_SHOWN:]
        lines = [f"{shown_name(each.path)}: {_reason(each)}" for each in latest]
        if progress.failed > len(lines) > 0:
            lines.append(f"and {progress.failed - len(lines):,} more")
        self.failures.setText("\n".join(lines))
        self.failures.setToolTip("\n".join(shown(each.error) for each in latest))
        self.failures.setVisible(bool(lines))

    def show_starting(self, count: int) -> None:
        """Files have been handed over; nothing is known about them yet."""
        self.headline.setText(f"Looking through {counted(count, 'item')}…")
        self.bar.setRange(0, 0)
        self.time_left.hide()
        self.failures.hide()
        self.detail.set_full_text("")
        self.show()

    def _on_pause(self) -> None:
        if self._resting:
            self.resume_wished.emit()
        else:
            self.pause_wished.emit()


def _state_words(progress: IngestProgress) -> str:
    parts = []
    if progress.paused:
        parts.append("Paused")
    elif progress.waiting_for:
        parts.append(f"Waiting until {progress.waiting_for}")
    elif progress.preparing:
        parts.append("Preparing the search model, only this once")
    elif progress.eta_seconds is not None:
        parts.append(f"About {duration(progress.eta_seconds)} left".replace("About a few", "A few"))
    if progress.failed:
        parts.append(counted(progress.failed, "problem"))
    return " · ".join(parts)


def _reason(failure: FileOutcome) -> str:
    return REASON_WORDS[failure.reason or FailureReason.CRASHED].lower()
