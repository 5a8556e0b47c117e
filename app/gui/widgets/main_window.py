"""The window: chats on the left, the conversation in the middle, library and sources on the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from app.gui.widgets.window_frame import LIBRARY_WIDTH, SIDEBAR_WIDTH, WindowFrame

if TYPE_CHECKING:
    from PySide6.QtGui import QAction, QCloseEvent

    from app.gui.models.document_list_model import DocumentListModel
    from app.gui.models.folder_list_model import FolderListModel
    from app.gui.models.message_list_model import MessageListModel
    from app.gui.models.session_list_model import SessionListModel
    from app.gui.theme import Appearance

SOURCE_WIDTH = 560
NARROWEST_CHAT = 400
SESSIONS_HIDDEN, RIGHT_HIDDEN = "sessions_hidden", "right_hidden"


class MainWindow(WindowFrame):
    """Holds the panels, takes drops, knows the shortcuts. It calls no service.

    It is shown empty at first; ``fill`` puts the panels in. Importing this file is cheap; what ``fill`` imports is
    not.

    Signals: ``paths_dropped(list of paths)``; ``pages_dropped(list of web addresses)``; ``closed``.
    """

    paths_dropped = Signal(list)
    pages_dropped = Signal(list)
    closed = Signal()

    def fill(
        self,
        appearance: Appearance,
        sessions: SessionListModel,
        messages: MessageListModel,
        documents: DocumentListModel,
        folders: FolderListModel,
    ) -> None:
        """Make the panels. Called once."""
        from app.gui.widgets.chat_panel import ChatPanel
        from app.gui.widgets.drop_overlay import DropOverlay
        from app.gui.widgets.dropped import DropTarget
        from app.gui.widgets.right_panel import RightPanel
        from app.gui.widgets.session_panel import SessionPanel
        from app.gui.widgets.toast import Toast

        self._right_page = False
        self._right_widths = {False: LIBRARY_WIDTH, True: SOURCE_WIDTH}
        self.sessions = SessionPanel(appearance, sessions)
        self.chat = ChatPanel(appearance, messages)
        self.right = RightPanel(appearance, documents, folders)
        self._split()
        self.toast = Toast(appearance, self, self.chat.composer)
        self.overlay = DropOverlay(appearance, self)
        drops = DropTarget(self, self.overlay)
        drops.paths_dropped.connect(self.paths_dropped)
        drops.pages_dropped.connect(self.pages_dropped)
        self.chat.sidebar_wished.connect(self.toggle_sessions)
        self.chat.library_wished.connect(self.toggle_right)
        self.right.close_wished.connect(self.toggle_right)
        self.right.page_changed.connect(self._on_right_page_changed)

    def _split(self) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtWidgets import QSplitter

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
        if not self.splitter.restoreState(self._state.bytes("splitter")):
            middle = max(NARROWEST_CHAT, self.width() - SIDEBAR_WIDTH - LIBRARY_WIDTH)
            self.splitter.setSizes([SIDEBAR_WIDTH, middle, LIBRARY_WIDTH])
        self.sessions.setHidden(self._state.flag(SESSIONS_HIDDEN))
        self.right.setHidden(self._state.flag(RIGHT_HIDDEN))
        self.setCentralWidget(self.splitter)

    # -- panels ----------------------------------------------------------------------------------------------------

    def toggle_sessions(self) -> None:
        """Show or hide the chats."""
        self.sessions.setVisible(self.sessions.isHidden())
        self._state.set_flag(SESSIONS_HIDDEN, self.sessions.isHidden())  # at once: a killed program saves nothing

    def toggle_right(self) -> None:
        """Show or hide library and sources."""
        self.right.setVisible(self.right.isHidden())
        self._state.set_flag(RIGHT_HIDDEN, self.right.isHidden())

    def show_source(self) -> None:
        """Bring the source viewer to the front, wide enough to read."""
        self.right.show()
        self.right.show_source()

    def show_answer(self) -> None:
        """Bring what an answer rests on to the front, wide enough to read."""
        self.right.show()
        self.right.show_answer()

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
        from PySide6.QtGui import QAction, QKeySequence

        action = QAction(text, self)
        action.setShortcuts([QKeySequence(each) for each in keys.split(" | ")])
        action.triggered.connect(lambda _checked=False: handler())
        self.addAction(action)
        return action

    def shortcuts(self) -> list[tuple[str, str]]:
        """Keys and what they do, for the dialog that lists them."""
        from PySide6.QtGui import QKeySequence

        native = QKeySequence.SequenceFormat.NativeText
        listed = [(action.shortcut().toString(native), action.text()) for action in self.actions()]
        return [("Enter", "Send the question"), ("Shift+Enter", "New line in the question"), *listed]

    # -- state -----------------------------------------------------------------------------------------------------

    def save_state(self) -> None:
        """Remember size and panels."""
        if self.centralWidget() is not None:
            self._save_panels()
        self._state.set_bytes("geometry", self.saveGeometry())
        self._state.save()

    def _save_panels(self) -> None:
        if self.right.shows_source and not self.right.isHidden():
            self.right.show_library()  # the library's width is what the next start begins with
        self._state.set_flag(SESSIONS_HIDDEN, self.sessions.isHidden())
        self._state.set_flag(RIGHT_HIDDEN, self.right.isHidden())
        self._state.set_bytes("splitter", self.splitter.saveState())
        left, _, right = self.splitter.sizes()
        self._state.panes = (left, right)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.save_state()
        event.accept()
        self.closed.emit()
