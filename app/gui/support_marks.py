"""How it shows whether the passages bear a sentence: a line under it, never by colour alone, and words for it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextDocument

from app.domain.citations import AnswerSentence, Support
from app.gui.theme import Appearance

Line = QTextCharFormat.UnderlineStyle


@dataclass(frozen=True, slots=True)
class SupportLook:
    """A line under a sentence, its colour in the theme, what it means, and that in a legend."""

    line: QTextCharFormat.UnderlineStyle
    color: str
    words: str
    legend: str


LOOKS = {
    Support.UNSUPPORTED: SupportLook(
        Line.DotLine, "warning", "No passage supports this.", "Dotted: no passage supports it"
    ),
    Support.PARTLY: SupportLook(
        Line.DashUnderline, "warning", "The passages support only a part of this.", "Dashed: only a part of it"
    ),
    Support.GENERAL: SupportLook(
        Line.DashDotLine,
        "text_secondary",
        "General knowledge, not from your documents.",
        "Dashes and dots: general knowledge",
    ),
}


@dataclass(frozen=True, slots=True)
class SupportMark:
    """A marked sentence in a text document: its positions there."""

    start: int
    end: int
    sentence: AnswerSentence

    @property
    def words(self) -> str:
        """What the mark says: its meaning, and the reason where one is known."""
        look = LOOKS[self.sentence.support]
        return f"{look.words} {self.sentence.reason}".strip()


class SupportMarking:
    """Underlines the sentences that the passages don't bear in ``document``, some at a time.

    ``sentences`` are in the order of the document; ``as_set`` says how the text of one reads once it is set. ``marks``
    are those made so far.
    """

    def __init__(
        self,
        document: QTextDocument,
        sentences: Sequence[AnswerSentence],
        as_set: Callable[[str], str],
        appearance: Appearance,
    ) -> None:
        self._document = document
        self._sentences = sentences
        self._as_set = as_set
        self._appearance = appearance
        self._next = 0
        self._position = 0
        self.marks: list[SupportMark] = []

    def advance(self, count: int) -> bool:
        """Look for the next ``count`` sentences. Returns whether there are more."""
        for sentence in self._sentences[self._next : self._next + count]:
            text = self._as_set(sentence.text)
            found = self._document.find(text, self._position) if text else QTextCursor()
            if not found.isNull():
                self._position = found.selectionEnd()
                self._mark(sentence, found)
        self._next += count
        return self._next < len(self._sentences)

    def _mark(self, sentence: AnswerSentence, found: QTextCursor) -> None:
        if sentence.support in LOOKS:
            found.mergeCharFormat(support_format(sentence.support, self._appearance))
            self.marks.append(SupportMark(found.selectionStart(), found.selectionEnd(), sentence))


def support_format(support: Support, appearance: Appearance) -> QTextCharFormat:
    """The line under a sentence."""
    look = LOOKS[support]
    characters = QTextCharFormat()
    characters.setUnderlineStyle(look.line)
    characters.setUnderlineColor(appearance.theme.color(look.color))
    return characters


def support_counts(sentences: Sequence[AnswerSentence]) -> Iterator[tuple[Support, int]]:
    """How many sentences there are of each kind that is shown."""
    shown = [sentence.support for sentence in sentences]
    for support in (Support.SUPPORTED, Support.PARTLY, Support.UNSUPPORTED, Support.GENERAL):
        if support in shown:
            yield support, shown.count(support)


def legend(supports: Container[Support]) -> str:
    """What the lines under sentences of these kinds mean, in one line; empty where none has a line."""
    return " · ".join(look.legend for support, look in LOOKS.items() if support in supports)
