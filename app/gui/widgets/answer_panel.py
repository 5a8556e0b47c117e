"""Why this answer? Its sources with their scores, what was sent, what was left out and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from app.domain.citations import AnswerSentence, Support
from app.domain.turn_details import TurnDetails, UnreadFile
from app.gui.answer_account import (
    Account,
    cited_passages,
    footnotes_on,
    model_facts,
    prompt_text,
    search_facts,
    without_footnotes,
)
from app.gui.support_marks import LOOKS, support_counts
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconLabel, TextButton, plain_label
from app.gui.widgets.passage_card import PassageCard
from app.gui.wording import counted, shown, shown_name

PROMPT_HEIGHT = 340
MOST_CARDS = 5
SUPPORT_NAMES = {
    Support.SUPPORTED: "supported by the passages",
    Support.PARTLY: "supported in part",
    Support.UNSUPPORTED: "not supported by any passage",
    Support.GENERAL: "from general knowledge",
}
PENS = {
    Support.UNSUPPORTED: Qt.PenStyle.DotLine,
    Support.PARTLY: Qt.PenStyle.DashLine,
    Support.GENERAL: Qt.PenStyle.DashDotLine,
}


class AnswerPanel(QScrollArea):
    """Signals: ``passage_opened(passage)``."""

    passage_opened = Signal(object)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.account: Account | None = None
        self.cards: list[PassageCard] = []
        self.prompt: QPlainTextEdit | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Why this answer?")
        self._column = QVBoxLayout()
        self._start_again()
        self._say("Choose “Why this answer?” below an answer to see what it rests on.")
        self._column.addStretch(1)

    def show_account(self, account: Account) -> None:
        """Tell how an answer came about."""
        self.account = account
        self._start_again()
        self._column.addWidget(plain_label("Why this answer?", scale="title"))
        self._column.addWidget(plain_label(shown(account.question), tone="secondary", wrap=True))
        self._add_support(account.sentences)
        self._add_passages(account)
        self._add_facts("Search", search_facts(account))
        if account.details is None:
            self._say("No more was noted when this answer was written.")
        else:
            self._add_left_out(account.details)
            self._add_tools(account.details)
        self._add_facts("Model", model_facts(account))
        if account.details is not None and account.details.prompt:
            self._add_prompt(account.details)
        self._column.addStretch(1)

    # -- sections --------------------------------------------------------------------------------------------------

    def _add_support(self, sentences: Sequence[AnswerSentence]) -> None:
        counts = list(support_counts(sentences))
        if not counts:
            return
        self._heading("Sentences")
        for support, count in counts:
            self._column.addLayout(self._support_row(support, f"{count} {SUPPORT_NAMES[support]}"))
        for sentence in sentences:
            if sentence.support in LOOKS and sentence.reason:
                words = f"“{without_footnotes(shown(sentence.text))}” – {shown(sentence.reason)}"
                self._column.addWidget(plain_label(words, scale="small", tone="secondary", wrap=True))

    def _support_row(self, support: Support, words: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(_LineSample(self._appearance, support))
        row.addWidget(plain_label(words, wrap=True), 1)
        return row

    def _add_passages(self, account: Account) -> None:
        sent = account.details.passages if account.details is not None else ()
        passages = sent or cited_passages(account.citations)
        self._heading("Sources")
        if not passages:
            self._say("No passage was given to the model.")
        ordered = sorted(passages, key=lambda each: not footnotes_on(each, account.citations))
        for passage in ordered:
            card = PassageCard(self._appearance, passage, footnotes=footnotes_on(passage, account.citations))
            self._add_card(card)
        self._fold(self.cards[MOST_CARDS:])

    def _add_left_out(self, details: TurnDetails) -> None:
        if details.near_misses:
            self._heading("Found but left out")
        for miss in details.near_misses:
            self._add_card(PassageCard(self._appearance, miss.passage, reason=miss.reason))
        if details.unread_count or details.unread:
            self._heading("Files that could not be read")
            self._add_unread(details.unread, details.unread_count)

    def _add_unread(self, files: Sequence[UnreadFile], count: int) -> None:
        for file in files:
            row = QHBoxLayout()
            row.setSpacing(8)
            icon = IconLabel(self._appearance, "warning", color="warning", size=15)
            row.addWidget(icon, alignment=Qt.AlignmentFlag.AlignTop)
            words = f"{shown_name(file.path)} – {shown(file.reason)}"
            row.addWidget(plain_label(words, scale="small", wrap=True), 1)
            self._column.addLayout(row)
        if count > len(files):
            self._say(f"and {counted(count - len(files), 'more file', 'more files')}")

    def _add_tools(self, details: TurnDetails) -> None:
        if details.tools:
            self._heading("Tools used")
        for tool in details.tools:
            failed = " (failed)" if tool.failed else ""
            words = f"{tool.name}{failed}\n{shown(tool.arguments)}\n→ {shown(tool.result)[:400]}"
            self._column.addWidget(plain_label(words, scale="small", tone="secondary", wrap=True))
        for note in details.notes:
            self._say(shown(note))

    def _add_facts(self, title: str, facts: Iterable[tuple[str, str]]) -> None:
        rows = list(facts)
        if not rows:
            return
        self._heading(title)
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        for number, (name, value) in enumerate(rows):
            grid.addWidget(plain_label(name, tone="tertiary"), number, 0, Qt.AlignmentFlag.AlignTop)
            label = plain_label(shown(value), wrap=True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(label, number, 1)
        self._column.addLayout(grid)

    def _add_prompt(self, details: TurnDetails) -> None:
        self._heading("The exact prompt")
        prompt = QPlainTextEdit(prompt_text(details))
        prompt.setReadOnly(True)
        prompt.setProperty("kind", "prompt")
        prompt.setFont(self._appearance.monospace(0.88))
        prompt.setTabChangesFocus(True)
        prompt.setAccessibleName("The exact prompt")
        prompt.setFixedHeight(PROMPT_HEIGHT)
        copy = TextButton(self._appearance, "Copy the prompt", kind="link", icon="copy", on_click=self._copy_prompt)
        self.prompt = prompt
        self._column.addWidget(prompt)
        self._column.addWidget(copy, alignment=Qt.AlignmentFlag.AlignLeft)

    # -- parts -----------------------------------------------------------------------------------------------------

    def _start_again(self) -> None:
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(18, 12, 18, 18)
        self._column.setSpacing(8)
        self.cards, self.prompt = [], None
        self.setWidget(inner)  # deletes the one before

    def _heading(self, text: str) -> None:
        self._column.addSpacing(10)
        self._column.addWidget(plain_label(text, scale="heading"))

    def _say(self, text: str) -> None:
        self._column.addWidget(plain_label(text, scale="small", tone="secondary", wrap=True))

    def _add_card(self, card: PassageCard) -> None:
        card.opened.connect(self.passage_opened)
        self.cards.append(card)
        self._column.addWidget(card)

    def _fold(self, cards: Sequence[PassageCard]) -> None:
        """Hide cards behind a button that shows them."""
        if not cards:
            return
        more = TextButton(self._appearance, f"Show {counted(len(cards), 'more passage')} that were sent", kind="link")
        for card in cards:
            card.hide()
            more.clicked.connect(card.show)
        more.clicked.connect(more.hide)
        self._column.addWidget(more, alignment=Qt.AlignmentFlag.AlignLeft)

    def _copy_prompt(self) -> None:
        if self.account is not None and self.account.details is not None:
            QGuiApplication.clipboard().setText(prompt_text(self.account.details))


class _LineSample(QWidget):
    """The line under a sentence, as it is in the answer; a plain stroke for what is supported."""

    def __init__(self, appearance: Appearance, support: Support) -> None:
        super().__init__()
        self._appearance = appearance
        self._support = support
        self.setFixedSize(QSize(30, 16))

    def paintEvent(self, _event: QPaintEvent) -> None:
        look = LOOKS.get(self._support)
        theme = self._appearance.theme
        pen = QPen(theme.color(look.color if look else "success"), 2, PENS.get(self._support, Qt.PenStyle.SolidLine))
        painter = QPainter(self)
        painter.setPen(pen)
        painter.drawLine(1, 9, 29, 9)
        painter.end()
