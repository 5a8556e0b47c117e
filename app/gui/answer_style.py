"""How answers are set: formats for each kind of text, from the theme in force."""

from __future__ import annotations

from functools import cached_property

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QTextBlockFormat, QTextCharFormat, QTextFormat, QTextLength, QTextTableFormat

from app.gui.theme import Appearance

CHIP_PROPERTY = QTextFormat.Property.UserProperty + 1
CODE_PROPERTY = QTextFormat.Property.UserProperty + 2
QUOTE_PROPERTY = QTextFormat.Property.UserProperty + 3
TEX_PROPERTY = QTextFormat.Property.UserProperty + 4
DISPLAY_PROPERTY = QTextFormat.Property.UserProperty + 5
SOURCE_PROPERTY = QTextFormat.Property.UserProperty + 6
FORMULA_OBJECT = QTextFormat.ObjectTypes.UserObject + 1
CHIP_SIZE = 0.76
CHIP_RAISE = 22
CODE_PADDING = 14
CODE_HEADER = 26
CODE_ROLES = ("comment", "keyword", "name", "number", "string")
QUOTE_INDENT = 16
HEADING_SIZES = {1: 1.4, 2: 1.22, 3: 1.1}


class AnswerStyle:
    """Fonts and formats for an answer. Made anew when the theme changes.

    Formats of characters are made once: an answer asks for them several times a word.
    """

    def __init__(self, appearance: Appearance) -> None:
        self.appearance = appearance
        self._chips: dict[int, tuple[QTextCharFormat, QTextCharFormat]] = {}

    @cached_property
    def font(self) -> QFont:
        """The font of running text."""
        font = QFont(self.appearance.font)
        font.setPointSizeF(self.appearance.scale.sizes["answer"])
        return font

    def paragraph(self) -> QTextBlockFormat:
        """A paragraph of running text."""
        block = QTextBlockFormat()
        block.setLineHeight(142, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        block.setBottomMargin(10)
        return block

    def picture_line(self) -> QTextBlockFormat:
        """For a line with a picture, which is high enough by itself."""
        block = QTextBlockFormat()
        block.setLineHeight(100, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        return block

    def heading(self, level: int) -> QTextBlockFormat:
        """A heading of that level, 1 to 6."""
        block = self.paragraph()
        block.setHeadingLevel(level)
        block.setTopMargin(8)
        block.setBottomMargin(6)
        return block

    def list_item(self) -> QTextBlockFormat:
        """One item of a list."""
        block = self.paragraph()
        block.setBottomMargin(4)
        return block

    def quotation(self, level: int) -> QTextBlockFormat:
        """A paragraph of a quotation; the bar beside it is painted by the view."""
        block = self.paragraph()
        block.setLeftMargin(QUOTE_INDENT * level)
        block.setProperty(QUOTE_PROPERTY, level)
        return block

    def code_line(self, *, first: bool, last: bool) -> QTextBlockFormat:
        """A line of a code block; the panel behind it is painted by the view."""
        block = QTextBlockFormat()
        block.setLineHeight(128, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        block.setLeftMargin(CODE_PADDING)
        block.setRightMargin(CODE_PADDING)
        block.setTopMargin(CODE_PADDING + CODE_HEADER if first else 0)
        block.setBottomMargin(CODE_PADDING + 10 if last else 0)
        block.setProperty(CODE_PROPERTY, True)
        return block

    def rule(self) -> QTextBlockFormat:
        """A horizontal rule."""
        block = QTextBlockFormat()
        full = QTextLength(QTextLength.Type.PercentageLength, 100)
        block.setProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth, full)
        block.setBottomMargin(10)
        return block

    def after_table(self) -> QTextBlockFormat:
        """The block that Qt wants behind a table, as flat as it can be."""
        block = QTextBlockFormat()
        block.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        block.setBottomMargin(14)
        return block

    def text(self) -> QTextCharFormat:
        """Running text, for the caller to change."""
        return QTextCharFormat(self._text)

    @cached_property
    def _text(self) -> QTextCharFormat:
        characters = QTextCharFormat()
        characters.setForeground(self.appearance.theme.color("text"))
        return characters

    def heading_text(self, level: int) -> QTextCharFormat:
        """The text of a heading."""
        characters = self.text()
        characters.setFontWeight(QFont.Weight.DemiBold)
        characters.setFontPointSize(self.font.pointSizeF() * HEADING_SIZES.get(level, 1.0))
        return characters

    @cached_property
    def code_text(self) -> QTextCharFormat:
        """Text in code blocks."""
        characters = self.text()
        mono = self.appearance.monospace(0.93)
        characters.setFontFamilies(mono.families())
        characters.setFontFixedPitch(True)
        characters.setFontPointSize(mono.pointSizeF())
        return characters

    @cached_property
    def code_span(self) -> QTextCharFormat:
        """Code in running text."""
        characters = QTextCharFormat(self.code_text)
        characters.setBackground(self.appearance.theme.color("code"))
        return characters

    @cached_property
    def code_colours(self) -> dict[str, QTextCharFormat]:
        """What is laid over keywords, strings and so on, by role."""
        found = {}
        for role in CODE_ROLES:
            found[role] = QTextCharFormat()
            found[role].setForeground(self.appearance.theme.color(f"code_{role}"))
        return found

    def formula(self, tex: str, source: str, display: bool) -> QTextCharFormat:
        """The place of a formula; it is painted by the view."""
        characters = self.text()
        characters.setObjectType(FORMULA_OBJECT)
        characters.setProperty(TEX_PROPERTY, tex)
        characters.setProperty(DISPLAY_PROPERTY, display)
        characters.setProperty(SOURCE_PROPERTY, source)
        return characters

    def link(self, base: QTextCharFormat, href: str) -> QTextCharFormat:
        """``base`` as a link."""
        characters = QTextCharFormat(base)
        characters.setAnchor(True)
        characters.setAnchorHref(href)
        characters.setForeground(self.appearance.theme.color("accent"))
        characters.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
        return characters

    def chip(self, number: int) -> tuple[QTextCharFormat, QTextCharFormat]:
        """The number of a footnote and the brackets around it.

        The brackets are there for copying and for screen readers, invisible as padding; the pill behind both is painted
        by the view.
        """
        if number not in self._chips:
            characters = self._chip(number)
            brackets = QTextCharFormat(characters)
            brackets.setForeground(Qt.GlobalColor.transparent)
            self._chips[number] = (characters, brackets)
        return self._chips[number]

    def _chip(self, number: int) -> QTextCharFormat:
        characters = QTextCharFormat()
        characters.setFontPointSize(self.font.pointSizeF() * CHIP_SIZE)
        characters.setFontWeight(QFont.Weight.DemiBold)
        characters.setBaselineOffset(CHIP_RAISE)
        characters.setForeground(self.appearance.theme.color("accent"))
        characters.setAnchor(True)
        characters.setAnchorHref(f"footnote:{number}")
        characters.setUnderlineStyle(QTextCharFormat.UnderlineStyle.NoUnderline)
        characters.setProperty(CHIP_PROPERTY, number)
        return characters

    def table(self) -> QTextTableFormat:
        """A table with hairlines."""
        table = QTextTableFormat()
        table.setBorder(1)
        table.setBorderCollapse(True)
        table.setBorderStyle(QTextTableFormat.BorderStyle.BorderStyle_Solid)
        table.setBorderBrush(self.appearance.theme.color("border"))
        table.setCellPadding(7)
        table.setCellSpacing(0)
        table.setTopMargin(4)
        table.setBottomMargin(4)
        return table
