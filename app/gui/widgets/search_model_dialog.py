"""Which model searches, and how large passages are. What a change costs is said before anything is made anew."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QSpinBox, QVBoxLayout, QWidget

from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, card, hairline, plain_label, restyle
from app.gui.widgets.search_model_row import SearchModel, SearchModelRow
from app.gui.widgets.setting_editors import TEXT_MARGINS
from app.gui.widgets.work_card import NoticeCard, WorkCard

SIZE = (680, 700)
ABOUT = (
    "The search model finds passages by meaning. Another one embeds every passage anew, in the background; until it "
    "has them all, the one before answers."
)
PASSAGES_ABOUT = "About how many tokens a passage holds: small ones are found precisely, large ones tell more."


class SearchModelDialog(QDialog):
    """Signals: ``download_wished(name)``, ``stop_download_wished(name)``; ``use_wished(folder)``;
    ``folder_wished``; ``passages_wished(tokens)``; ``start_wished`` after the cost was shown, ``not_now_wished``;
    ``stop_wished`` for what is being made anew.
    """

    download_wished = Signal(str)
    stop_download_wished = Signal(str)
    use_wished = Signal(str)
    folder_wished = Signal()
    passages_wished = Signal(int)
    start_wished = Signal()
    not_now_wished = Signal()
    stop_wished = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.setWindowTitle("Search model and passages")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*SIZE)
        self.rows: dict[str, SearchModelRow] = {}
        self._busy = False
        self.proposal = NoticeCard(appearance)
        self.proposal.close_button.hide()
        self.folder_button = TextButton(
            appearance, "Use a model from a folder…", kind="link", on_click=self.folder_wished.emit
        )
        self.folder_button.setAutoDefault(False)
        self.work = WorkCard(appearance)
        self.work.stop_wished.connect(self.stop_wished)
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 18)
        column.setSpacing(10)
        column.addWidget(plain_label("Search model and passages", scale="title"))
        column.addWidget(plain_label(ABOUT, scale="small", tone="secondary", wrap=True))
        column.addWidget(self.proposal)
        column.addWidget(hairline())
        column.addWidget(self._make_list(), 1)
        column.addWidget(hairline())
        column.addLayout(self._make_passages())
        column.addWidget(self._make_cost())
        column.addWidget(self.work)
        close = TextButton(self._appearance, "Close", on_click=self.reject)
        close.setAutoDefault(False)
        foot = QHBoxLayout()
        foot.addWidget(self.folder_button)
        foot.addStretch(1)
        foot.addWidget(close)
        column.addLayout(foot)

    def _make_list(self) -> QWidget:
        inner = QWidget()
        self._list = QVBoxLayout(inner)
        self._list.setContentsMargins(0, 0, 10, 0)
        self._list.setSpacing(0)
        self._list.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        return scroll

    def _make_passages(self) -> QHBoxLayout:
        from app.retrieval.text_splitter import CHUNK_TOKENS

        self.tokens = QSpinBox()
        self.tokens.setRange(CHUNK_TOKENS.minimum or 1, CHUNK_TOKENS.maximum or 2048)
        self.tokens.setSingleStep(10)
        self.tokens.setFixedWidth(90)
        self.tokens.lineEdit().setTextMargins(*TEXT_MARGINS)
        self.tokens.setAccessibleName("Passage size in tokens")
        self.tokens.valueChanged.connect(lambda _value: self._update())
        self._stored_tokens = CHUNK_TOKENS.default
        self.passages_button = TextButton(
            self._appearance, "Work out the cost", on_click=lambda: self.passages_wished.emit(self.tokens.value())
        )
        self.passages_button.setAutoDefault(False)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(plain_label("Passage size"))
        words.addWidget(plain_label(PASSAGES_ABOUT, scale="small", tone="secondary", wrap=True))
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addLayout(words, 1)
        row.addWidget(self.tokens)
        row.addWidget(self.passages_button)
        return row

    def _make_cost(self) -> QFrame:
        self._cost_card = card("sunken")
        self.cost = plain_label("", wrap=True)
        self.start_button = TextButton(self._appearance, "Start", kind="primary", on_click=self.start_wished.emit)
        self.not_now = TextButton(self._appearance, "Not now", on_click=self.not_now_wished.emit)
        for button in (self.start_button, self.not_now):
            button.setAutoDefault(False)
        self._cost_buttons = QWidget()
        row = QHBoxLayout(self._cost_buttons)
        row.setContentsMargins(0, 4, 0, 0)
        row.addStretch(1)
        row.addWidget(self.not_now)
        row.addWidget(self.start_button)
        column = QVBoxLayout(self._cost_card)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(4)
        column.addWidget(self.cost)
        column.addWidget(self._cost_buttons)
        self._cost_card.hide()
        return self._cost_card

    # -- states ----------------------------------------------------------------------------------------------------

    def show_models(self, models: Sequence[SearchModel], tokens: int) -> None:
        """The models there are, and the size of passages that is in force."""
        for row in self.rows.values():
            self._list.removeWidget(row)
            row.deleteLater()
        self.rows = {}
        for place, model in enumerate(models):
            row = self.rows[model.name] = SearchModelRow(self._appearance, model)
            row.download_wished.connect(self.download_wished)
            row.stop_wished.connect(self.stop_download_wished)
            row.use_wished.connect(self.use_wished)
            self._list.insertWidget(place, row)
        if self.tokens.value() == self._stored_tokens or not self.tokens.hasFocus():
            self.tokens.setValue(tokens)
        self._stored_tokens = tokens
        self._update()

    def show_proposal(self, words: str, action: str) -> None:
        """A model that would suit the documents better."""
        self.proposal.say(words, action)

    def show_planning(self) -> None:
        """What it costs is being worked out."""
        self._show_cost("Working out what that costs…", ready=False)

    def show_cost(self, words: str) -> None:
        """What it costs. Nothing has begun."""
        self._show_cost(words, ready=True)
        self.start_button.setFocus()

    def show_words(self, words: str, *, problem: bool = False) -> None:
        """How something ended, or why it can't be."""
        self._show_cost(words, ready=False, problem=problem)

    def hide_cost(self) -> None:
        """Nobody asks any more."""
        self._cost_card.hide()

    def show_rebuild(self, headline: str, detail: str, done: int, total: int) -> None:
        """It is being made anew."""
        self._busy = True
        self._cost_card.hide()
        self.work.show_progress(headline, done, total, detail)
        self._update()

    def show_rebuilt(self) -> None:
        """That has ended."""
        self._busy = False
        self.work.hide()
        self._update()

    def _show_cost(self, words: str, *, ready: bool, problem: bool = False) -> None:
        self.cost.setText(words)
        self.cost.setProperty("tone", "danger" if problem else "primary")
        restyle(self.cost)
        self._cost_buttons.setVisible(ready)
        self._cost_card.show()

    def _update(self) -> None:
        self.passages_button.setEnabled(not self._busy and self.tokens.value() != self._stored_tokens)
        self.folder_button.setEnabled(not self._busy)
        for row in self.rows.values():
            row.set_busy(self._busy)
