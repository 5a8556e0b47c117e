"""A search model in the dialog that lists them."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_label

STEPS = 1000


@dataclass(frozen=True, slots=True)
class SearchModel:
    """A line of the list. ``folder`` is where it lies, None if it has to be downloaded, "" for our own.

    ``answers`` tells that the library is searched with it, ``wanted`` that it is to take over.
    """

    name: str
    about: str
    folder: str | None
    megabytes: int = 0
    answers: bool = False
    wanted: bool = False


class SearchModelRow(QWidget):
    """Signals: ``download_wished(name)``; ``stop_wished(name)``; ``use_wished(folder)``."""

    download_wished = Signal(str)
    stop_wished = Signal(str)
    use_wished = Signal(str)

    def __init__(self, appearance: Appearance, model: SearchModel) -> None:
        super().__init__()
        self.model = model
        self._state = plain_label("", scale="small", tone="accent")
        self.button = TextButton(appearance, "", on_click=self._act)
        self.button.setAutoDefault(False)
        self.button.setMinimumWidth(104)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(f"Download of {model.name}")
        self.bar.hide()
        self.note = plain_label("", scale="small", tone="secondary", wrap=True)
        self.note.hide()
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(plain_label(model.name))
        words.addWidget(plain_label(model.about, scale="small", tone="secondary", wrap=True))
        words.addWidget(self.bar)
        words.addWidget(self.note)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 8, 0, 8)
        row.setSpacing(14)
        row.addLayout(words, 1)
        row.addWidget(self._state)
        row.addWidget(self.button, alignment=Qt.AlignmentFlag.AlignVCenter)
        self._downloading = False
        self._show_state()

    def _show_state(self) -> None:
        model = self.model
        self._state.setText("Answers now" if model.answers else "Will answer" if model.wanted else "")
        self._state.setVisible(bool(self._state.text()))
        here = model.folder is not None
        self.button.setText("Stop" if self._downloading else "Use" if here else "Download")
        self.button.setAccessibleName(f"{self.button.text()} {model.name}")
        self.button.setVisible(not model.answers or self._downloading)

    def show_download(self, present: int) -> None:
        """So many bytes are here. Sizes in the catalogue are rounded, so a full bar can still wait for its checks."""
        self._downloading = True
        total = self.model.megabytes * 1_000_000
        self.bar.setRange(0, STEPS)
        self.bar.setValue(round(STEPS * min(1.0, present / total)) if total else 0)
        self.bar.show()
        self.note.setText(f"{present / 1e6:,.0f} of about {self.model.megabytes:,} MB; every file is checked")
        self.note.show()
        self._show_state()

    def show_end(self, note: str) -> None:
        """The download has ended, as the words say."""
        self._downloading = False
        self.bar.hide()
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self._show_state()

    def set_busy(self, busy: bool) -> None:
        """While something is rebuilt no other model can be chosen, but one can be downloaded."""
        self.button.setEnabled(self._downloading or self.model.folder is None or not busy)

    def _act(self) -> None:
        if self._downloading:
            self.button.setEnabled(False)
            self.stop_wished.emit(self.model.name)
        elif self.model.folder is None:
            self.download_wished.emit(self.model.name)
        else:
            self.use_wished.emit(self.model.folder)
