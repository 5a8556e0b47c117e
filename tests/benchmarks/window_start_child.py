"""Starts a window and prints when things happened: ``python -m tests.benchmarks.window_start_child WHAT``.

Times are Unix times. WHAT is ``empty`` (a bare window of the toolkit) or ``program`` (Footnote). ``painted`` is printed
once the window has been painted; then, for the program, a key is typed into the window, and ``typed`` is printed once
the letter is in the composer.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow


class FirstPaint(QObject):
    """Tells when a main window has been painted, and then stops watching."""

    def __init__(self, application: QApplication, then: Callable[[QMainWindow], None]) -> None:
        super().__init__()
        self._application = application
        self._then = then
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and isinstance(watched, QMainWindow):
            self._application.removeEventFilter(self)
            QTimer.singleShot(0, lambda: self._tell(watched))
        return False

    def _tell(self, window: QMainWindow) -> None:
        print("painted", time.time(), flush=True)
        self._then(window)


def leave(_window: QMainWindow) -> None:
    """End at once."""
    os._exit(0)


def type_a_letter(window: QMainWindow) -> None:
    """Type into the window as soon as it is on the screen, and wait until the composer has the letter."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QKeyEvent

    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.postEvent(
            window.windowHandle(), QKeyEvent(kind, Qt.Key.Key_W, Qt.KeyboardModifier.NoModifier, "w")
        )
    look = QTimer(window, interval=1)

    def look_into_composer() -> None:
        chat = getattr(window, "chat", None)
        if chat is not None and chat.composer.edit.toPlainText():
            window.repaint()
            print("typed", time.time(), flush=True)
            os._exit(0)

    look.timeout.connect(look_into_composer)
    look.start()


def main(what: str) -> None:
    """Start that window."""
    if what == "empty":
        application = QApplication([])
        watch = FirstPaint(application, leave)
        window = QMainWindow()
        window.resize(1320, 840)
        window.show()
        application.exec()
        del watch
        return
    from app.gui import early_window

    make = early_window.make_application
    watches: list[FirstPaint] = []

    def make_watched() -> QApplication:
        application = make()
        watches.append(FirstPaint(application, type_a_letter))
        return application

    early_window.make_application = make_watched  # type: ignore[assignment]  # only where this process looks
    from app.__main__ import main as start

    start([])


if __name__ == "__main__":
    main(sys.argv[1])
