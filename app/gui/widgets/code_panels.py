"""The panels behind code blocks: painted, with the name of the language and a button that copies."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QFont, QGuiApplication, QPainter, QTextDocument, QTextLayout
from PySide6.QtWidgets import QTextBrowser, QWidget

from app.gui.answer_style import CODE_HEADER, AnswerStyle
from app.gui.answer_writer import CodeBlock
from app.gui.streamed_answer import StreamedAnswer
from app.gui.theme import Appearance
from app.gui.typesetting import Spans, Typesetting
from app.gui.visible_blocks import PlacedBlock, blocks_between
from app.gui.widgets.basics import IconButton

EDGE = 9
PANEL_MARGIN = CODE_HEADER + EDGE
COPIED_MILLISECONDS, PLACING_MILLISECONDS = 1500, 30


class CodePanels:
    """Of one answer. Only the panels in view have buttons."""

    def __init__(self, appearance: Appearance, typesetting: Typesetting, browser: QTextBrowser) -> None:
        self._appearance = appearance
        self._typesetting = typesetting
        self._browser = browser
        self._viewport = browser.viewport()
        self._buttons: list[CopyCodeButton] = []
        self._coloured = 0
        self._placing = QTimer(browser, singleShot=True, interval=PLACING_MILLISECONDS)
        self._placing.timeout.connect(self._place_buttons)
        self.answer: StreamedAnswer | None = None
        self.style: AnswerStyle | None = None

    def show(self, answer: StreamedAnswer, style: AnswerStyle) -> None:
        """Another answer is on the screen."""
        self.answer, self.style = answer, style
        self._coloured = 0

    @property
    def buttons(self) -> Sequence[CopyCodeButton]:
        """The buttons of the panels in view."""
        return [button for button in self._buttons if not button.isHidden()]

    def colour(self) -> None:
        """Colour the code blocks that can no longer change."""
        if self.answer is None:
            return
        answer = self.answer
        closed = answer.codes[self._coloured : answer.closed_codes]
        self._coloured += len(closed)
        for code in closed:
            self._colour(answer, code)

    def _colour(self, answer: StreamedAnswer, code: CodeBlock) -> None:
        text = answer.code_text(code)

        def lay_over(spans: Spans) -> None:
            if self.answer is answer and answer.code_text(code) == text and self.style is not None:
                _lay_over(self._browser.document(), code.start, spans, self.style)

        self._typesetting.colour(text, code.language, lay_over)

    # -- painting --------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, clip: QRectF, blocks: Sequence[PlacedBlock]) -> None:
        """Paint the panels that are at least partly in ``clip``; ``blocks`` are those up to ``PANEL_MARGIN`` off it."""
        painter.save()
        for code, place in self._panels(clip, blocks):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._appearance.theme.color("code"))
            painter.drawRoundedRect(place, 8, 8)
            self._write_language(painter, code, place)
        painter.restore()
        if self.answer is not None and (self.answer.codes or self._buttons) and not self._placing.isActive():
            self._placing.start()

    def _write_language(self, painter: QPainter, code: CodeBlock, place: QRectF) -> None:
        font = QFont(self._appearance.font)
        font.setPointSizeF(self._appearance.scale.sizes["small"])
        painter.setFont(font)
        painter.setPen(self._appearance.theme.color("text_tertiary"))
        where = QRectF(place.left() + 14, place.top() + 4, place.width() - 60, CODE_HEADER)
        painter.drawText(where, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, code.language or "text")

    def _panels(self, clip: QRectF, blocks: Sequence[PlacedBlock]) -> Iterator[tuple[CodeBlock, QRectF]]:
        if self.answer is None or not self.answer.codes or not blocks:
            return
        document, codes = self._browser.document(), self.answer.codes
        layout = document.documentLayout()
        top, bottom = blocks[0][0].position(), blocks[-1][0].position()
        first = max(0, bisect_right(codes, top, key=lambda code: code.start) - 1)
        for code in codes[first : bisect_right(codes, bottom, key=lambda code: code.start)]:
            begin = layout.blockBoundingRect(document.findBlock(code.start)).top() - PANEL_MARGIN
            end = layout.blockBoundingRect(document.findBlock(self.answer.code_end(code))).bottom() + EDGE
            if begin <= clip.bottom() and end >= clip.top():
                yield code, QRectF(0, begin, self._viewport.width(), end - begin)

    def _place_buttons(self) -> None:
        seen = QRectF(self._viewport.visibleRegion().boundingRect())
        top, bottom = seen.top() - PANEL_MARGIN, seen.bottom() + PANEL_MARGIN
        places = list(self._panels(seen, list(blocks_between(self._browser.document(), top, bottom))))
        while len(self._buttons) < len(places):
            self._buttons.append(CopyCodeButton(self._appearance, self._viewport))
        for number, button in enumerate(self._buttons):
            if number >= len(places) or self.answer is None:
                button.hide()
                continue
            code, place = places[number]
            button.stand_for(self.answer, code, place.topRight())


class CopyCodeButton(IconButton):
    """Copies one code block."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(appearance, "copy", "Copy code", color="text_tertiary", size=15, parent=parent)
        self._target: tuple[StreamedAnswer, CodeBlock] | None = None
        self.clicked.connect(self._copy)
        self._copied = QTimer(self, singleShot=True, interval=COPIED_MILLISECONDS)
        self._copied.timeout.connect(lambda: self.set_icon("copy", "text_tertiary"))

    def stand_for(self, answer: StreamedAnswer, code: CodeBlock, corner: QPointF) -> None:
        """Stand in the upper right corner of the panel of ``code``."""
        self._target = (answer, code)
        size = self.sizeHint()
        self.setGeometry(int(corner.x()) - size.width() - 6, int(corner.y()) + 4, size.width(), size.height())
        self.show()

    def _copy(self) -> None:
        if self._target is not None:
            answer, code = self._target
            QGuiApplication.clipboard().setText(answer.code_text(code))
            self.set_icon("check", "success")
            self._copied.start()


def _lay_over(document: QTextDocument, start: int, spans: Spans, style: AnswerStyle) -> None:
    """Colour text without changing the document."""
    ranges: dict[int, list[QTextLayout.FormatRange]] = {}
    for begin, length, role in spans:
        block = document.findBlock(start + begin)
        left, stop = start + begin, start + begin + length
        while block.isValid() and left < stop:
            each = QTextLayout.FormatRange()
            each.start = left - block.position()
            each.length = min(stop, block.position() + block.length() - 1) - left
            each.format = style.code_colours[role]
            ranges.setdefault(block.blockNumber(), []).append(each)
            block = block.next()
            left = block.position()
    for number, found in ranges.items():
        block = document.findBlockByNumber(number)
        block.layout().setFormats(found)
        document.markContentsDirty(block.position(), block.length())
