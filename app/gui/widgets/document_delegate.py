"""How a document is painted in the library."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from app.domain.documents import DocumentState
from app.gui.models.document_list_model import WAITING_STATES, DocumentEntry
from app.gui.widgets.list_delegates import CORNER, EntryDelegate
from app.gui.wording import shown_folder

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


class DocumentDelegate(EntryDelegate):
    """An icon, the name, and a line about its state; problems in red with their reason."""

    row_height = 54

    def paint_entry(self, painter: QPainter, row: QRect, entry: DocumentEntry) -> None:
        self._paint_tile(painter, QRect(row.left() + 8, row.center().y() - 16, 32, 32), entry)
        colors = (
            "text" if entry.state is DocumentState.READY else "text_secondary",
            "danger" if entry.failed else "text_tertiary",
        )
        self.paint_two_lines(painter, row.adjusted(50, 7, -10, -7), entry.name, entry.status_line, colors)

    def tip(self, entry: DocumentEntry) -> str:
        return f"{entry.name}\n{shown_folder(entry.path)}\n{entry.details}"

    def _paint_tile(self, painter: QPainter, tile: QRect, entry: DocumentEntry) -> None:
        soft, strong = ("danger_soft", "danger") if entry.failed else ("surface", "text_secondary")
        painter.setBrush(self.appearance.theme.color(soft))
        painter.drawRoundedRect(tile, CORNER, CORNER)
        name = "warning" if entry.failed else "clock" if entry.state in WAITING_STATES else icon_name(entry)
        self.paint_icon(painter, tile.left() + 7, tile.center().y() + 1, name, strong)
