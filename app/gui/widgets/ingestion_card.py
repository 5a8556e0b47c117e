"""How far reading new files is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.domain.ingestion import IngestProgress
from app.gui.theme import Appearance
from app.gui.widgets.basics import ElidedLabel, IconButton, plain_label
from app.gui.wording import counted, duration, shown_name

FINE_STEPS = 1000
# One small file at the start says nothing about how long the others take.
FEWEST_FOR_ETA = 2


class IngestionCard(QFrame):
    """Signals: ``pause_wished``, ``resume_wished``, ``cancel_wished``."""

    pause_wished = Signal()
    resume_wished = Signal()
    cancel_wished = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", "true")
        self._paused = False
        self.headline = plain_label("")
        self.time_left = plain_label("", scale="small", tone="secondary")
        self.detail = ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle, scale="small", tone="tertiary")
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
        self.hide()

    def show_progress(self, progress: IngestProgress) -> None:
        """Show where it stands. ``total`` may still grow while folders are looked through."""
        self._paused = progress.paused
        self.pause_button.set_icon("play" if progress.paused else "pause")
        self.pause_button.set_name("Go on" if progress.paused else "Pause")
        self.headline.setText(f"{progress.done:,} of {counted(progress.total, 'file')}")
        self.time_left.setText(_state_words(progress))
        self.time_left.setVisible(bool(self.time_left.text()))
        self.bar.setRange(0, max(1, progress.total) * FINE_STEPS if progress.total else 0)
        self.bar.setValue(progress.done * FINE_STEPS)
        names = ", ".join(shown_name(path) for path in progress.active)
        self.detail.set_full_text(names)
        self.show()

    def show_starting(self, count: int) -> None:
        """Files have been handed over; nothing is known about them yet."""
        self.headline.setText(f"Looking through {counted(count, 'item')}…")
        self.bar.setRange(0, 0)
        self.time_left.hide()
        self.detail.set_full_text("")
        self.show()

    def _on_pause(self) -> None:
        if self._paused:
            self.resume_wished.emit()
        else:
            self.pause_wished.emit()


def _state_words(progress: IngestProgress) -> str:
    parts = []
    if progress.paused:
        parts.append("Paused")
    elif progress.eta_seconds is not None and progress.chunks and progress.done >= FEWEST_FOR_ETA:
        parts.append(f"About {duration(progress.eta_seconds)} left".replace("About a few", "A few"))
    if progress.failed:
        parts.append(counted(progress.failed, "problem"))
    return " · ".join(parts)
