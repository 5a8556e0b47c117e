"""An answer as it stands in the chat."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.domain.citations import AnswerSentence, Support
from app.gui.models.message_list_model import MessageEntry
from app.gui.theme import Appearance
from app.gui.typesetting import Typesetting
from app.gui.widgets.answer_browser import AnswerBrowser
from app.gui.widgets.answer_footer import AnswerFooter
from app.gui.widgets.answer_parts import Activity, Notice
from app.gui.widgets.message_widget import MessageWidget
from app.gui.widgets.question_widget import QuestionWidget
from app.gui.widgets.reasoning_box import ReasoningBox
from app.gui.widgets.stacking import stack, stacked_height
from app.gui.widgets.turn_notes_view import TurnNotesView

ABOVE_ANSWER, BELOW_ANSWER, GAP = 6, 10, 8


class AnswerWidget(MessageWidget):
    """An answer: text over the full width, its sources and what can be done with it below."""

    def __init__(
        self,
        appearance: Appearance,
        entry: MessageEntry,
        parent: QWidget | None = None,
        *,
        typesetting: Typesetting | None = None,
    ) -> None:
        super().__init__(entry, parent)
        self.setAccessibleName("Answer")
        self.notes = TurnNotesView(appearance, self)
        self._activity = Activity(appearance, self)
        self.reasoning = ReasoningBox(appearance, self)
        self._browser = AnswerBrowser(appearance, self, typesetting=typesetting)
        self._browser.setAccessibleName("Answer")
        self._notice = Notice(appearance, self)
        self._footer = AnswerFooter(appearance, self)
        self._parts = (self.notes, self._activity, self.reasoning, self._browser, self._notice, self._footer)
        self._shown_citations = -1
        self._shown: tuple[object, ...] = ()
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

    @property
    def notice(self) -> Notice:
        """How the answer ended, and what can be done about it."""
        return self._notice

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
        elif self.entry.streaming is not self._streamed or self._shown != self._content():
            self.render_all()
        elif len(self.entry.citations) != self._shown_citations:
            self._mark_new_footnotes()
        self._update_surroundings()

    def append_text(self, text: str) -> None:
        if not self._streamed:
            self.render_all()
            return
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
        self.reasoning.height_changed.connect(self.height_changed)
        self._notice.retry_wished.connect(lambda: self.regenerate_wished.emit(self.entry.id))
        self._notice.continue_wished.connect(lambda: self.continue_wished.emit(self.entry.id))
        buttons.copy_wished.connect(lambda: self.copy_wished.emit(self.entry.id))
        buttons.copy_with_sources_wished.connect(lambda: self.copy_with_sources_wished.emit(self.entry.id))
        buttons.switcher.branch_wished.connect(self.branch_wished)
        buttons.regenerate_wished.connect(lambda: self.regenerate_wished.emit(self.entry.id))
        buttons.judged.connect(lambda judgement: self.judged.emit(self.entry.id, judgement))
        buttons.why_wished.connect(lambda: self.why_wished.emit(self.entry.id))
        self.notes.height_changed.connect(self.height_changed)
        self.notes.stop_wished.connect(self.stop_wished)
        self.notes.tool_answered.connect(lambda *answer: self.tool_answered.emit(self.entry.id, *answer))

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
            self._shown = self._content()
        else:
            self._streamed = False
            self._shown = self._content()
            self._browser.show_answer(self.entry.text, self._numbers(), self._sentences())
        self._update_surroundings()

    def _end_stream(self) -> None:
        """The stored text may differ from the streamed one in its last words; only then is it shown anew."""
        self._streamed = False
        if self._unmarked() or self._browser.source_text != self.entry.text:
            self.render_all()
        else:
            self._shown = self._content()
            self._browser.finish(self._sentences())

    def _content(self) -> tuple[object, ...]:
        """What a complete answer is set from; while it changes all the time, nothing."""
        entry = self.entry
        return () if entry.streaming else (entry.text, entry.citations, entry.sentences, entry.answered)

    def _sentences(self) -> Sequence[AnswerSentence]:
        checked = any(sentence.support is not Support.UNCHECKED for sentence in self.entry.sentences)
        return self.entry.sentences if self.entry.answered and (self.entry.citations or checked) else ()

    def _update_surroundings(self) -> None:
        self.notes.show_notes(self.entry.notes, running=self.entry.streaming)
        self._activity.show_for(self.entry)
        self.reasoning.show_for(self.entry)
        self._browser.setVisible(bool(self.entry.text))
        self._notice.show_for(self.entry)
        self._footer.show_for(self.entry)
        self.height_changed.emit()


def make_message_widget(
    appearance: Appearance,
    entry: MessageEntry,
    parent: QWidget | None = None,
    *,
    typesetting: Typesetting | None = None,
) -> MessageWidget:
    """The widget for a message. ``typesetting`` colours its code and sets its formulas."""
    if entry.is_question:
        return QuestionWidget(appearance, entry, parent)
    return AnswerWidget(appearance, entry, parent, typesetting=typesetting)
