"""A question and an answer as they stand in the chat."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.domain.citations import AnswerSentence
from app.domain.turns import MessageStatus
from app.gui.models.message_list_model import MessageEntry
from app.gui.theme import Appearance
from app.gui.widgets.answer_browser import AnswerBrowser
from app.gui.widgets.answer_footer import AnswerFooter
from app.gui.widgets.basics import IconButton, IconLabel, plain_label
from app.gui.widgets.question_text import QuestionText
from app.gui.widgets.stacking import stack, stacked_height
from app.gui.wording import counted

BUBBLE_SHARE = 0.82
BUBBLE_MARGINS = QMargins(16, 10, 16, 10)
ABOVE_QUESTION, BELOW_QUESTION = 16, 10
ABOVE_ANSWER, BELOW_ANSWER, GAP = 6, 10, 8
NOTICE_MARGINS = QMargins(12, 9, 12, 9)
NOTICE_ICON, NOTICE_GAP = 17, 9


class MessageWidget(QWidget):
    """What questions and answers have in common.

    Signals: ``height_changed``; ``footnote_activated(message_id, number)``;
    ``footnote_hovered(message_id, number, rectangle)`` in global coordinates; ``footnote_left``;
    ``link_activated(target)``; ``copy_wished(message_id)``; ``regenerate_wished(message_id)``;
    ``judged(message_id, judgement)``; ``why_wished(message_id)``.
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


class QuestionWidget(MessageWidget):
    """A question: a bubble on the right."""

    def __init__(self, appearance: Appearance, entry: MessageEntry, parent: QWidget | None = None) -> None:
        super().__init__(entry, parent)
        self.setAccessibleName("Your question")
        self._bubble = QFrame()
        self._bubble.setProperty("card", "bubble")
        self._text = QuestionText(appearance, entry.text)
        self._text.setAccessibleName("Your question")
        self._text.setParent(self._bubble)
        self._copy = IconButton(appearance, "copy", "Copy question", color="text_tertiary", size=15, parent=self)
        self._copy.clicked.connect(lambda: self.copy_wished.emit(self.entry.id))
        self._bubble.setParent(self)

    def measure(self, width: int) -> int:
        self._text.fit(int(width * BUBBLE_SHARE) - BUBBLE_MARGINS.left() - BUBBLE_MARGINS.right())
        return self._bubble_size().height() + ABOVE_QUESTION + BELOW_QUESTION

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    def arrange(self) -> None:
        size = self._bubble_size()
        place = QRect(QPoint(self.width() - size.width(), ABOVE_QUESTION), size)
        self._bubble.setGeometry(place)
        self._text.move(BUBBLE_MARGINS.left(), BUBBLE_MARGINS.top())
        button = self._copy.sizeHint()
        self._copy.setGeometry(
            QRect(QPoint(place.left() - button.width() - 6, place.bottom() - button.height()), button)
        )

    def _bubble_size(self) -> QSize:
        return self._text.sizeHint().grownBy(BUBBLE_MARGINS)

    def refresh(self) -> None:
        """A question never changes."""

    def render_all(self) -> None:
        self._text.setPlainText(self.entry.text)

    def append_text(self, text: str) -> None:
        self.render_all()


