"""Writing Markdown into a text document, safely and only at its end.

Qt parses each block of Markdown in a document of its own that is never laid out, so that nothing in it is ever loaded;
what it holds is then written anew into the document on the screen: text, emphasis, lists, tables, code, formulas.
Images become their descriptions unless they are in the text itself, links become numbers into ``links``, HTML stays
text.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import (
    QFont,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFragment,
    QTextFrame,
    QTextImageFormat,
    QTextLength,
    QTextList,
    QTextTable,
)

from app.gui.answer_style import CODE_PROPERTY, AnswerStyle
from app.gui.formulas import FoundFormula, formula_at, lift_formulas
from app.gui.pictures import picture_from

MARKER = re.compile(r"\[(\d{1,3})\]|[\ue000-\uf770]")
AFTER_LIST = 8.0
IMAGE_CHARACTER = "\ufffc"
PICTURE_SCHEME = "picture"
LARGEST_PICTURE = QSize(560, 420)
BELOW_TABLE = 12
LONGEST_LANGUAGE = 24
FEATURES = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML


@dataclass(frozen=True, slots=True)
class Chip:
    """A footnote marker in the document: its positions and its number."""

    start: int
    end: int
    number: int


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A code block in the document: the positions of its first character and behind its last one, and its language."""

    start: int
    end: int
    language: str


