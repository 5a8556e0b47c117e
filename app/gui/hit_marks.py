"""Marks the words of a search in a message on the screen."""

from __future__ import annotations

from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit, QWidget

from app.gui.colors import Theme
from app.storage.message_search import matching_spans

MOST_MARKS = 500
LONGEST_MARKED = 200_000  # characters; looking through more would hold the window up


def mark_words(widget: QWidget, words: str, theme: Theme) -> int:
    """Mark what fits ``words`` in every text of ``widget``; no words unmark. Returns how many places."""
    marked = 0
    for text in widget.findChildren(QTextEdit):
        selections = []
        for start, end in _places(text.toPlainText(), words)[: MOST_MARKS - marked]:
            cursor = QTextCursor(text.document())
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            selections.append(_selection(cursor, theme))
        text.setExtraSelections(selections)
        marked += len(selections)
    return marked


def _places(text: str, words: str) -> list[tuple[int, int]]:
    """The matches in Qt's positions, which count characters outside of the basic plane twice."""
    if not words.strip() or len(text) > LONGEST_MARKED:
        return []
    spans = matching_spans(text, words)
    if text.isascii() or max(text, default="") < "\U00010000":
        return list(spans)
    return [(_utf16(text[:start]), _utf16(text[:end])) for start, end in spans]


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _selection(cursor: QTextCursor, theme: Theme) -> QTextEdit.ExtraSelection:
    selection = QTextEdit.ExtraSelection()
    shape = QTextCharFormat()
    shape.setBackground(theme.color("highlight_text"))
    shape.setForeground(theme.color("text"))
    selection.cursor, selection.format = cursor, shape
    return selection
