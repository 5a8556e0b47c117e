"""An answer that grows in a text document: what is closed is never touched again."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtGui import QTextCursor, QTextDocument

from app.domain.citations import AnswerSentence, Support
from app.gui.answer_style import AnswerStyle
from app.gui.answer_writer import FEATURES, IMAGE_CHARACTER, AnswerWriter, Chip, CodeBlock, Mark, Placed
from app.gui.formulas import FIRST_PLACEHOLDER, lift_formulas
from app.gui.markdown_blocks import BlockSplitter
from app.gui.support_marks import SupportMark, SupportMarking

# Text that can't change how what stands before it is read; anything else makes the open block be written anew.
PLAIN = re.compile(r"[^\n\\`*_~\[\]()<>#|!&:/.\-+=$]*\Z")
FENCE_CHARACTERS = re.compile(r"[`~]")
LONGEST_REWRITTEN_TAIL = 4000
SENTENCES_AT_ONCE = 20


class StreamedAnswer:
    """Feeds Markdown into ``document`` as it arrives.

    Closed blocks are final. The open block is written anew when Markdown in it may have changed, which costs in
    proportion to that block and not to the answer; plain words are only appended, and so is everything once the open
    block is very long.
    """

    def __init__(self, document: QTextDocument, style: AnswerStyle) -> None:
        self._document = document
        self._style = style
        self._pieces: list[str] = []
        self._closed = Mark()
        self._tail_in_step = False
        self._begin()
        self.mark_support(())

    @property
    def chips(self) -> Sequence[Chip]:
        """The footnote markers, in order."""
        return self._writer.chips

    @property
    def links(self) -> Sequence[str]:
        """Targets of the links, by number."""
        return self._writer.links

    @property
    def codes(self) -> Sequence[CodeBlock]:
        """The code blocks, in order; the last one may still grow."""
        return self._writer.codes

    @property
    def closed_codes(self) -> int:
        """How many of the code blocks can no longer change."""
        return self._closed.codes

    @property
    def objects(self) -> Sequence[Placed]:
        """Formulas and pictures, in order."""
        return self._writer.objects

    def code_end(self, code: CodeBlock) -> int:
        """The position behind the last character of a code block, one that grows too."""
        grows = self._splitter.in_fence and code is self._writer.codes[-1]
        return self._document.characterCount() - 1 if grows else code.end

    def code_text(self, code: CodeBlock) -> str:
        """The text of a code block."""
        cursor = QTextCursor(self._document)
        cursor.setPosition(code.start)
        cursor.setPosition(self.code_end(code), QTextCursor.MoveMode.KeepAnchor)
        return cursor.selection().toPlainText()

    @property
    def source_text(self) -> str:
        """The Markdown that was shown or appended so far."""
        return "".join(self._pieces)

    def show(self, text: str, numbers: Container[int]) -> None:
        """Start again with a complete text in which ``numbers`` are footnotes."""
        self._begin()
        self._pieces = [text]
        self._writer.numbers = numbers
        with self._one_change():
            for block in [*self._splitter.feed(text), *self._splitter.finish()]:
                self._writer.write(block)
        self._closed = self._writer.mark()

    def append(self, text: str, numbers: Container[int]) -> None:
        """More text has arrived."""
        self._writer.numbers = numbers
        self._pieces.append(text)
        closed = self._splitter.feed(text)
        if not closed and self._can_append(text):
            self._writer.write_verbatim(text)
            return
        with self._one_change():
            self._writer.cut(self._closed)
            for block in closed:
                self._writer.write(block)
            self._closed = self._writer.mark()
            self._write_tail()

    def rewrite_tail(self, numbers: Container[int]) -> None:
        """Write the open block anew because more footnotes are known."""
        self._writer.numbers = numbers
        with self._one_change():
            self._writer.cut(self._closed)
            self._write_tail()

    def finish(self) -> None:
        """There is no more text."""
        with self._one_change():
            self._writer.cut(self._closed)
            for block in self._splitter.finish():
                self._writer.write(block)
        self._closed = self._writer.mark()
        self._tail_in_step = False

    def mark_support(self, sentences: Sequence[AnswerSentence]) -> None:
        """Underline the sentences that the passages don't bear, each kind with a line of its own, by ``mark_more``."""
        self._marking = SupportMarking(self._document, sentences, plain_text_of, self._style.appearance)

    def mark_more(self) -> bool:
        """Go through the next ``SENTENCES_AT_ONCE`` sentences. Returns whether there are more."""
        with self._one_change():
            return self._marking.advance(SENTENCES_AT_ONCE)

    @property
    def marks(self) -> Sequence[SupportMark]:
        """The sentences underlined so far, in order."""
        return self._marking.marks

    def unsupported_texts(self) -> list[str]:
        """What is underlined as unsupported, in order."""
        return [
            self._text_between(mark.start, mark.end)
            for mark in self.marks
            if mark.sentence.support is Support.UNSUPPORTED
        ]

    def _text_between(self, start: int, end: int) -> str:
        cursor = QTextCursor(self._document)
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor.selectedText()

    @contextmanager
    def _one_change(self) -> Iterator[None]:
        """Have the text laid out once for all that is written inside."""
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        try:
            yield
        finally:
            cursor.endEditBlock()

    def _begin(self) -> None:
        self._document.clear()
        self._document.setDefaultFont(self._style.font)
        self._document.setDocumentMargin(0)
        self._document.setIndentWidth(24)
        self._document.setUndoRedoEnabled(False)
        self._splitter = BlockSplitter()
        self._pieces = []
        self._writer = AnswerWriter(self._document, self._style)
        self._closed = Mark()
        self._tail_in_step = False

    def _write_tail(self) -> None:
        tail = self._splitter.tail
        if tail.strip():
            self._writer.write(tail)
        # Markdown drops spaces at the end, so that a word appended behind them would stick to the one before.
        self._tail_in_step = tail[-1:].strip() != ""

    def _can_append(self, text: str) -> bool:
        if not self._tail_in_step:
            return False
        if self._splitter.in_fence:
            return not FENCE_CHARACTERS.search(text)
        return bool(PLAIN.match(text)) or self._writer.mark().position - self._closed.position > LONGEST_REWRITTEN_TAIL


def plain_text_of(markdown: str) -> str:
    """How a sentence of Markdown reads once it is set."""
    source = QTextDocument()
    lifted, formulas = lift_formulas(markdown.strip())
    source.setMarkdown(lifted, FEATURES)
    text = source.toPlainText().strip()
    for number in range(len(formulas)):
        text = text.replace(chr(FIRST_PLACEHOLDER + number), IMAGE_CHARACTER)
    return text
