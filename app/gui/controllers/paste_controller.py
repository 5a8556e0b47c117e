"""Pictures and long texts that are pasted or dropped into the composer become files."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.gui.jobs import JobRunner
from app.gui.widgets.question_edit import QuestionEdit
from app.gui.widgets.toast import Toast

PASTED_TEXT = "Pasted text {}.txt"
PASTED_IMAGE = "Pasted image {}.png"


class PasteController(QObject):
    """Files live in ``folder``. Signals: ``kept(path)`` once one is written."""

    kept = Signal(object)

    def __init__(
        self, runner: JobRunner, edit: QuestionEdit, toast: Toast, folder: Path, on_bug: Callable[[Exception], None]
    ) -> None:
        super().__init__()
        self._runner = runner
        self._toast = toast
        self._folder = folder
        self._on_bug = on_bug
        edit.image_pasted.connect(self.keep_image)
        edit.long_text_pasted.connect(self.keep_text)

    def keep_text(self, text: str) -> None:
        """Write a text file."""
        self._keep(PASTED_TEXT, lambda path: path.write_text(text, encoding="utf-8", errors="replace"))

    def keep_image(self, image: QImage) -> None:
        """Write a picture."""

        def write(path: Path) -> None:
            if not image.save(str(path)):
                raise OSError(f"{path} can't be written")

        self._keep(PASTED_IMAGE, write)

    def _keep(self, name: str, write: Callable[[Path], object]) -> None:
        stamp = time.strftime("%Y-%m-%d %H.%M.%S")

        def keep() -> Path:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = _free(self._folder / name.format(stamp))
            write(path)
            return path

        self._runner.run(keep, self.kept.emit, self._on_not_kept)

    def _on_not_kept(self, error: Exception) -> None:
        if isinstance(error, OSError):
            self._toast.say("What you pasted could not be saved. Is the disk full?")
        else:
            self._on_bug(error)


def _free(path: Path) -> Path:
    """That name, or one like it where there is such a file: two pastes in one second are two files."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_stem(f"{path.stem} ({number})")
    return candidate
