"""The chat in the middle of the window: messages, or an invitation, and the composer."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.domain.citations import Citation, Support
from app.gui.models.message_list_model import MessageEntry, MessageListModel
from app.gui.support_marks import legend
from app.gui.theme import Appearance
from app.gui.typesetting import Typesetting
from app.gui.widgets.basics import ElidedLabel, IconButton
from app.gui.widgets.composer import Composer
from app.gui.widgets.empty_chat import EmptyChat
from app.gui.widgets.footnote_card import FootnoteCard
from app.gui.widgets.message_list_view import COLUMN_WIDTH, SIDE_MARGIN, MessageListView
from app.gui.widgets.message_widget import MessageWidget
from app.gui.widgets.message_widgets import make_message_widget


class ChatPanel(QWidget):
    """Signals: those of the messages (``footnote_activated(message_id, number)``, ``link_activated(target)``,
    ``copy_wished(message_id)``, ``regenerate_wished(message_id)``, ``judged(message_id, judgement)``,
    ``why_wished(message_id)``,
    ``tool_answered(message_id, call_id, allowed, always)``, ``stop_wished``,
    ``copy_with_sources_wished(message_id)``, ``continue_wished(message_id)``,
    ``edited(message_id, text)``, ``branch_wished(message_id)``, ``attached_opened(file)``);
    ``came_near(entry)`` when a message comes near the view;
    ``sidebar_wished`` and ``library_wished`` for the panels on either side.
    """

    footnote_activated = Signal(int, int)
    link_activated = Signal(str)
    copy_wished = Signal(int)
    regenerate_wished = Signal(int)
    judged = Signal(int, str)
    why_wished = Signal(int)
    tool_answered = Signal(int, str, bool, bool)
    stop_wished = Signal()
    copy_with_sources_wished = Signal(int)
    continue_wished = Signal(int)
    edited = Signal(int, str)
    branch_wished = Signal(int)
    attached_opened = Signal(object)
    came_near = Signal(object)
    sidebar_wished = Signal()
    library_wished = Signal()

    def __init__(self, appearance: Appearance, model: MessageListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._appearance = appearance
        self._model = model
        self._card: FootnoteCard | None = None
        self.typesetting = Typesetting()
        self.title = ElidedLabel("", scale="heading")
        self.messages = MessageListView(model, self._make_message)
        self.invitation = EmptyChat(appearance)
        self.composer = Composer(appearance)
        self._supports: set[Support] = set()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.invitation)
        self._pages.addWidget(self.messages)
        self._latest = IconButton(appearance, "arrow-down", "Go to the newest message", on_click=self._go_to_latest)
        self._latest.setProperty("kind", "floating")
        self._latest.setParent(self)
        self._latest.setFixedSize(QSize(34, 34))
        self._latest.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_header())
        column.addWidget(self._pages, 1)
        column.addWidget(self._make_foot())
        self.messages.at_bottom_changed.connect(self._on_at_bottom_changed)
        for signal in (model.modelReset, model.rowsInserted, model.rowsRemoved):
            signal.connect(self._show_page)
        model.dataChanged.connect(self._on_data_changed)

    def _make_header(self) -> QWidget:
        header = QWidget()
        header.setFixedHeight(52)
        row = QHBoxLayout(header)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        self.sidebar_button = IconButton(
            self._appearance, "sidebar", "Show or hide the chats", shortcut="Ctrl+B", on_click=self.sidebar_wished.emit
        )
        self.library_button = IconButton(
            self._appearance,
            "sidebar-right",
            "Show or hide the library",
            shortcut="Ctrl+Shift+B",
            on_click=self.library_wished.emit,
        )
        row.addWidget(self.sidebar_button)
        row.addWidget(self.title, 1)
        row.addWidget(self.library_button)
        return header

    def _make_foot(self) -> QWidget:
        foot = QWidget()
        column = QVBoxLayout(foot)
        column.setContentsMargins(SIDE_MARGIN, 0, SIDE_MARGIN, 12)
        column.setSpacing(7)
        row = QHBoxLayout()
        row.addStretch(1)
        self.composer.setMaximumWidth(COLUMN_WIDTH)
        row.addWidget(self.composer, 1000)
        row.addStretch(1)
        column.addLayout(row)
        self.legend = ElidedLabel("", scale="small", tone="tertiary")
        self.legend.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.legend)
        return foot

    def _make_message(self, entry: MessageEntry, parent: QWidget) -> MessageWidget:
        widget = make_message_widget(self._appearance, entry, parent, typesetting=self.typesetting)
        widget.footnote_activated.connect(self.footnote_activated)
        widget.footnote_hovered.connect(self._on_footnote_hovered)
        widget.footnote_left.connect(self.hide_card)
        widget.link_activated.connect(self.link_activated)
        widget.copy_wished.connect(self.copy_wished)
        widget.regenerate_wished.connect(self.regenerate_wished)
        widget.judged.connect(self.judged)
        widget.why_wished.connect(self.why_wished)
        widget.tool_answered.connect(self.tool_answered)
        widget.stop_wished.connect(self.stop_wished)
        widget.copy_with_sources_wished.connect(self.copy_with_sources_wished)
        widget.continue_wished.connect(self.continue_wished)
        widget.edited.connect(self.edited)
        widget.branch_wished.connect(self.branch_wished)
        widget.attached_opened.connect(self.attached_opened)
        self.came_near.emit(entry)
        return widget

    @property
    def card(self) -> FootnoteCard | None:
        """The card beside the footnote under the pointer, once there was one."""
        return self._card

    def citation(self, message_id: int, number: int) -> Citation | None:
        """The citation behind a footnote."""
        row = self._model.row_of(message_id)
        if row is None:
            return None
        return next((each for each in self._model.entry(row).citations if each.number == number), None)

    def hide_card(self) -> None:
        """Take the footnote's card away."""
        if self._card is not None:
            self._card.dismiss()

    def _on_footnote_hovered(self, message_id: int, number: int, marker: QRect) -> None:
        citation = self.citation(message_id, number)
        if citation is None:
            return
        if self._card is None:
            self._card = FootnoteCard(self._appearance, self.window())
        self._card.announce(citation, marker)

    def _go_to_latest(self) -> None:
        self.messages.scroll_to_bottom()
        self._latest.hide()

    def _on_at_bottom_changed(self, at_bottom: bool) -> None:
        self._latest.setVisible(not at_bottom)
        self.hide_card()

    def _show_page(self) -> None:
        has_messages = self._model.rowCount() > 0
        self._pages.setCurrentWidget(self.messages if has_messages else self.invitation)
        if not has_messages:
            self._latest.hide()
        self._supports.clear()
        self._add_to_legend(self._model.entries)

    def _on_data_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        self._add_to_legend(self._model.entry(row) for row in range(first.row(), last.row() + 1))

    def _add_to_legend(self, entries: Iterable[MessageEntry]) -> None:
        self._supports.update(sentence.support for entry in entries for sentence in entry.sentences)
        self.legend.set_full_text(legend(self._supports))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        bottom = self._pages.geometry().bottom()
        self._latest.move((self.width() - self._latest.width()) // 2, bottom - self._latest.height() - 10)
        self._latest.raise_()
