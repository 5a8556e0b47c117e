"""A passage of a document, small: where it stands, how well it fits, what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.domain.turn_details import SentPassage
from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_label
from app.gui.wording import shown, shown_name

LONGEST_EXCERPT = 260
LONGEST_NAME = 40
MARKDOWN_NAMES = frozenset({".md", ".markdown"})
MARKS = re.compile(r"(?:^|\s)#{1,6}(?=\s)|\*\*|`|\|[\s|:-]*(?:\||$)")


class PassageCard(QFrame):
    """Signals: ``opened(passage)``."""

    opened = Signal(object)

    def __init__(
        self,
        appearance: Appearance,
        passage: SentPassage,
        *,
        footnotes: Sequence[int] = (),
        reason: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.passage = passage
        self.setProperty("card", "sunken")
        name = shown_name(passage.path)
        short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        page = f", page {passage.page}" if passage.page else ""
        self.open_button = TextButton(
            appearance, short + page, kind="link", icon="file-text", on_click=lambda: self.opened.emit(passage)
        )
        self.open_button.setAccessibleName(f"Open {name}{page}")
        self.score = plain_label(f"score {passage.score:.2f}", scale="small", tone="tertiary")
        head = QHBoxLayout()
        head.addWidget(self.open_button)
        head.addStretch(1)
        head.addWidget(self.score)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 12, 10)
        column.setSpacing(4)
        column.addLayout(head)
        for text, tone in ((excerpt(passage), "primary"), (_remark(footnotes, reason), "secondary")):
            if text:
                label = plain_label(text, scale="small", tone=tone, wrap=True)
                label.setIndent(8)
                column.addWidget(label)


def excerpt(passage: SentPassage) -> str:
    """The beginning of a passage on one line, without the marks of Markdown."""
    words = shown(passage.text)
    if passage.path.suffix.lower() in MARKDOWN_NAMES:
        words = shown(MARKS.sub(" ", words))
    return words if len(words) <= LONGEST_EXCERPT else words[:LONGEST_EXCERPT].rstrip() + " …"


def _remark(footnotes: Sequence[int], reason: str) -> str:
    if reason:
        return shown(reason)
    if not footnotes:
        return "Sent to the model; no footnote rests on it."
    numbers = ", ".join(map(str, footnotes))
    return f"Footnote {numbers} rests on it." if len(footnotes) == 1 else f"Footnotes {numbers} rest on it."
