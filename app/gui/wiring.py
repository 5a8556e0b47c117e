"""What every part of the window is wired with. Each part has a file of its own: ``wiring_<part>.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.gui.jobs import JobRunner
from app.gui.models.document_list_model import DocumentListModel
from app.gui.models.folder_list_model import FolderListModel
from app.gui.models.message_list_model import MessageListModel
from app.gui.models.session_list_model import SessionListModel
from app.gui.ports import Services
from app.gui.theme import Appearance
from app.gui.widgets.main_window import MainWindow
from app.gui.window_state import WindowState

Shortcut = tuple[str, str, Callable[[], object]]  # the keys, several separated by " | "; what they do; the handler


@dataclass(frozen=True, slots=True)
class Stage:
    """The window, its models and the way to work in the background.

    ``on_unhandled`` takes an error that nobody waited for, on the GUI thread.
    """

    runner: JobRunner
    appearance: Appearance
    state: WindowState
    window: MainWindow
    session_list: SessionListModel
    messages: MessageListModel
    documents: DocumentListModel
    folder_list: FolderListModel
    on_unhandled: Callable[[Exception], None]


class Wiring(Protocol):
    """A part of the window, connected."""

    def attach(self, services: Services) -> None:
        """The services are there."""
        ...

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        ...
