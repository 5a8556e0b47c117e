"""A question and an answer as they stand in the chat."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QSizePolicy, QVBoxLayout, QWidget

from app.domain.citations import AnswerSentence
from app.domain.turns import MessageStatus
from app.gui.models.message_list_model import MessageEntry
from app.gui.theme import Appearance
from app.gui.widgets.answer_browser import AnswerBrowser
from app.gui.widgets.answer_footer import AnswerFooter
from app.gui.widgets.basics import IconButton, IconLabel, plain_label
from app.gui.widgets.question_text import QuestionText

BUBBLE_SHARE = 0.82
BUBBLE_MARGINS = QMargins(16, 10, 16, 10)
ABOVE_QUESTION, BELOW_QUESTION = 16, 10


class MessageWidget(QWidget):
    """What questions and answers have in common.

    Signals: ``height_changed``; ``footnote_activated(message_id, number)``;
    ``footnote_hovered(message_id, number, rectangle)`` in global coordinates; ``footnote_left``;
    ``link_activated(target)``; ``copy_wished(message_id)``; ``regenerate_wished(message_id)``.
    """

    height_changed = Signal()
    footnote_activated = Signal(int, int)
    footnote_hovered = Signal(int, int, QRect)
    footnote_left = Signal()
    link_activated = Signal(str)
    copy_wished = Signal(int)
    regenerate_wished = Signal(int)

    def __init__(self, entry: MessageEntry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entry = entry

    def measure(self, width: int) -> int:
        """The height it needs at ``width``."""
        layout = self.layout()
        if layout is None:
            return self.sizeHint().height()
        _forget_sizes(layout)
        return layout.heightForWidth(width) if layout.hasHeightForWidth() else layout.sizeHint().height()

    def refresh(self) -> None:
        """Show what the entry says now."""
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
        self._text.setPlainText(self.entry.text)

    def append_text(self, text: str) -> None:
        self.refresh()


class AnswerWidget(MessageWidget):
    """An answer: text over the full width, its sources and what can be done with it below."""

    def __init__(self, appearance: Appearance, entry: MessageEntry, parent: QWidget | None = None) -> None:
        super().__init__(entry, parent)
        self.setAccessibleName("Answer")
        self._activity = _Activity(appearance)
        self._browser = AnswerBrowser(appearance)
        self._browser.setAccessibleName("Answer")
        self._notice = _Notice(appearance)
        self._footer = AnswerFooter(appearance)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 10)
        column.setSpacing(8)
        for widget in (self._activity, self._browser, self._notice, self._footer):
            column.addWidget(widget)
        self._shown_citations = -1
        self._streamed = False
        self._connect()
        appearance.changed.connect(self._render)
        self._render()

    @property
    def browser(self) -> AnswerBrowser:
        """The text."""
        return self._browser

    @property
    def footer(self) -> AnswerFooter:
        """The sources and the buttons."""
        return self._footer

    def refresh(self) -> None:
        if self._streamed and not self.entry.streaming:
            self._end_stream()
        elif not self.entry.streaming:
            self._render()
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
        self._footer.source_activated.connect(lambda number: self.footnote_activated.emit(self.entry.id, number))
        self._footer.copy_wished.connect(lambda: self.copy_wished.emit(self.entry.id))
        self._footer.regenerate_wished.connect(lambda: self.regenerate_wished.emit(self.entry.id))
        self._footer.height_changed.connect(self.height_changed)

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
            self._render()

    def _render(self) -> None:
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
            self._render()
        else:
            self._browser.finish(self._sentences())

    def _sentences(self) -> tuple[AnswerSentence, ...]:
        return self.entry.sentences if self.entry.answered and self.entry.citations else ()

    def _update_surroundings(self) -> None:
        self._activity.show_for(self.entry)
        self._browser.setVisible(bool(self.entry.text))
        self._notice.show_for(self.entry)
        self._footer.show_for(self.entry)
        self.updateGeometry()
        self.height_changed.emit()


class _Activity(QWidget):
    """What is being done while there is no text yet."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(8)
        row.addWidget(IconLabel(appearance, "search", color="text_tertiary", size=16))
        self._label = plain_label("", tone="secondary")
        row.addWidget(self._label, 1)

    def show_for(self, entry: MessageEntry) -> None:
        self.setVisible(entry.streaming and not entry.text)
        count = entry.passage_count
        if count is None:
            self._label.setText("Searching your library…")
        else:
            self._label.setText(f"Reading {count} passages…" if count != 1 else "Reading one passage…")


class _Notice(QFrame):
    """How an answer ended, where it did not end well."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 9, 12, 9)
        row.setSpacing(9)
        self._icon = IconLabel(appearance, "info", size=17)
        self._label = plain_label("", wrap=True)
        row.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._label, 1)

    def show_for(self, entry: MessageEntry) -> None:
        words = _notice_words(entry)
        self.setVisible(bool(words))
        failed = entry.status is MessageStatus.FAILED
        self.setProperty("card", "danger" if failed else "sunken")
        self._icon.set_icon("warning" if failed else "info", "danger" if failed else "text_secondary")
        self._label.setText(words)
        self.style().unpolish(self)
        self.style().polish(self)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, super().minimumSizeHint().height())


def _notice_words(entry: MessageEntry) -> str:
    if entry.status is MessageStatus.FAILED:
        return entry.error or "The answer could not be written. Try again."
    if entry.status is MessageStatus.STOPPED:
        return "You stopped this answer."
    if entry.status is MessageStatus.INTERRUPTED:
        return "Footnote was closed while this answer was being written."
    if not entry.answered and not entry.streaming:
        return "Nothing in your documents answers this. Try other words, or add the files that might."
    return ""


def _forget_sizes(layout: QLayout) -> None:
    """Every item keeps the size it had at an earlier width until it is told otherwise."""
    for position in range(layout.count()):
        item = layout.itemAt(position)
        if item is None:
            continue
        inner = item.layout()
        widget = item.widget()
        if inner is None and widget is not None:
            inner = widget.layout()
        if inner is not None:
            _forget_sizes(inner)
        item.invalidate()
    layout.invalidate()


def make_message_widget(appearance: Appearance, entry: MessageEntry, parent: QWidget | None = None) -> MessageWidget:
    """The widget for a message."""
    if entry.is_question:
        return QuestionWidget(appearance, entry, parent)
    return AnswerWidget(appearance, entry, parent)
