"""What stands around the text of an answer: what is being done, how it ended, what the model thought."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.domain.turns import MessageStatus
from app.gui.models.message_list_model import MessageEntry
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconLabel, TextButton, plain_label
from app.gui.wording import counted

NOTICE_MARGINS = QMargins(12, 9, 12, 9)
NOTICE_ICON, NOTICE_GAP = 17, 9
BROKEN_OFF = frozenset({MessageStatus.FAILED, MessageStatus.STOPPED, MessageStatus.INTERRUPTED})


class Activity(QWidget):
    """What is being done while there is no text yet."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(8)
        row.addWidget(IconLabel(appearance, "search", color="text_tertiary", size=16))
        self._label = plain_label("", tone="secondary")
        row.addWidget(self._label, 1)

    def height_for(self, _width: int) -> int:
        """Its height at any width."""
        return self._label.sizeHint().height() + 8

    def show_for(self, entry: MessageEntry) -> None:
        """Show what is being done for an answer without text."""
        self.setVisible(entry.streaming and not entry.text and not entry.reasoning)
        count = entry.passage_count
        if count is None:
            self._label.setText("Searching your library…")
        else:
            self._label.setText(f"Reading {count} passages…" if count != 1 else "Reading one passage…")


class Notice(QFrame):
    """How an answer ended, where it did not end well.

    Signals: ``retry_wished``, ``continue_wished``.
    """

    retry_wished = Signal()
    continue_wished = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(NOTICE_MARGINS)
        row.setSpacing(NOTICE_GAP)
        self._icon = IconLabel(appearance, "info", size=NOTICE_ICON)
        self._label = plain_label("", wrap=True)
        self._retry = TextButton(appearance, "Try again", kind="link", on_click=self.retry_wished.emit)
        self._continue = TextButton(appearance, "Continue", kind="link", on_click=self.continue_wished.emit)
        self._buttons = QWidget()
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(2)
        buttons.addWidget(self._continue)
        buttons.addWidget(self._retry)
        row.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._label, 1)
        row.addWidget(self._buttons)

    def show_for(self, entry: MessageEntry) -> None:
        """Show how the answer ended, and what can be done about it; nothing after a good end."""
        words = notice_words(entry)
        self.setVisible(bool(words))
        broken = entry.status in BROKEN_OFF
        cut_off = entry.facts is not None and entry.facts.cut_off
        can_go_on = bool(entry.text) and entry.id > 0 and entry.notes.task is None
        self._continue.setVisible((broken or cut_off) and can_go_on)
        self._retry.setVisible(broken)
        self._buttons.setVisible(broken or cut_off)
        if words == self._label.text():
            return
        failed = entry.status is MessageStatus.FAILED
        self.setProperty("card", "danger" if failed else "sunken")
        self._icon.set_icon("warning" if failed else "info", "danger" if failed else "text_secondary")
        self._label.setText(words)
        self.style().unpolish(self)
        self.style().polish(self)

    @property
    def text(self) -> str:
        """The words."""
        return self._label.text()

    def height_for(self, width: int) -> int:
        """Its height at a width."""
        margins = NOTICE_MARGINS.left() + NOTICE_MARGINS.right() + NOTICE_ICON + NOTICE_GAP + 2
        buttons = QSize(0, 0)
        if not self._buttons.isHidden():
            buttons = self._buttons.sizeHint()
            margins += buttons.width() + NOTICE_GAP
        words = self._label.heightForWidth(max(40, width - margins))
        return max(words, NOTICE_ICON, buttons.height()) + NOTICE_MARGINS.top() + NOTICE_MARGINS.bottom() + 2


def notice_words(entry: MessageEntry) -> str:
    """What is said of how an answer ended, and of what could not be read of it; nothing where all is well."""
    return " ".join(filter(None, (_ending(entry), *entry.damage)))


def _ending(entry: MessageEntry) -> str:
    if entry.status is MessageStatus.FAILED:
        return entry.error or "The answer could not be written. Try again."
    if entry.status is MessageStatus.STOPPED:
        return "You stopped this answer."
    if entry.status is MessageStatus.INTERRUPTED:
        return "Footnote was closed while this answer was being written."
    if not entry.answered and not entry.streaming:
        if entry.unread_count:
            verb = "is" if entry.unread_count == 1 else "are"
            return f"{counted(entry.unread_count, 'document')} {verb} still being read. Ask again in a moment."
        return "Try other words, or add the files that might hold the answer."
    if entry.facts is not None and entry.facts.cut_off:
        return "The answer is longer than this model may write at once."
    return ""
