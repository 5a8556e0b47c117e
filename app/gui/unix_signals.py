"""Quitting in good order on SIGINT and SIGTERM."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class QuitOnSignal(QObject):
    """Calls ``quit_program`` on the GUI thread when the operating system asks the program to end.

    Python runs signal handlers only between its own instructions, which an idle event loop of Qt never reaches; a
    socket that Python writes to wakes the loop.
    """

    def __init__(self, quit_program: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._quit = quit_program
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_readable)
        self._wakeup_before = signal.set_wakeup_fd(self._writer.fileno())
        self._before = [signal.signal(each, self._on_signal) for each in SIGNALS]

    def close(self) -> None:
        """Put the handlers of before back."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._wakeup_before)
        for each, handler in zip(SIGNALS, self._before, strict=True):
            signal.signal(each, handler)
        self._reader.close()
        self._writer.close()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """The byte that Python writes to the socket does the rest."""

    def _on_readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(64)
        self._quit()
