"""One window over one library: a later start brings the window that is open to the front.

The open window listens on a local socket (on Windows a named pipe) that only its user may open. Its name is made from
the library's folder, so that every profile has a window of its own.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Qt
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QWidget

from app.settings.paths import AppPaths

PATIENCE_MILLISECONDS = 1_000
LONGEST_SOCKET = 100  # the system takes 107 characters, less where names are longer in bytes
_GREETING = b"shown\n"


def socket_name(paths: AppPaths) -> str:
    """Where the window over this library listens: a place that only this user may write to, where there is one."""
    digest = hashlib.sha256(str(paths.data).encode("utf-8", "surrogateescape")).hexdigest()[:20]
    if sys.platform.startswith("linux") and not os.environ.get("XDG_RUNTIME_DIR"):
        own = str(paths.data / "window")  # where Qt would make up a folder, and complain
        return own if len(own) <= LONGEST_SOCKET else f"footnote-{digest}"
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.RuntimeLocation)
    return str(Path(folder) / f"footnote-{digest}") if folder else f"footnote-{digest}"


def show_open_window(paths: AppPaths, patience: int = PATIENCE_MILLISECONDS) -> bool:
    """Bring the window over this library to the front. False if none answers within ``patience`` milliseconds.

    Blocks. Needs an application object.
    """
    socket = QLocalSocket()
    socket.connectToServer(socket_name(paths))
    answered = socket.waitForConnected(patience) and socket.waitForReadyRead(patience)
    answered = answered and bytes(socket.readAll().data()) == _GREETING
    socket.abort()
    return answered


class LaterStarts(QObject):
    """Listens for later starts while the window is open; each brings it to the front."""

    def __init__(self, paths: AppPaths, window: QWidget) -> None:
        super().__init__(window)
        self._name = socket_name(paths)
        self._window = window
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_start)

    def listen(self) -> bool:
        """Begin to listen; only the owner of the library may. What a killed program left there is taken away.

        False where it can't be done; then a later start says that the library is in use.
        """
        return self._server.listen(self._name) or (
            QLocalServer.removeServer(self._name) and self._server.listen(self._name)
        )

    def close(self) -> None:
        """Listen no longer."""
        self._server.close()

    def _on_start(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.disconnected.connect(socket.deleteLater)
            socket.write(_GREETING)
            socket.flush()
        bring_to_front(self._window)


def bring_to_front(window: QWidget) -> None:
    """Show a window above the others, also one that was minimised."""
    window.setWindowState((window.windowState() & ~Qt.WindowState.WindowMinimized) | Qt.WindowState.WindowActive)
    window.show()
    window.raise_()
    window.activateWindow()
