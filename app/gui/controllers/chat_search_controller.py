"""Search over all chats while the user types, and the way to what was found."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QObject, QTimer

from app.domain.chat_transfer import ChatHit
from app.domain.turns import SessionRecord, StoredMessage
from app.gui.controllers.session_controller import SessionController
from app.gui.hit_marks import mark_words
from app.gui.jobs import JobRunner
from app.gui.models.chat_hit_model import ChatHitModel
from app.gui.models.message_list_model import MessageListModel
from app.gui.models.session_list_model import SessionListModel
from app.gui.ports import Services
from app.gui.theme import Appearance
from app.gui.widgets.message_list_view import MessageListView
from app.gui.widgets.message_widget import MessageWidget
from app.gui.widgets.session_panel import SessionPanel

PAUSE_MILLISECONDS = 120
MOST_CHATS, MOST_HITS = 20, 100


class ChatSearchController(QObject):
    """The newest words win. A hit opens its chat at its branch, brings the message into view and marks the words."""

    def __init__(
        self,
        runner: JobRunner,
        appearance: Appearance,
        panel: SessionPanel,
        session_list: SessionListModel,
        sessions: SessionController,
        messages: MessageListModel,
        view: MessageListView,
    ) -> None:
        super().__init__()
        self._runner = runner
        self._appearance = appearance
        self._panel = panel
        self._list = session_list
        self._sessions = sessions
        self._messages = messages
        self._view = view
        self._services: Services | None = None
        self._marked: tuple[int, str] = (0, "")
        self._wanted: ChatHit | None = None
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MILLISECONDS)
        self._pause.timeout.connect(self._search)
        panel.search_wished.connect(self._on_typed)
        panel.hit_chosen.connect(self.open)
        sessions.completed.connect(self._on_completed)
        view.widget_made.connect(self._mark)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services
        if self._panel.search.text().strip():
            self._search()

    def open(self, index: QModelIndex) -> None:
        """Go to what was found."""
        hit: ChatHit | None = index.data(ChatHitModel.HitRole)
        session_id: str = index.data(ChatHitModel.SessionRole)
        self._list.reveal(session_id)
        services = self._services
        if hit is None or services is None:
            self._sessions.open(session_id)
            return
        self._wanted = hit
        self._marked = (hit.message_id, self._panel.search.text())

        def branch() -> Sequence[StoredMessage]:
            shown = services.sessions.messages(session_id)
            return (
                shown
                if any(each.id == hit.message_id for each in shown)
                else services.sessions.show_branch(hit.message_id)
            )

        if session_id == self._sessions.current and self._messages.row_of(hit.message_id) is not None:
            self._on_completed(session_id)
        else:
            self._runner.run(branch, lambda _shown: self._sessions.reopen(session_id), group="open-hit")

    def _on_typed(self, text: str) -> None:
        if text.strip():
            self._pause.start()
        else:
            self._pause.stop()
            self._unmark()

    def _search(self) -> None:
        services = self._services
        text = self._panel.search.text()
        if services is None or not text.strip():
            return
        self._runner.run(
            lambda: services.sessions.search(text, MOST_HITS), lambda hits: self._show(text, hits), group="chat-search"
        )

    def _show(self, text: str, hits: Sequence[ChatHit]) -> None:
        if text != self._panel.search.text():
            return
        chats = self._fitting(text)
        self._panel.hits.show(chats, hits)
        self._panel.show_hits(found_nothing=not (chats or hits))

    def _fitting(self, text: str) -> list[SessionRecord]:
        """Chats whose title or folder holds every word, or that have every #tag."""
        words = text.casefold().split()
        return [record for record in self._list.records if all(_fits(record, word) for word in words)][:MOST_CHATS]

    def _on_completed(self, session_id: str) -> None:
        hit = self._wanted
        if hit is None or hit.session_id != session_id:
            return
        self._wanted = None
        row = self._messages.row_of(hit.message_id)
        if row is not None:
            self._view.show_message(row)
            widget = self._view.widget_at(row)
            if widget is not None:
                self._mark(widget)

    def _mark(self, widget: MessageWidget) -> None:
        message_id, words = self._marked
        if message_id and widget.entry.id == message_id:
            mark_words(widget, words, self._appearance.theme)

    def _unmark(self) -> None:
        message_id, self._marked = self._marked[0], (0, "")
        row = self._messages.row_of(message_id) if message_id else None
        widget = None if row is None else self._view.widget_at(row)
        if widget is not None:
            mark_words(widget, "", self._appearance.theme)


def _fits(record: SessionRecord, word: str) -> bool:
    if word.startswith("#") and len(word) > 1:
        return any(tag.casefold().startswith(word[1:]) for tag in record.tags)
    return word in f"{record.title} {record.folder}".casefold()
