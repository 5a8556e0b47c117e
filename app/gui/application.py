"""Running the window program."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.domain.errors import BadInputError
from app.gui.desktop import Desktop
from app.gui.icons import application_icon
from app.gui.ports import Services
from app.gui.unix_signals import QuitOnSignal
from app.settings.paths import AppPaths

log = logging.getLogger(__name__)

DISPLAY_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def run_gui(paths: AppPaths, argv: Sequence[str] = (), *, sample: Path | None = None) -> int:
    """Open the window and run until it is closed. Returns the exit status.

    ``sample`` is a folder to read at the first start. ``argv`` are arguments for Qt. Raises ``BadInputError`` where
    there is no display.
    """
    _require_display(os.environ)

    def build() -> Services:
        # Imported here, on a worker thread, because the databases' libraries take longer to load than the window.
        from app.bootstrap import Services as AllServices

        return AllServices(paths, writer=True)

    application = make_application(argv)
    desktop = Desktop(application, paths, build, sample=sample)
    desktop.crashes.install()
    quitter = QuitOnSignal(desktop.quit, desktop)
    desktop.show()
    status = application.exec()
    ended = desktop.close()
    quitter.close()
    desktop.crashes.remove()
    if not ended:
        _leave_at_once(status)
    desktop.window.deleteLater()
    return status


def make_application(argv: Sequence[str] = ()) -> QApplication:
    """The one ``QApplication``, named and with its icon."""
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    application = QApplication([sys.argv[0], *argv])
    application.setApplicationName("Footnote")
    application.setApplicationDisplayName("Footnote")
    application.setDesktopFileName("footnote")
    application.setWindowIcon(application_icon())
    return application


def _require_display(environ: Mapping[str, str]) -> None:
    """Without a display Qt would abort the process."""
    if sys.platform.startswith("linux") and not any(environ.get(name) for name in DISPLAY_VARIABLES):
        raise BadInputError("There is no display to open a window on. `footnote --help` lists what works without one.")


def _leave_at_once(status: int) -> None:
    """A thread is inside something that can't be cancelled; what is stored is safe, so don't wait for it."""
    log.warning("some work did not end in time; leaving without it")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
