"""How a document is painted in the library."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QHelpEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QToolTip, QWidget

from app.domain.documents import DocumentState
from app.gui.models.document_list_model import WAITING_STATES, DocumentEntry, DocumentListModel
from app.gui.theme import Appearance
from app.gui.widgets.basics import plain_tool_tip
from app.gui.wording import shown_folder

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 54
CODE_SUFFIXES = frozenset(
    {".py", ".js", ".ts", ".c", ".h", ".cpp", ".rs", ".go", ".java", ".sh", ".sql", ".json", ".toml", ".yaml", ".yml"}
)
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".xlsx", ".xls", ".ods"})


def icon_name(entry: DocumentEntry) -> str:
    """The icon for a kind of file."""
    suffix = entry.path.suffix.lower()
    if suffix in CODE_SUFFIXES:
        return "file-code"
    return "file-table" if suffix in TABLE_SUFFIXES else "file-text"


class DocumentDelegate(QStyledItemDelegate):
    """An icon, the name, and a line about its state; problems in red with their reason."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(120, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: DocumentEntry = index.data(DocumentListModel.EntryRole)
        theme = self._appearance.theme
        row: QRect = option.rect.adjusted(0, 1, 0, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(theme.color("selected"))
            painter.drawRoundedRect(row, 8, 8)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(theme.color("hover"))
            painter.drawRoundedRect(row, 8, 8)
        self._paint_tile(painter, QRect(row.left() + 8, row.center().y() - 16, 32, 32), entry)
        self._paint_words(painter, row.adjusted(50, 7, -10, -7), entry)
        painter.restore()

    def _paint_tile(self, painter: QPainter, tile: QRect, entry: DocumentEntry) -> None:
        theme = self._appearance.theme
        soft, strong = ("danger_soft", "danger") if entry.failed else ("surface", "text_secondary")
        painter.setBrush(theme.color(soft))
        painter.drawRoundedRect(tile, 8, 8)
        name = "warning" if entry.failed else "clock" if entry.state in WAITING_STATES else icon_name(entry)
        scale = painter.device().devicePixelRatio()
        painter.drawPixmap(tile.left() + 7, tile.top() + 7, self._appearance.pixmap(name, strong, 18, scale))

    def _paint_words(self, painter: QPainter, place: QRect, entry: DocumentEntry) -> None:
        theme = self._appearance.theme
        half = place.height() // 2
        painter.setFont(self._appearance.font)
        painter.setPen(theme.color("text" if entry.state is DocumentState.READY else "text_secondary"))
        name = painter.fontMetrics().elidedText(entry.name, Qt.TextElideMode.ElideMiddle, place.width())
        painter.drawText(place.adjusted(0, 0, 0, -half), Qt.AlignmentFlag.AlignVCenter, name)
        small = QFont(self._appearance.font)
        small.setPointSizeF(self._appearance.scale.sizes["small"])
        painter.setFont(small)
        painter.setPen(theme.color("danger" if entry.failed else "text_tertiary"))
        line = painter.fontMetrics().elidedText(entry.status_line, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place.adjusted(0, half, 0, 0), Qt.AlignmentFlag.AlignVCenter, line)

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        entry = index.data(DocumentListModel.EntryRole)
        if entry is None:
            return False
        text = f"{entry.name}\n{shown_folder(entry.path)}\n{entry.details}"
        QToolTip.showText(event.globalPos(), plain_tool_tip(text), view)
        return True
