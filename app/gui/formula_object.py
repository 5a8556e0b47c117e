"""Formulas among the words of an answer: how large they are, and painting them."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QObject, QRect, QRectF, QSizeF
from PySide6.QtGui import QFontInfo, QFontMetricsF, QPainter, QPyTextObject, QTextDocument, QTextFormat
from PySide6.QtSvg import QSvgRenderer

from app.gui.answer_style import DISPLAY_PROPERTY, SOURCE_PROPERTY, TEX_PROPERTY, AnswerStyle
from app.gui.formulas import INK, Formula
from app.gui.typesetting import Typesetting

LARGER = 1.16
"""The letters of the formulas' font are smaller than those of interface fonts of the same size."""
DEEPEST = 0.5
"""How far, in ems, a formula may hang below its line without being lifted: the space between lines has room for it."""


class FormulaObject(QPyTextObject):
    """Paints formulas as they are known, and as they were typed until then."""

    def __init__(self, style: AnswerStyle, typesetting: Typesetting, parent: QObject) -> None:
        super().__init__(parent)
        self._style = style
        self._typesetting = typesetting
        self._metrics = QFontMetricsF(style.code_text.font())
        self._em = QFontInfo(style.font).pixelSize() * LARGER
        self._renderers: dict[str, QSvgRenderer] = {}

    def intrinsicSize(self, _document: QTextDocument, _position: int, format: QTextFormat) -> QSizeF:
        """Its width, and its height above the line it stands on."""
        formula = self._formula(format)
        if formula is None:
            source = str(format.property(SOURCE_PROPERTY))
            return QSizeF(self._metrics.horizontalAdvance(source) + 4, self._metrics.ascent())
        below = formula.descent if self._lifted(format, formula) else 0.0
        return QSizeF(formula.width * self._em + 2, (formula.ascent + below) * self._em + 1)

    def drawObject(
        self,
        painter: QPainter,
        rect: QRectF | QRect,
        _document: QTextDocument,
        _position: int,
        format: QTextFormat,
    ) -> None:
        """Paint it; what hangs below the line is painted below the rectangle."""
        formula = self._formula(format)
        painter.save()
        if formula is None:
            painter.setFont(self._style.code_text.font())
            painter.setPen(self._style.appearance.theme.color("text_secondary"))
            painter.drawText(QRectF(rect).bottomLeft(), str(format.property(SOURCE_PROPERTY)))
        else:
            height = (formula.ascent + formula.descent) * self._em
            place = QRectF(rect.left() + 1, rect.top(), formula.width * self._em, height)
            self._renderer(formula).render(painter, place)
        painter.restore()

    def _formula(self, form: QTextFormat) -> Formula | None:
        return self._typesetting.formula(
            str(form.property(TEX_PROPERTY)), display=bool(form.property(DISPLAY_PROPERTY))
        )

    def _lifted(self, form: QTextFormat, formula: Formula) -> bool:
        return bool(form.property(DISPLAY_PROPERTY)) or formula.descent > DEEPEST

    def _renderer(self, formula: Formula) -> QSvgRenderer:
        known = self._renderers.get(formula.svg)
        if known is None:
            color = self._style.appearance.theme.color("text").name()
            known = QSvgRenderer(QByteArray(formula.svg.replace(INK, color).encode()))
            self._renderers[formula.svg] = known
        return known