@dataclass(frozen=True, slots=True)
class Placed:
    """Something in the document that is no text: where it stands, how it was typed, and the formula if it is one."""

    position: int
    source: str
    formula: FoundFormula | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the document to which it can be cut back."""

    position: int = 0
    fresh: bool = True
    chips: int = 0
    links: int = 0
    codes: int = 0
    objects: int = 0
    below_table: bool = False


class AnswerWriter:
    """Appends Markdown blocks to ``document``.

    ``fresh`` says that the last block of the document is empty and waits for content. ``chips``, ``links``, ``codes``
    and ``objects`` (formulas and pictures) grow as blocks are written.
    """

    def __init__(self, document: QTextDocument, style: AnswerStyle) -> None:
        self._document = document
        self._style = style
        self._cursor = QTextCursor(document)
        self._lists: dict[int, QTextList] = {}
        self.fresh, self._below_table = True, False
        self.chips: list[Chip] = []
        self.links: list[str] = []
        self.codes: list[CodeBlock] = []
        self.objects: list[Placed] = []
        self._formulas: list[FoundFormula] = []
        self.numbers: Container[int] = ()

    def write(self, markdown: str) -> None:
        """Append the blocks of ``markdown``."""
        source = QTextDocument()
        lifted, self._formulas = lift_formulas(markdown)
        source.setMarkdown(lifted, FEATURES)
        self._lists = {}
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._write_frame(source.rootFrame())

    def write_verbatim(self, text: str) -> None:
        """Append text in the format that the document ends with, without looking for Markdown in it."""
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        if "\n" not in text or not self._cursor.blockFormat().hasProperty(CODE_PROPERTY):
            self._cursor.insertText(text)
            return
        characters = self._cursor.charFormat()
        for number, line in enumerate(text.split("\n")):
            if number:
                first = self._cursor.block().position() == self.codes[-1].start
                self._cursor.setBlockFormat(self._style.code_line(first=first, last=False))
                self._cursor.insertBlock(self._style.code_line(first=False, last=True), characters)
            self._cursor.insertText(line, characters)

    def mark(self) -> Mark:
        """The end of the document as it is now."""
        position = self._document.characterCount() - 1
        counts = len(self.chips), len(self.links), len(self.codes), len(self.objects)
        return Mark(position, self.fresh, *counts, below_table=self._below_table)

    def cut(self, mark: Mark) -> None:
        """Take away everything that was written after ``mark`` was made."""
        self._cursor.setPosition(mark.position)
        self._cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        self._cursor.removeSelectedText()
        self.fresh, self._below_table = mark.fresh, mark.below_table
        del self.chips[mark.chips :]
        del self.links[mark.links :]
        del self.codes[mark.codes :]
        del self.objects[mark.objects :]

    # -- blocks ----------------------------------------------------------------------------------------------------

    def _write_frame(self, frame: QTextFrame) -> None:
        parts = list(_parts(frame))
        for number, part in enumerate(parts):
            if isinstance(part, QTextTable):
                self._write_table(part)
            elif isinstance(part, QTextFrame):
                self._write_frame(part)
            elif part.text() or part.textList() or _is_rule(part) or _is_code(part):
                before = parts[number - 1] if number else None
                after = parts[number + 1] if number + 1 < len(parts) else None
                self._write_block(part, before, after)

    def _write_block(self, block: QTextBlock, before: object, after: object) -> None:
        kind = block.blockFormat()
        base = self._style.text()
        if _is_code(block):
            base = self._style.code_text
            form = self._style.code_line(first=not _is_code(before), last=not _is_code(after))
        elif _is_rule(block):
            form = self._style.rule()
        elif kind.headingLevel():
            form = self._style.heading(kind.headingLevel())
            base = self._style.heading_text(kind.headingLevel())
        elif block.textList():
            form = self._style.list_item()
            form.setMarker(kind.marker())
        elif level := kind.intProperty(QTextFormat.Property.BlockQuoteLevel):
            form = self._style.quotation(level)
        else:
            form = self._style.paragraph()
        if self._cursor.block().textList() and not block.textList():
            form.setTopMargin(max(form.topMargin(), AFTER_LIST))
        if self._is_display(block):
            form.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._begin_block(form, base)
        if block.textList():
            self._join_list(block.textList())
        start = self._cursor.position()
        self._write_text(block, base, verbatim=_is_code(block))
        if _is_code(block):
            self._note_code(block, start, first=not _is_code(before))

    def _note_code(self, block: QTextBlock, start: int, *, first: bool) -> None:
        if first:
            language = str(block.blockFormat().property(QTextFormat.Property.BlockCodeLanguage) or "")
            self.codes.append(CodeBlock(start, self._cursor.position(), language.strip()[:LONGEST_LANGUAGE]))
        else:
            begun = self.codes[-1]
            self.codes[-1] = CodeBlock(begun.start, self._cursor.position(), begun.language)

    def _is_display(self, block: QTextBlock) -> bool:
        text = block.text().strip()
        formula = formula_at(text, self._formulas) if len(text) == 1 else None
        return formula is not None and formula.display

    def _begin_block(self, form: QTextBlockFormat, base: QTextCharFormat) -> None:
        if self.fresh:
            if self._below_table:  # whose own block is taken
                form.setTopMargin(max(form.topMargin(), BELOW_TABLE))
            self._cursor.setBlockFormat(form)
            self._cursor.setBlockCharFormat(base)
        else:
            self._cursor.insertBlock(form, base)
            if self._cursor.currentList() is not None:
                self._cursor.currentList().remove(self._cursor.block())
                self._cursor.setBlockFormat(form)
        self.fresh = self._below_table = False

    def _join_list(self, source: QTextList) -> None:
        known = self._lists.get(source.objectIndex())
        if known is None:
            self._lists[source.objectIndex()] = self._cursor.createList(source.format())
        else:
            known.add(self._cursor.block())

    def _write_table(self, table: QTextTable) -> None:
        if self.fresh:
            self._cursor.setBlockFormat(self._style.after_table())
        else:
            self._cursor.insertBlock(self._style.after_table())
        written = self._cursor.insertTable(table.rows(), table.columns(), self._style.table())
        for row in range(table.rows()):
            for column in range(table.columns()):
                base = self._style.text()
                if row == 0:
                    base.setFontWeight(QFont.Weight.DemiBold)
                source = table.cellAt(row, column).firstCursorPosition().block()
                self._cursor = written.cellAt(row, column).firstCursorPosition()
                form = QTextBlockFormat()
                form.setAlignment(source.blockFormat().alignment())
                self._cursor.setBlockFormat(form)
                self._write_text(source, base, verbatim=False)
        self._cursor = QTextCursor(self._document)
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._cursor.setBlockFormat(self._style.after_table())
        self.fresh = self._below_table = True

    # -- text ------------------------------------------------------------------------------------------------------

    def _write_text(self, block: QTextBlock, base: QTextCharFormat, *, verbatim: bool) -> None:
        for fragment in _fragments(block):
            text = fragment.text()
            source = fragment.charFormat()
            if verbatim:
                self._cursor.insertText(self._typed(text), base)
            elif source.isImageFormat():
                self._write_image(source.toImageFormat(), base)
            elif source.fontFixedPitch():
                self._cursor.insertText(self._typed(text), self._style.code_span)
            else:
                self._write_marked(text.replace(IMAGE_CHARACTER, ""), self._emphasised(base, source))

    def _emphasised(self, base: QTextCharFormat, source: QTextCharFormat) -> QTextCharFormat:
        characters = QTextCharFormat(base)
        if source.fontWeight() > QFont.Weight.Medium:
            characters.setFontWeight(QFont.Weight.DemiBold)
        if source.fontItalic():
            characters.setFontItalic(True)
        if source.fontStrikeOut():
            characters.setFontStrikeOut(True)
        if source.anchorHref():
            self.links.append(source.anchorHref())
            return self._style.link(characters, f"link:{len(self.links) - 1}")
        return characters

    def _write_image(self, image: QTextImageFormat, base: QTextCharFormat) -> None:
        """A picture that is in the text itself. What would have to be fetched becomes its description."""
        description = image.property(QTextFormat.Property.ImageAltText) or "not shown"
        picture = picture_from(image.name())
        if picture is None:
            self._cursor.insertText(f"[image: {description}]", base)
            return
        name = f"{PICTURE_SCHEME}:{len(self.objects)}"
        self._document.addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(name), picture)
        self.objects.append(Placed(self._cursor.position(), f"[image: {description}]"))
        shown = QTextImageFormat()
        shown.setName(name)
        size = picture.size().scaled(picture.size().boundedTo(LARGEST_PICTURE), Qt.AspectRatioMode.KeepAspectRatio)
        shown.setWidth(size.width())  # its height follows, also where the column is narrower
        shown.setMaximumWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        self._cursor.insertImage(shown)
        self._cursor.mergeBlockFormat(self._style.picture_line())

    def _typed(self, text: str) -> str:
        """Text in which formulas stand as they were typed."""
        if not self._formulas:
            return text
        found = ((formula_at(character, self._formulas), character) for character in text)
        return "".join(formula.source if formula else character for formula, character in found)

    def _write_marked(self, text: str, characters: QTextCharFormat) -> None:
        position = 0
        for match in MARKER.finditer(text):
            formula = formula_at(match[0], self._formulas) if len(match[0]) == 1 else None
            number = int(match[1]) if match[1] else None
            if formula is None and number not in self.numbers:
                continue
            self._cursor.insertText(text[position : match.start()], characters)
            position = match.end()
            if formula is not None:
                self._write_formula(formula)
            elif number is not None:
                self._write_chip(number)
        self._cursor.insertText(text[position:], characters)

    def _write_formula(self, formula: FoundFormula) -> None:
        self.objects.append(Placed(self._cursor.position(), formula.source, formula))
        self._cursor.insertText(IMAGE_CHARACTER, self._style.formula(formula.tex, formula.source, formula.display))

    def _write_chip(self, number: int) -> None:
        start = self._cursor.position()
        digits, brackets = self._style.chip(number)
        self._cursor.insertText("[", brackets)
        self._cursor.insertText(str(number), digits)
        self._cursor.insertText("]", brackets)
        self.chips.append(Chip(start, self._cursor.position(), number))


def _parts(frame: QTextFrame) -> Iterator[QTextFrame | QTextBlock]:
    walk = frame.begin()
    while not walk.atEnd():
        child = walk.currentFrame()
        if child is not None:
            yield child
        elif walk.currentBlock().isValid():
            yield walk.currentBlock()
        walk += 1


def _fragments(block: QTextBlock) -> Iterator[QTextFragment]:
    walk = block.begin()
    while not walk.atEnd():
        yield walk.fragment()
        walk += 1


def _is_code(part: object) -> bool:
    return isinstance(part, QTextBlock) and part.blockFormat().hasProperty(QTextFormat.Property.BlockCodeFence)


def _is_rule(block: QTextBlock) -> bool:
    return block.blockFormat().hasProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth)