class AnswerWidget(MessageWidget):
    """An answer: text over the full width, its sources and what can be done with it below."""

    def __init__(self, appearance: Appearance, entry: MessageEntry, parent: QWidget | None = None) -> None:
        super().__init__(entry, parent)
        self.setAccessibleName("Answer")
        self._activity = _Activity(appearance, self)
        self._browser = AnswerBrowser(appearance, self)
        self._browser.setAccessibleName("Answer")
        self._notice = _Notice(appearance, self)
        self._footer = AnswerFooter(appearance, self)
        self._parts = (self._activity, self._browser, self._notice, self._footer)
        self._shown_citations = -1
        self._streamed = False
        self._connect()
        appearance.changed.connect(self.render_all)
        self.render_all()

    @property
    def browser(self) -> AnswerBrowser:
        """The text."""
        return self._browser

    @property
    def notice_text(self) -> str:
        """How the answer ended, where it did not end well."""
        return "" if self._notice.isHidden() else self._notice.text

    @property
    def footer(self) -> AnswerFooter:
        """The sources and the buttons."""
        return self._footer

    def measure(self, width: int) -> int:
        return ABOVE_ANSWER + stacked_height(self._parts, width, GAP) + BELOW_ANSWER

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    def arrange(self) -> None:
        stack(self._parts, self.width(), GAP, ABOVE_ANSWER)
        self._footer.arrange()

    def refresh(self) -> None:
        if self._streamed and not self.entry.streaming:
            self._end_stream()
        elif not self.entry.streaming:
            self.render_all()
        elif len(self.entry.citations) != self._shown_citations:
            self._mark_new_footnotes()
        self._update_surroundings()

    def append_text(self, text: str) -> None:
        self._streamed = True
        self._browser.append_text(text, self._numbers())
        self._update_surroundings()

    def _connect(self) -> None:
        self._browser.height_changed.connect(self.height_changed)
        self._browser.link_activated.connect(self.link_activated)
        self._browser.footnote_left.connect(self.footnote_left)
        self._browser.footnote_activated.connect(lambda number: self.footnote_activated.emit(self.entry.id, number))
        self._browser.footnote_hovered.connect(
            lambda number, where: self.footnote_hovered.emit(self.entry.id, number, where)
        )
        sources, buttons = self._footer.sources, self._footer.buttons
        sources.activated.connect(lambda number: self.footnote_activated.emit(self.entry.id, number))
        sources.height_changed.connect(self.height_changed)
        buttons.copy_wished.connect(lambda: self.copy_wished.emit(self.entry.id))
        buttons.regenerate_wished.connect(lambda: self.regenerate_wished.emit(self.entry.id))
        buttons.judged.connect(lambda judgement: self.judged.emit(self.entry.id, judgement))
        buttons.why_wished.connect(lambda: self.why_wished.emit(self.entry.id))

    def _numbers(self) -> frozenset[int]:
        return frozenset(citation.number for citation in self.entry.citations)

    def _unmarked(self) -> bool:
        """Whether a footnote that is known by now stands in the text as plain characters."""
        marked = {chip.number for chip in self._browser.chips}
        return any(f"[{number}]" in self.entry.text for number in self._numbers() - marked)

    def _mark_new_footnotes(self) -> None:
        self._shown_citations = len(self.entry.citations)
        if self._unmarked():
            self._browser.mark_footnotes(self._numbers())
        if self._unmarked():
            self.render_all()

    def render_all(self) -> None:
        self._shown_citations = len(self.entry.citations)
        if self.entry.streaming:
            self._browser.show_answer("", ())
            self._browser.append_text(self.entry.text, self._numbers())
            self._streamed = True
        else:
            self._browser.show_answer(self.entry.text, self._numbers(), self._sentences())
        self._update_surroundings()

    def _end_stream(self) -> None:
        """The stored text may differ from the streamed one in its last words; only then is it shown anew."""
        self._streamed = False
        if self._unmarked() or self._browser.source_text != self.entry.text:
            self.render_all()
        else:
            self._browser.finish(self._sentences())

    def _sentences(self) -> Sequence[AnswerSentence]:
        return self.entry.sentences if self.entry.answered and self.entry.citations else ()

    def _update_surroundings(self) -> None:
        self._activity.show_for(self.entry)
        self._browser.setVisible(bool(self.entry.text))
        self._notice.show_for(self.entry)
        self._footer.show_for(self.entry)
        self.height_changed.emit()


class _Activity(QWidget):
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
        return self._label.sizeHint().height() + 8

    def show_for(self, entry: MessageEntry) -> None:
        self.setVisible(entry.streaming and not entry.text)
        count = entry.passage_count
        if count is None:
            self._label.setText("Searching your library…")
        else:
            self._label.setText(f"Reading {count} passages…" if count != 1 else "Reading one passage…")


class _Notice(QFrame):
    """How an answer ended, where it did not end well."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(NOTICE_MARGINS)
        row.setSpacing(NOTICE_GAP)
        self._icon = IconLabel(appearance, "info", size=NOTICE_ICON)
        self._label = plain_label("", wrap=True)
        row.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._label, 1)

    def show_for(self, entry: MessageEntry) -> None:
        words = _notice_words(entry)
        self.setVisible(bool(words))
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
        return self._label.text()

    def height_for(self, width: int) -> int:
        margins = NOTICE_MARGINS.left() + NOTICE_MARGINS.right() + NOTICE_ICON + NOTICE_GAP + 2
        words = self._label.heightForWidth(max(40, width - margins))
        return max(words, NOTICE_ICON) + NOTICE_MARGINS.top() + NOTICE_MARGINS.bottom() + 2


def _notice_words(entry: MessageEntry) -> str:
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
    return ""


def make_message_widget(appearance: Appearance, entry: MessageEntry, parent: QWidget | None = None) -> MessageWidget:
    """The widget for a message."""
    if entry.is_question:
        return QuestionWidget(appearance, entry, parent)
    return AnswerWidget(appearance, entry, parent)
