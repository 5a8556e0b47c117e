"""How documents are set in the viewer: formats for each kind of text, from the theme in force and a zoom."""

from __future__ import annotations

from functools import cached_property

from PySide6.QtGui import (
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextFormat,
    QTextLength,
    QTextOption,
    QTextTableFormat,
)

from app.gui.code_tokens import CODE_ROLES
from app.gui.reading.blocks import Block, BlockKind
from app.gui.theme import Appearance

NUMBER_PROPERTY = QTextFormat.Property.UserProperty + 11
PANEL_PROPERTY = QTextFormat.Property.UserProperty + 12
QUOTE_PROPERTY = QTextFormat.Property.UserProperty + 13
DIVIDER_PROPERTY = QTextFormat.Property.UserProperty + 14
HEADING_SIZES = {1: 1.42, 2: 1.24, 3: 1.12}
ITEM_INDENT, MARK_WIDTH, QUOTE_INDENT, COLUMN_WIDTH = 18, 22, 18, 112
NUMBER_WIDTH = 4.2  # in digits
MANY_COLUMNS = 6


class ReadingStyle:
    """Made anew for every theme and zoom. ``zoom`` multiplies every size."""

    def __init__(self, appearance: Appearance, zoom: float = 1.0) -> None:
        self._appearance = appearance
        self._zoom = zoom
        self._characters: dict[str, QTextCharFormat] = {}

    @cached_property
    def font(self) -> QFont:
        """The font of running text."""
        font = QFont(self._appearance.font)
        font.setPointSizeF(self._appearance.scale.sizes["body"] * 1.03 * self._zoom)
        return font

    @cached_property
    def code_font(self) -> QFont:
        """The font of source code."""
        font = QFont(self._appearance.monospace())
        font.setPointSizeF(self._appearance.scale.sizes["body"] * 0.93 * self._zoom)
        return font

    def block(self, block: Block, *, first: bool = False, last: bool = False) -> QTextBlockFormat:
        """The format of a block. ``first`` and ``last`` are said of the lines of a run of code."""
        form = QTextBlockFormat()
        percent = 130 if block.kind is BlockKind.CODE else 142
        form.setLineHeight(percent, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        if block.kind is BlockKind.CODE:
            self._set_code(form, block, first=first, last=last)
        elif block.kind is BlockKind.HEADING:
            form.setHeadingLevel(min(block.level, 6))
            form.setTopMargin(16 if block.level < 3 else 10)
            form.setBottomMargin(5)
        elif block.kind is BlockKind.DIVIDER:
            form.setTopMargin(22)
            form.setBottomMargin(8)
            form.setProperty(DIVIDER_PROPERTY, True)
        elif block.kind is BlockKind.RULE:
            full = QTextLength(QTextLength.Type.PercentageLength, 100)
            form.setProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth, full)
        else:
            self._set_prose(form, block)
        return form

    def _set_prose(self, form: QTextBlockFormat, block: Block) -> None:
        form.setTopMargin(0 if block.tight else 8)
        if block.kind is BlockKind.ITEM:
            form.setTopMargin(2 if block.tight else 5)
            form.setLeftMargin((ITEM_INDENT * block.level + MARK_WIDTH) * self._zoom)
            form.setTextIndent(-MARK_WIDTH * self._zoom)
            form.setTabPositions([QTextOption.Tab(MARK_WIDTH * self._zoom, QTextOption.TabType.LeftTab)])
        elif block.kind is BlockKind.QUOTE:
            form.setLeftMargin(QUOTE_INDENT * (block.level + 1))
            form.setProperty(QUOTE_PROPERTY, block.level)

    def _set_code(self, form: QTextBlockFormat, block: Block, *, first: bool, last: bool) -> None:
        if block.number:
            form.setProperty(NUMBER_PROPERTY, block.number)
            form.setLeftMargin(self.number_width + 12)
            return
        form.setProperty(PANEL_PROPERTY, True)
        form.setLeftMargin(14)
        form.setRightMargin(14)
        form.setTopMargin(18 if first else 0)
        form.setBottomMargin(16 if last else 0)

    @cached_property
    def number_width(self) -> float:
        """How much room line numbers take, in pixels."""
        from PySide6.QtGui import QFontMetricsF

        return QFontMetricsF(self.code_font).horizontalAdvance("0") * NUMBER_WIDTH

    def text(self, block: Block, style: str) -> QTextCharFormat:
        """The format of a run in ``block``. ``style`` names what is added to it."""
        base = f"h{min(block.level, 4)}" if block.kind is BlockKind.HEADING else block.kind.value
        key = f"{base} {style}"
        if key not in self._characters:
            self._characters[key] = self._made(block, style.split())
        return self._characters[key]

    def cell(self, style: str, *, header: bool, columns: int) -> QTextCharFormat:
        """The format of a run in a table."""
        key = f"cell {header} {columns > MANY_COLUMNS} {style}"
        if key not in self._characters:
            characters = self._made(Block(BlockKind.PARAGRAPH, ()), style.split())
            if header:
                characters.setFontWeight(QFont.Weight.DemiBold)
            factor = 0.84 if columns > MANY_COLUMNS else 0.94
            characters.setFontPointSize(characters.fontPointSize() * factor)
            self._characters[key] = characters
        return self._characters[key]

    def table(self, columns: int) -> QTextTableFormat:
        """A table with hairlines, as wide as the page, or wider if it has many columns."""
        form = QTextTableFormat()
        form.setBorder(1)
        form.setBorderCollapse(True)
        form.setBorderStyle(QTextTableFormat.BorderStyle.BorderStyle_Solid)
        form.setBorderBrush(self._appearance.theme.color("border"))
        form.setCellPadding(5)
        form.setCellSpacing(0)
        form.setTopMargin(8)
        form.setBottomMargin(8)
        form.setHeaderRowCount(1)
        if columns > MANY_COLUMNS:
            fixed = QTextLength(QTextLength.Type.FixedLength, COLUMN_WIDTH * self._zoom)
            form.setColumnWidthConstraints([fixed] * columns)
        return form

    def header_ground(self) -> QTextCharFormat:
        """The ground behind a header's cells."""
        ground = QTextCharFormat()
        ground.setBackground(self._appearance.theme.color("sunken"))
        return ground

    def _made(self, block: Block, styles: list[str]) -> QTextCharFormat:
        theme = self._appearance.theme
        code = block.kind is BlockKind.CODE or "code" in styles
        font = self.code_font if code else self.font
        characters = QTextCharFormat()
        characters.setFontFamilies(font.families() or [font.family()])
        characters.setFontPointSize(font.pointSizeF())
        characters.setForeground(theme.color("text"))
        if block.kind is BlockKind.HEADING:
            characters.setFontWeight(QFont.Weight.DemiBold)
            characters.setFontPointSize(font.pointSizeF() * HEADING_SIZES.get(block.level, 1.0))
        if block.kind is BlockKind.DIVIDER:
            characters.setFontWeight(QFont.Weight.DemiBold)
            characters.setFontPointSize(font.pointSizeF() * 0.84)
            characters.setForeground(theme.color("text_tertiary"))
        for style in styles:
            self._add(characters, style)
        return characters

    def _add(self, characters: QTextCharFormat, style: str) -> None:
        theme = self._appearance.theme
        if style == "bold":
            characters.setFontWeight(QFont.Weight.DemiBold)
        elif style == "italic":
            characters.setFontItalic(True)
        elif style == "strike":
            characters.setFontStrikeOut(True)
        elif style == "link":
            characters.setForeground(theme.color("accent"))
        elif style == "quiet":
            characters.setForeground(theme.color("text_tertiary"))
        elif style == "code":
            characters.setBackground(theme.color("code"))
        elif style in CODE_ROLES:
            characters.setForeground(theme.color(f"code_{style}"))
