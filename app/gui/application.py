"""Running the window program."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt

from app.domain.errors import BadInputError
from app.gui.desktop import Desktop
from app.gui.early_window import Early, has_display, make_application
from app.gui.ports import Services
from app.gui.unix_signals import QuitOnSignal
from app.gui.widgets.main_window import MainWindow
from app.settings.paths import AppPaths

log = logging.getLogger(__name__)


def run_gui(
    paths: AppPaths, argv: Sequence[str] = (), *, sample: Path | None = None, early: Early | None = None
) -> int:
    """Open the window and run until it is closed. Returns the exit status.

    ``sample`` is a folder to read at the first start. ``argv`` are arguments for Qt. ``early`` is a window that
    is on the screen already. Raises ``BadInputError`` where there is no display.
    """
    if not has_display(os.environ):
        raise BadInputError("There is no display to open a window on. `footnote --help` lists what works without one.")

    def build() -> Services:
        # Imported here, on a worker thread, because the databases' libraries take longer to load than the window.
        import app.gui.single_window  # noqa: F401  loads Qt's network classes, for `listen`
        from app.bootstrap import Services as AllServices

        return AllServices(paths, writer=True)

    if early is not None and not early.window.isVisible():
        return 0  # the user closed it before there was anything in it, or it is open already
    application = early.application if early else make_application(argv)
    desktop = Desktop(application, paths, build, sample=sample, window=early.window if early else None)
    desktop.crashes.install()
    once = Qt.ConnectionType.SingleShotConnection
    desktop.library_opened.connect(lambda: _listen(paths, desktop.window), once)
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


def _listen(paths: AppPaths, window: MainWindow) -> None:
    """Let a later start find this window as long as it is open."""
    from app.gui.single_window import LaterStarts

    later = LaterStarts(paths, window)
    if later.listen():
        window.closed.connect(later.close)


def _leave_at_once(status: int) -> None:
    """A thread is inside something that can't be cancelled; what is stored is safe, so don't wait for it."""
    log.warning("some work did not end in time; leaving without it")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
