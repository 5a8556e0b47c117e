"""What stands below an answer: its sources, buttons, and how it came about."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.domain.citations import Citation
from app.domain.feedback import Judgement
from app.domain.turns import MessageStatus
from app.gui.answer_facts import BUILT_IN
from app.gui.models.message_list_model import MessageEntry
from app.gui.theme import Appearance
from app.gui.widgets.basics import ElidedLabel, IconButton, TextButton
from app.gui.widgets.branch_switcher import BranchSwitcher
from app.gui.widgets.stacking import flow, stack, stacked_height
from app.gui.wording import counted, elapsed, shown_name

FEW_SOURCES = 5
LONGEST_NAME = 34
COPIED_MILLISECONDS = 1500
GAP = 6


class SourceChips(QWidget):
    """One button for each page that an answer cites.

    Signals: ``activated(number)``; ``height_changed``.
    """

    activated = Signal(int)
    height_changed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._citations: Sequence[Citation] = ()
        self._all_shown = False
        self._buttons: list[TextButton] = []

    def show_citations(self, citations: Sequence[Citation]) -> None:
        """Show the places of these citations."""
        if citations != self._citations:
            self._citations = citations
            self._fill()
        self.setVisible(bool(citations))

    def height_for(self, width: int) -> int:
        """Its height at a width."""
        return flow(self._buttons, width, GAP, move=False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        flow(self._buttons, self.width(), GAP, move=True)

    def _fill(self) -> None:
        for button in self._buttons:
            button.hide()
            button.deleteLater()
        groups = _by_place(self._citations)
        listed = groups if self._all_shown else groups[:FEW_SOURCES]
        self._buttons = [self._source_button(numbers, citation) for numbers, citation in listed]
        if len(listed) < len(groups):
            more = f"{len(groups) - len(listed)} more"
            self._buttons.append(TextButton(self._appearance, more, kind="link", on_click=self._show_all, parent=self))
        for button in self._buttons:
            button.show()
        flow(self._buttons, self.width(), GAP, move=True)

    def _source_button(self, numbers: Sequence[int], citation: Citation) -> TextButton:
        name = shown_name(citation.path)
        short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        place = f" · p. {citation.page}" if citation.page else ""
        button = TextButton(
            self._appearance,
            f"{', '.join(map(str, numbers))}   {short}{place}",
            kind="source",
            icon="file-text",
            parent=self,
        )
        page = f", page {citation.page}" if citation.page else ""
        button.setAccessibleName(f"Footnote {', '.join(map(str, numbers))}: {name}{page}")
        button.clicked.connect(lambda: self.activated.emit(numbers[0]))
        return button

    def _show_all(self) -> None:
        self._all_shown = True
        self._fill()
        self.height_changed.emit()


class AnswerButtons(QWidget):
    """Copy, ask again, thumbs, and a line about the answer.

    Signals: ``copy_wished``, ``copy_with_sources_wished``, ``regenerate_wished``, ``judged(judgement)``,
    ``why_wished``; those of ``switcher``.
    """

    copy_wished = Signal()
    regenerate_wished = Signal()
    judged = Signal(str)
    why_wished = Signal()
    copy_with_sources_wished = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self.switcher = BranchSwitcher(appearance, "answer", self)
        self.copy_button = IconButton(appearance, "copy", "Copy answer", size=16, on_click=self._on_copy)
        self.sources_button = IconButton(
            appearance, "quote", "Copy answer with its sources", size=16, on_click=self._on_copy_with_sources
        )
        self.regenerate_button = IconButton(
            appearance, "refresh", "Ask again", size=16, on_click=self.regenerate_wished.emit
        )
        self.thumbs = {
            Judgement.UP: IconButton(appearance, "thumb-up", "Good answer", size=16),
            Judgement.DOWN: IconButton(appearance, "thumb-down", "Bad answer", size=16),
        }
        for judgement, button in self.thumbs.items():
            button.setCheckable(True)
            button.clicked.connect(lambda _checked=False, judgement=judgement: self.judged.emit(judgement))
        self.why_button = IconButton(appearance, "question", "Why this answer?", size=16, on_click=self.why_wished.emit)
        self._about = ElidedLabel("", scale="small", tone="tertiary")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.switcher)
        row.addWidget(self.copy_button)
        row.addWidget(self.sources_button)
        row.addWidget(self.regenerate_button)
        for button in self.thumbs.values():
            row.addWidget(button)
        row.addWidget(self.why_button)
        row.addSpacing(6)
        row.addWidget(self._about, 1)
        self._copied = QTimer(self, singleShot=True, interval=COPIED_MILLISECONDS)
        self._copied.timeout.connect(self._show_icons)

    def show_for(self, entry: MessageEntry) -> None:
        """Show how the answer came about."""
        self.switcher.show_for(entry)
        self.copy_button.setVisible(bool(entry.text))
        self.sources_button.setVisible(bool(entry.text) and bool(entry.citations))
        for judgement, button in self.thumbs.items():
            chosen = entry.judgement is judgement
            button.setVisible(bool(entry.text) and entry.status is MessageStatus.COMPLETE)
            button.setChecked(chosen)
            button.set_icon(f"thumb-{judgement}", "accent" if chosen else "text_secondary")
        self._about.set_full_text(_about(entry))
        self._about.setToolTip("\n".join(entry.facts.lines()) if entry.facts else "")

    def height_for(self, _width: int) -> int:
        """Its height at any width."""
        return self.regenerate_button.sizeHint().height()

    def _on_copy(self) -> None:
        self.copy_wished.emit()
        self.copy_button.set_icon("check", "success")
        self._copied.start()

    def _on_copy_with_sources(self) -> None:
        self.copy_with_sources_wished.emit()
        self.sources_button.set_icon("check", "success")
        self._copied.start()

    def _show_icons(self) -> None:
        self.copy_button.set_icon("copy", "text_secondary")
        self.sources_button.set_icon("quote", "text_secondary")


class AnswerFooter(QWidget):
    """Sources and buttons. Hidden while an answer is being written."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self.sources = SourceChips(appearance, self)
        self.buttons = AnswerButtons(appearance, self)
        self._parts = (self.sources, self.buttons)

    def show_for(self, entry: MessageEntry) -> None:
        """Show what belongs to ``entry``."""
        self.sources.show_citations(() if entry.streaming else entry.citations)
        self.buttons.show_for(entry)
        self.setVisible(not entry.streaming)

    def height_for(self, width: int) -> int:
        """Its height at a width."""
        return stacked_height(self._parts, width, GAP)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    def arrange(self) -> None:
        """Place the parts."""
        stack(self._parts, self.width(), GAP)


def _by_place(citations: Sequence[Citation]) -> list[tuple[list[int], Citation]]:
    """Citations that point to the same page of the same file, together."""
    groups: dict[tuple[object, int | None], tuple[list[int], Citation]] = {}
    for citation in citations:
        groups.setdefault((citation.path, citation.page), ([], citation))[0].append(citation.number)
    return list(groups.values())


def _about(entry: MessageEntry) -> str:
    """The model, the time it took and what the answer rests on, in one line."""
    parts = []
    if entry.model:
        parts.append("Built-in answerer" if entry.model == BUILT_IN else entry.model.partition(":")[2] or entry.model)
    total = entry.timings.get("total") or max(entry.timings.values(), default=0.0)
    if total >= 0.05:
        parts.append(elapsed(total))
    if entry.facts is not None:
        parts.extend(entry.facts.parts())
    if entry.passage_count is not None:
        parts.append(f"{counted(entry.passage_count, 'passage')} read")
    return " · ".join(parts)
