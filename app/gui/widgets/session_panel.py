"""The chats, on the left."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from app.gui.icons import application_icon
from app.gui.models.chat_hit_model import ChatHitModel
from app.gui.models.session_list_model import SessionListModel
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, TextButton, plain_label
from app.gui.widgets.session_lists import HitList, SessionList

LONGEST_QUERY = 400


class SearchField(QLineEdit):
    """Words to look for in all chats. Signals: ``down_pressed``; ``left``: the user has had enough of searching."""

    down_pressed = Signal()
    left = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "search")
        self.setPlaceholderText("Search all chats")
        self.setAccessibleName("Search all chats")
        self.setToolTip("Words of messages, titles, or a #tag (Ctrl+Shift+F)")
        self.setMaxLength(LONGEST_QUERY)
        self.setClearButtonEnabled(True)
        self._icon = self.addAction(
            appearance.icon("search", "text_tertiary", 16), QLineEdit.ActionPosition.LeadingPosition
        )
        appearance.changed.connect(lambda: self._icon.setIcon(appearance.icon("search", "text_tertiary", 16)))

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride and cast(QKeyEvent, event).key() == Qt.Key.Key_Escape:
            event.accept()  # Escape ends the search before it means anything to the window
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.down_pressed.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.left.emit()
        else:
            super().keyPressEvent(event)


class SessionPanel(QWidget):
    """Signals: ``new_wished``; ``opened(session_id)``; ``delete_wished(session_id)``; ``settings_wished``;
    ``shortcuts_wished``; ``theme_switch_wished``; ``bench_wished``; ``forget_examples_wished``;
    ``profiles_wished``; ``search_wished(text)``; ``hit_chosen(index)`` of ``hits``; ``menu_wished(index, place)`` of a
    line of the list, in global coordinates; ``import_wished``; ``export_all_wished``; ``trash_wished``.
    """

    new_wished = Signal()
    opened = Signal(str)
    delete_wished = Signal(str)
    settings_wished = Signal()
    shortcuts_wished = Signal()
    theme_switch_wished = Signal()
    bench_wished = Signal()
    forget_examples_wished = Signal()
    profiles_wished = Signal()
    search_wished = Signal(str)
    hit_chosen = Signal(QModelIndex)
    menu_wished = Signal(QModelIndex, QPoint)
    import_wished = Signal()
    export_all_wished = Signal()
    trash_wished = Signal()

    def __init__(self, appearance: Appearance, model: SessionListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", "sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._appearance = appearance
        self._model = model
        self._are_read = False
        self.hits = ChatHitModel()
        self.list = SessionList(appearance, model)
        self.hit_list = HitList(appearance, self.hits)
        self.search = SearchField(appearance)
        self.new_button = TextButton(
            appearance, "New chat", kind="sidebar", icon="new-chat", icon_color="accent", on_click=self.new_wished.emit
        )
        self.new_button.setToolTip("New chat (Ctrl+N)")
        self._hint = plain_label("Your chats will be listed here.", scale="small", tone="tertiary", wrap=True)
        self._hint.setContentsMargins(10, 0, 0, 6)
        self._lists = QStackedWidget()
        self._lists.addWidget(self.list)
        self._lists.addWidget(self.hit_list)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 0, 10, 8)
        column.setSpacing(4)
        for widget in (self._make_head(), self.new_button, self.search, self._hint, self._lists, self._make_foot()):
            column.addWidget(widget, 1 if widget is self._lists else 0)
        self._connect(model)

    def _connect(self, model: SessionListModel) -> None:
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)
        self.list.clicked.connect(self._on_current_changed)
        self.list.delete_key_pressed.connect(self._delete_current)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.search.textChanged.connect(self._on_typed)
        self.search.down_pressed.connect(self._enter_hits)
        self.search.left.connect(self.list.setFocus)
        self.hit_list.chosen.connect(self.hit_chosen)
        model.modelReset.connect(self._on_read)
        for source in (model, self.hits):
            for signal in (source.modelReset, source.rowsInserted, source.rowsRemoved):
                signal.connect(self._show_hint)
        self._show_hint()

    def _make_head(self) -> QWidget:
        head = QWidget()
        head.setFixedHeight(52)
        row = QHBoxLayout(head)
        row.setContentsMargins(8, 0, 4, 0)
        row.setSpacing(9)
        mark = QLabel()
        mark.setTextFormat(Qt.TextFormat.PlainText)
        mark.setPixmap(application_icon().pixmap(QSize(22, 22), self.devicePixelRatioF()))
        row.addWidget(mark)
        self.heading = plain_label("Footnote", scale="heading")
        row.addWidget(self.heading, 1)
        self.more_button = IconButton(self._appearance, "more", "Import, export and trash")
        self.more_button.setMenu(self._make_more())
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row.addWidget(self.more_button)
        return head

    def _make_more(self) -> QMenu:
        menu = QMenu(self)
        for text, signal in (
            ("Import chats…", self.import_wished),
            ("Export all chats…", self.export_all_wished),
            ("Trash…", self.trash_wished),
        ):
            menu.addAction(text).triggered.connect(signal)
        return menu

    def _make_foot(self) -> QWidget:
        foot = QWidget()
        row = QHBoxLayout(foot)
        row.setContentsMargins(0, 4, 0, 0)
        row.setSpacing(2)
        self.settings_button = IconButton(
            self._appearance, "settings", "Settings", shortcut="Ctrl+,", on_click=self.settings_wished.emit
        )
        self.theme_button = IconButton(
            self._appearance, "moon", "Switch between light and dark", on_click=self.theme_switch_wished.emit
        )
        self.shortcuts_button = IconButton(
            self._appearance, "keyboard", "Keyboard shortcuts", shortcut="F1", on_click=self.shortcuts_wished.emit
        )
        self.tools_button = IconButton(self._appearance, "tools", "Tools")
        self.tools_button.setMenu(self._make_tools())
        self.tools_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        for button in (self.settings_button, self.theme_button, self.shortcuts_button, self.tools_button):
            row.addWidget(button)
        row.addStretch(1)
        self._show_theme_icon()
        self._appearance.changed.connect(self._show_theme_icon)
        return foot

    def _make_tools(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Search bench…").triggered.connect(lambda _checked=False: self.bench_wished.emit())
        menu.addAction("Forget examples kept for measuring…").triggered.connect(
            lambda _checked=False: self.forget_examples_wished.emit()
        )
        menu.addAction("Profiles…").triggered.connect(lambda _checked=False: self.profiles_wished.emit())
        return menu

    def select(self, session_id: str) -> None:
        """Mark a chat as the open one without opening it again."""
        row = self._model.row_of(session_id) if session_id else None
        selection = self.list.selectionModel()
        selection.blockSignals(True)
        if row is None:
            self.list.clearSelection()
            self.list.setCurrentIndex(QModelIndex())
        else:
            self.list.setCurrentIndex(self._model.index(row))
        selection.blockSignals(False)
        self.list.viewport().update()

    def rename(self, session_id: str) -> None:
        """Let the user type another title in place."""
        row = self._model.row_of(session_id)
        if row is not None:
            self.list.edit(self._model.index(row))

    @property
    def searching(self) -> bool:
        """Whether results are shown in place of the chats."""
        return self._lists.currentWidget() is self.hit_list

    def show_hits(self, *, found_nothing: bool) -> None:
        """Show results, in ``hits``, in place of the chats."""
        self._lists.setCurrentWidget(self.hit_list)
        self._hint.setText("Nothing in your chats has these words." if found_nothing else "")
        self._show_hint()

    def show_chats(self) -> None:
        """Show the chats again."""
        self._lists.setCurrentWidget(self.list)
        self._hint.setText("Your chats will be listed here.")
        self._show_hint()

    def _on_read(self) -> None:
        """The chats are there; until then nobody knows whether there are any."""
        self._are_read = True

    def _show_hint(self) -> None:
        model = self.hits if self.searching else self._model
        self._hint.setVisible(model.rowCount() == 0 and self._are_read)

    def _on_typed(self, text: str) -> None:
        if not text.strip():
            self.show_chats()
        self.search_wished.emit(text)

    def _enter_hits(self) -> None:
        if self.searching and self.hits.rowCount():
            self.hit_list.setFocus()
            self.hit_list.setCurrentIndex(self.hits.index(0))

    def _on_current_changed(self, index: QModelIndex, _before: QModelIndex | None = None) -> None:
        session_id = index.data(SessionListModel.IdRole) if index.isValid() else None
        if session_id:
            self.opened.emit(session_id)

    def _delete_current(self) -> None:
        session_id = self.list.currentIndex().data(SessionListModel.IdRole)
        if session_id:
            self.delete_wished.emit(session_id)

    def _show_menu(self, position: QPoint) -> None:
        index = self.list.indexAt(position)
        if index.isValid():
            self.menu_wished.emit(index, self.list.viewport().mapToGlobal(position))

    def _show_theme_icon(self) -> None:
        self.theme_button.set_icon("sun" if self._appearance.theme.dark else "moon")
