"""What questions and answers in the chat have in common."""

from __future__ import annotations

from PySide6.QtCore import QRect, Signal
from PySide6.QtWidgets import QWidget

from app.gui.models.message_list_model import MessageEntry


class MessageWidget(QWidget):
    """What questions and answers have in common.

    Signals: ``height_changed``; ``footnote_activated(message_id, number)``;
    ``footnote_hovered(message_id, number, rectangle)`` in global coordinates; ``footnote_left``;
    ``link_activated(target)``; ``copy_wished(message_id)``; ``regenerate_wished(message_id)``;
    ``judged(message_id, judgement)``; ``why_wished(message_id)``; ``copy_with_sources_wished(message_id)``;
    ``continue_wished(message_id)``; ``edited(message_id, text)``;
    ``tool_answered(message_id, call_id, allowed, always)``; ``stop_wished``; ``attached_opened(file)``;
    ``branch_wished(message_id)`` with the id of the alternative to be shown.
    """

    height_changed = Signal()
    footnote_activated = Signal(int, int)
    footnote_hovered = Signal(int, int, QRect)
    footnote_left = Signal()
    link_activated = Signal(str)
    copy_wished = Signal(int)
    regenerate_wished = Signal(int)
    judged = Signal(int, str)
    why_wished = Signal(int)
    copy_with_sources_wished = Signal(int)
    continue_wished = Signal(int)
    edited = Signal(int, str)
    branch_wished = Signal(int)
    tool_answered = Signal(int, str, bool, bool)
    stop_wished = Signal()
    attached_opened = Signal(object)

    def __init__(self, entry: MessageEntry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entry = entry

    def measure(self, width: int) -> int:
        """The height it needs at ``width``."""
        raise NotImplementedError

    def show_entry(self, entry: MessageEntry) -> None:
        """Show what the entry says now; it may be another one than before."""
        same = entry is self.entry
        self.entry = entry
        self.refresh() if same else self.render_all()

    def refresh(self) -> None:
        """Something about the entry has changed, but no text was taken away."""
        raise NotImplementedError

    def render_all(self) -> None:
        """Show everything anew."""
        raise NotImplementedError

    def arrange(self) -> None:
        """Place the parts after the size or the content has changed."""
        raise NotImplementedError

    def append_text(self, text: str) -> None:
        """More text has arrived."""
        raise NotImplementedError
