"""What stands below an answer: its sources, buttons, and how it came about."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.domain.citations import Citation
from app.gui.models.message_list_model import MessageEntry
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, TextButton, plain_label
from app.gui.widgets.flow_layout import FlowLayout
from app.gui.wording import counted, elapsed, shown_name

FEW_SOURCES = 5
LONGEST_NAME = 34
COPIED_MILLISECONDS = 1500


class AnswerFooter(QWidget):
    """Signals: ``source_activated(number)``, ``copy_wished``, ``regenerate_wished``, ``height_changed``."""

    source_activated = Signal(int)
    copy_wished = Signal()
    regenerate_wished = Signal()
    height_changed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._citations: tuple[Citation, ...] = ()
        self._all_shown = False
        self._sources = QWidget()
        self._flow = FlowLayout(self._sources)
        self._copy = IconButton(appearance, "copy", "Copy answer", size=16, on_click=self._on_copy)
        self._regenerate = IconButton(appearance, "refresh", "Ask again", size=16)
        self._regenerate.clicked.connect(self.regenerate_wished)
        self._about = plain_label("", scale="small", tone="tertiary")
        self._buttons = QWidget()
        row = QHBoxLayout(self._buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self._copy)
        row.addWidget(self._regenerate)
        row.addSpacing(6)
        row.addWidget(self._about, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._sources)
        column.addWidget(self._buttons)
        self._copied = QTimer(self, singleShot=True, interval=COPIED_MILLISECONDS)
        self._copied.timeout.connect(lambda: self._copy.set_icon("copy", "text_secondary"))

    def show_for(self, entry: MessageEntry) -> None:
        """Show the sources of ``entry``; the buttons once it has ended."""
        citations = () if entry.streaming else entry.citations
        if citations != self._citations:
            self._citations = citations
            self._fill()
        self._sources.setVisible(bool(self._citations))
        self._buttons.setVisible(not entry.streaming)
        self._copy.setVisible(bool(entry.text))
        self._about.setText(_about(entry))
        self.setVisible(not entry.streaming)

    def _on_copy(self) -> None:
        self.copy_wished.emit()
        self._copy.set_icon("check", "success")
        self._copied.start()

    def _fill(self) -> None:
        while (item := self._flow.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        groups = _by_place(self._citations)
        shown = groups if self._all_shown else groups[:FEW_SOURCES]
        for numbers, citation in shown:
            self._flow.addWidget(self._source_button(numbers, citation))
        if len(shown) < len(groups):
            more = TextButton(
                self._appearance, f"{len(groups) - len(shown)} more", kind="link", on_click=self._show_all
            )
            self._flow.addWidget(more)

    def _source_button(self, numbers: Sequence[int], citation: Citation) -> TextButton:
        name = shown_name(citation.path)
        short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        place = f" · p. {citation.page}" if citation.page else ""
        button = TextButton(
            self._appearance, f"{' '.join(map(str, numbers))}   {short}{place}", kind="source", icon="file-text"
        )
        label = f"Footnote {', '.join(map(str, numbers))}: {name}" + (
            f", page {citation.page}" if citation.page else ""
        )
        button.setAccessibleName(label)
        button.clicked.connect(lambda: self.source_activated.emit(numbers[0]))
        return button

    def _show_all(self) -> None:
        self._all_shown = True
        self._fill()
        self.updateGeometry()
        self.height_changed.emit()


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
        parts.append("Built-in answerer" if entry.model == "extractive" else entry.model)
    if entry.passage_count is not None:
        parts.append(f"{counted(entry.passage_count, 'passage')} read")
    total = entry.timings.get("total") or max(entry.timings.values(), default=0.0)
    if total:
        parts.append(elapsed(total))
    return " · ".join(parts)
