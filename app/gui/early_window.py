"""The window on the screen before the program behind it is even imported.

Importing and building the panels takes several times as long as showing an empty window. So the frame is painted
first; keys that are typed meanwhile wait in the event queue and reach the composer.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from app.gui.colors import load_theme, wanted_theme
from app.gui.widgets.main_window import MainWindow
from app.gui.window_state import WindowState
from app.settings.resources import resource
from app.storage.library_lock import LibraryLock

if TYPE_CHECKING:
    from app.settings.paths import AppPaths

STATE_FILE = "window.ini"
DISPLAY_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def has_display(environ: Mapping[str, str]) -> bool:
    """Whether there is something to open a window on. Without it Qt would abort the process."""
    return not sys.platform.startswith("linux") or any(environ.get(name) for name in DISPLAY_VARIABLES)


def make_application(argv: Sequence[str] = ()) -> QApplication:
    """The one ``QApplication``, named and with its icon."""
    application = QApplication([sys.argv[0], *argv])
    application.setApplicationName("Footnote")
    application.setApplicationDisplayName("Footnote")
    QGuiApplication.setDesktopFileName("footnote")
    application.setWindowIcon(QIcon(str(resource("icons", "app.svg"))))
    return application


def make_window(paths: AppPaths) -> MainWindow:
    """The empty window with the size, place and theme that it had before."""
    state = WindowState(paths.config / STATE_FILE)
    return MainWindow(state, load_theme(wanted_theme(state.theme)))


@dataclass(frozen=True, slots=True)
class Early:
    """What is there before the rest of the program."""

    application: QApplication
    window: MainWindow


def paint_window(paths: AppPaths) -> Early:
    """Make the application and its window, show it, and return once the user can see it.

    Where a window is open over this library, that one comes to the front and the new one is not shown.
    """
    application = make_application()
    window = make_window(paths)
    if LibraryLock(paths.library_lock).owner() is not None:
        from app.gui.single_window import show_open_window

        if show_open_window(paths):
            return Early(application, window)
    loop = QEventLoop()
    window.first_painted.connect(loop.quit)
    window.closed.connect(loop.quit)
    window.show()
    loop.exec()
    return Early(application, window)
