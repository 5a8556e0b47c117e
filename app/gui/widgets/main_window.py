"""The window: chats on the left, the conversation in the middle, library and sources on the right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeySequence,
    QPaintEvent,
)
from PySide6.QtWidgets import QMainWindow, QSplitter

from app.gui.external import page_link
from app.gui.icons import application_icon
from app.gui.models.document_list_model import DocumentListModel
from app.gui.models.folder_list_model import FolderListModel
from app.gui.models.message_list_model import MessageListModel
from app.gui.models.session_list_model import SessionListModel
from app.gui.theme import Appearance
from app.gui.widgets.chat_panel import ChatPanel
from app.gui.widgets.drop_overlay import DropOverlay
from app.gui.widgets.right_panel import RightPanel
from app.gui.widgets.session_panel import SessionPanel
from app.gui.widgets.toast import Toast
from app.gui.window_state import WindowState

SIDEBAR_WIDTH, LIBRARY_WIDTH, SOURCE_WIDTH = 248, 330, 560
NARROWEST_CHAT = 400
SESSIONS_HIDDEN, RIGHT_HIDDEN = "sessions_hidden", "right_hidden"
FIRST_SIZE = (1320, 840)


class MainWindow(QMainWindow):
    """Holds the panels, takes drops, knows the shortcuts. It calls no service.

    Signals: ``first_painted`` once the user can see the window; ``paths_dropped(list of paths)``;
    ``pages_dropped(list of web addresses)``; ``closed``.
    """

    first_painted = Signal()
    paths_dropped = Signal(list)
    pages_dropped = Signal(list)
    closed = Signal()

    def __init__(
        self,
        appearance: Appearance,
        state: WindowState,
        sessions: SessionListModel,
        messages: MessageListModel,
        documents: DocumentListModel,
        folders: FolderListModel,
    ) -> None:
        super().__init__()
        self._appearance = appearance
        self._state = state
        self._painted = False
        self._right_page = False
        self._right_widths = {False: LIBRARY_WIDTH, True: SOURCE_WIDTH}
        self.setWindowTitle("Footnote")
        self.setWindowIcon(application_icon())
        self.setAcceptDrops(True)
        self.setMinimumSize(720, 480)
        self.sessions = SessionPanel(appearance, sessions)
        self.chat = ChatPanel(appearance, messages)
        self.right = RightPanel(appearance, documents, folders)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for panel in (self.sessions, self.chat, self.right):
            self.splitter.addWidget(panel)
        self.sessions.setMinimumWidth(190)
        self.chat.setMinimumWidth(NARROWEST_CHAT)
        self.right.setMinimumWidth(280)
        for position, stretch in enumerate((0, 1, 0)):
            self.splitter.setStretchFactor(position, stretch)
        self.setCentralWidget(self.splitter)
        self.toast = Toast(appearance, self, self.chat)
        self.overlay = DropOverlay(appearance, self)
        self.chat.sidebar_wished.connect(self.toggle_sessions)
        self.chat.library_wished.connect(self.toggle_right)
        self.right.close_wished.connect(self.toggle_right)
        self.right.page_changed.connect(self._on_right_page_changed)
        self._restore()

    # -- panels ----------------------------------------------------------------------------------------------------

    def toggle_sessions(self) -> None:
        """Show or hide the chats."""
        self.sessions.setVisible(self.sessions.isHidden())

    def toggle_right(self) -> None:
        """Show or hide library and sources."""
        self.right.setVisible(self.right.isHidden())

    def show_source(self) -> None:
        """Bring the source viewer to the front, wide enough to read."""
        self.right.show()
        self.right.show_source()

    def show_library(self) -> None:
        """Bring the library to the front."""
        self.right.show()
        self.right.show_library()

    def _on_right_page_changed(self, shows_source: bool) -> None:
        """Library and source each keep the width they were given."""
        sizes = self.splitter.sizes()
        if self.right.isHidden() or not sizes[2]:
            return
        if self._right_page is not shows_source:
            self._right_widths[self._right_page] = sizes[2]
            self._right_page = shows_source
        wanted = min(self._right_widths[shows_source], sum(sizes[1:]) - NARROWEST_CHAT)
        self.splitter.setSizes([sizes[0], sizes[1] + sizes[2] - wanted, wanted])

    # -- shortcuts -------------------------------------------------------------------------------------------------

    def add_shortcut(self, keys: str, text: str, handler: Callable[[], object]) -> QAction:
        """A keyboard shortcut of the window. ``keys`` may be several, separated by ``, ``."""
        action = QAction(text, self)
        action.setShortcuts([QKeySequence(each) for each in keys.split(" | ")])
        action.triggered.connect(lambda _checked=False: handler())
        self.addAction(action)
        return action

    def shortcuts(self) -> list[tuple[str, str]]:
        """Keys and what they do, for the dialog that lists them."""
        native = QKeySequence.SequenceFormat.NativeText
        listed = [(action.shortcut().toString(native), action.text()) for action in self.actions()]
        return [("Enter", "Send the question"), ("Shift+Enter", "New line in the question"), *listed]

    # -- dropping --------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _paths(event.mimeData()) or _pages(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.overlay.cover()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self.overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.overlay.hide()
        paths, pages = _paths(event.mimeData()), _pages(event.mimeData())
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        # What a drop sets off may tear down widgets, which Qt does not survive inside the event.
        if paths:
            QTimer.singleShot(0, self, lambda: self.paths_dropped.emit(paths))
        if pages:
            QTimer.singleShot(0, self, lambda: self.pages_dropped.emit(pages))

    # -- state -----------------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        if not self.restoreGeometry(self._state.bytes("geometry")):
            self.resize(*FIRST_SIZE)
        if not self.splitter.restoreState(self._state.bytes("splitter")):
            width = self.width()
            middle = max(NARROWEST_CHAT, width - SIDEBAR_WIDTH - LIBRARY_WIDTH)
            self.splitter.setSizes([SIDEBAR_WIDTH, middle, LIBRARY_WIDTH])
        self.sessions.setHidden(self._state.flag(SESSIONS_HIDDEN))
        self.right.setHidden(self._state.flag(RIGHT_HIDDEN))

    def save_state(self) -> None:
        """Remember size and panels."""
        if self.right.shows_source and not self.right.isHidden():
            self.right.show_library()  # the library's width is what the next start begins with
        self._state.set_flag(SESSIONS_HIDDEN, self.sessions.isHidden())
        self._state.set_flag(RIGHT_HIDDEN, self.right.isHidden())
        self._state.set_bytes("geometry", self.saveGeometry())
        self._state.set_bytes("splitter", self.splitter.saveState())
        self._state.save()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self.first_painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.save_state()
        event.accept()
        self.closed.emit()


def _paths(data: QMimeData) -> list[Path]:
    """The local files and folders among what is dragged. Only names are looked at, never the disk."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile() and url.toLocalFile()]


def _pages(data: QMimeData) -> list[str]:
    """The web addresses among what is dragged, such as a tab or a link of a browser."""
    if not data.hasUrls():
        return []
    links = (url.toString(QUrl.ComponentFormattingOption.FullyEncoded) for url in data.urls())
    return list(dict.fromkeys(page for link in links if (page := page_link(link))))
