"""Paints the lines of the list of chats and of what a search over them found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QLineEdit, QStyle, QStyleOptionViewItem, QWidget

from app.domain.chat_transfer import ChatHit
from app.gui.models.chat_hit_model import ChatHitModel
from app.gui.models.session_list_model import Index, SessionListModel
from app.gui.widgets.list_delegates import ListDelegate
from app.gui.wording import shown

ROW_HEIGHT = 36
HIT_HEIGHT = 52
MARGIN = 10
SEPARATOR = "  ·  "


class SessionDelegate(ListDelegate):
    """A chat with its tags, or a heading."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(100, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = option.rect.adjusted(0, 1, 0, -1)
        if index.data(SessionListModel.IdRole) is None:
            self.paint_focus(painter, option, row)
            self._paint_heading(painter, option, index, row)
        else:
            self.paint_ground(painter, option, row)
            self._paint_chat(painter, index, row)
        painter.restore()

    def _paint_heading(self, painter: QPainter, option: QStyleOptionViewItem, index: Index, row: QRect) -> None:
        theme = self.appearance.theme
        section = index.data(SessionListModel.SectionRole)
        painter.setFont(self.caption(bold=True))
        painter.setPen(theme.color("text_tertiary"))
        place = row.adjusted(MARGIN, 0, -MARGIN, -5)
        bottom = Qt.AlignmentFlag.AlignBottom
        if section.foldable:
            hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
            name = "chevron-right" if index.data(SessionListModel.FoldedRole) else "chevron-down"
            color = "text_secondary" if hovered else "text_tertiary"
            pixmap = self.appearance.pixmap(name, color, 14, painter.device().devicePixelRatioF())
            painter.drawPixmap(QPoint(place.left() - 3, place.bottom() - 13), pixmap)
            place.adjust(15, 0, 0, 0)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | bottom, f"{index.data(SessionListModel.CountRole):,}")
            place.adjust(0, 0, -30, 0)
        title = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | bottom, title)

    def _paint_chat(self, painter: QPainter, index: Index, row: QRect) -> None:
        theme = self.appearance.theme
        place = row.adjusted(MARGIN, 0, -MARGIN, 0)
        if index.data(SessionListModel.BusyRole):
            painter.setBrush(theme.color("accent"))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawEllipse(QPoint(row.right() - 12, row.center().y()), 3, 3)
            place.adjust(0, 0, -14, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        tags = " ".join(f"#{shown(tag)}" for tag in index.data(SessionListModel.TagsRole))
        if tags:
            painter.setFont(self.caption())
            painter.setPen(theme.color("text_tertiary"))
            width = min(painter.fontMetrics().horizontalAdvance(tags) + 2, place.width() // 2)
            cut = painter.fontMetrics().elidedText(tags, Qt.TextElideMode.ElideRight, width)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | middle, cut)
            place.adjust(0, 0, -width - 8, 0)
        painter.setFont(self.appearance.font)
        painter.setPen(theme.color("text"))
        title = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | middle, title)

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, _index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setAccessibleName("Name of the chat")
        editor.setMaxLength(200)
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, _index: Index) -> None:
        editor.setGeometry(option.rect.adjusted(0, 1, 0, -1))


class TrashDelegate(ListDelegate):
    """A deleted chat and how long it will be there."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(100, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        title, _, left = str(index.data()).partition(SEPARATOR)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = option.rect.adjusted(0, 1, 0, -1)
        self.paint_ground(painter, option, row)
        place = row.adjusted(MARGIN, 0, -MARGIN, 0)
        painter.setFont(self.caption())
        painter.setPen(self.appearance.theme.color("text_secondary"))
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, left)
        place.adjust(0, 0, -painter.fontMetrics().horizontalAdvance(left) - 12, 0)
        painter.setFont(self.appearance.font)
        painter.setPen(self.appearance.theme.color("text"))
        cut = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, cut)
        painter.restore()


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    marked: bool


class HitDelegate(ListDelegate):
    """A message that was found: the title of its chat, and a line of it with the words that fit marked."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(100, HIT_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = option.rect.adjusted(0, 1, 0, -1)
        self.paint_ground(painter, option, row)
        upper = QRect(row.left() + MARGIN, row.top() + 6, row.width() - 2 * MARGIN, row.height() // 2 - 6)
        painter.setFont(self.appearance.font)
        painter.setPen(self.appearance.theme.color("text"))
        title = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, upper.width())
        painter.drawText(upper, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
        self._paint_line(painter, index, upper.translated(0, upper.height() + 1))
        painter.restore()

    def _paint_line(self, painter: QPainter, index: Index, place: QRect) -> None:
        theme = self.appearance.theme
        hit = index.data(ChatHitModel.HitRole)
        pieces = list(_pieces(hit)) if hit else [_Piece(index.data(ChatHitModel.DetailRole) or "Chat", False)]
        painter.setFont(self.caption())
        metrics = painter.fontMetrics()
        left = place.left()
        for piece in _from_first_mark(pieces, metrics, place.width()):
            rest = place.right() - left
            text = metrics.elidedText(piece.text, Qt.TextElideMode.ElideRight, rest) if rest > 0 else ""
            width = metrics.horizontalAdvance(text)
            if piece.marked and text == piece.text:
                ground = QRect(left - 1, place.center().y() - metrics.height() // 2, width + 2, metrics.height())
                painter.fillRect(ground, theme.color("highlight_text"))
            painter.setPen(theme.color("text" if piece.marked and text == piece.text else "text_secondary"))
            where = QRect(left, place.top(), rest, place.height())
            painter.drawText(where, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
            left += width


def _pieces(hit: ChatHit) -> Iterable[_Piece]:
    """The excerpt cut at its marks. Characters that turn its direction are blanks, so that no place moves."""
    text = "".join(each if each.isprintable() else " " for each in hit.excerpt)
    place = 0
    for start, end in hit.spans:
        yield _Piece(text[place:start], False)
        yield _Piece(text[start:end], True)
        place = end
    yield _Piece(text[place:], False)


def _from_first_mark(pieces: list[_Piece], metrics: QFontMetrics, width: int) -> list[_Piece]:
    """Leave out so much of the beginning that the first mark is seen."""
    if len(pieces) < 2 or metrics.horizontalAdvance(pieces[0].text) < width // 2:
        return pieces
    cut = metrics.elidedText(pieces[0].text, Qt.TextElideMode.ElideLeft, width // 3)
    return [_Piece(cut, False), *pieces[1:]]
