"""Passages of one query, ranking beside ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from app.domain.search_comparison import BenchRow
from app.gui.wording import shown, shown_name

Index = QModelIndex | QPersistentModelIndex
SNIPPET_CHARACTERS = 160
NONE = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, what it means, the value to sort by, and how that is written."""

    head: str
    help: str
    value: Callable[[BenchRow], Any]
    written: Callable[[Any], str] = str
    number: bool = True


COLUMNS = (
    Column("Final", "Rank in the search that answers use, every step of it taken", lambda row: row.final_rank),
    Column(
        "Reranked", "Rank after the second model; a dash means that it kept its place", lambda row: row.reranked_rank
    ),
    Column("Fused", "Rank by meaning and words together, before further steps", lambda row: row.fused_rank),
    Column("Meaning", "Rank by meaning alone (dense)", lambda row: row.dense_rank),
    Column("Words", "Rank by words alone (keyword)", lambda row: row.keyword_rank),
    Column("File", "Where the passage stands", lambda row: shown_name(row.passage.path), number=False),
    Column("Page", "The page, where the file has any", lambda row: row.passage.page),
    Column("Passage", "How the passage begins", lambda row: snippet(row.passage.text), number=False),
    Column("Cosine", "Likeness of meaning of question and passage, at most 1", lambda row: row.cosine, "{:.3f}".format),
    Column("Word score", "Share of a full match of the words", lambda row: row.keyword_score, "{:.3f}".format),
    Column("Score", "Both together, by which the fused rank goes", lambda row: row.score, "{:.3f}".format),
)
RERANKED, FILE, PAGE, PASSAGE = 1, 5, 6, 7


class BenchTableModel(QAbstractTableModel):
    """Rows are passages. ``SortRole`` gives raw values, ``RowRole`` the ``BenchRow``."""

    SortRole = Qt.ItemDataRole.UserRole
    RowRole = Qt.ItemDataRole.UserRole + 1

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[BenchRow] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole:
            return COLUMNS[section].help
        return COLUMNS[section].head if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], COLUMNS[index.column()]
        value = column.value(row)
        if role == Qt.ItemDataRole.DisplayRole:
            return NONE if value is None else column.written(value)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == self.SortRole:
            return value
        return row if role == self.RowRole else None

    def set_rows(self, rows: Sequence[BenchRow]) -> None:
        """Show these passages."""
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()


class BenchOrder(QSortFilterProxyModel):
    """Sorts by raw values; what has none stands last, whichever way."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(BenchTableModel.SortRole)

    def lessThan(self, left: Index, right: Index) -> bool:
        one, two = left.data(BenchTableModel.SortRole), right.data(BenchTableModel.SortRole)
        if one is None or two is None:
            ascending = self.sortOrder() is Qt.SortOrder.AscendingOrder
            return (two is None and one is not None) if ascending else (one is None and two is not None)
        return bool(one < two)


def snippet(text: str) -> str:
    """The beginning of a passage on one harmless line."""
    line = shown(text[: 4 * SNIPPET_CHARACTERS])
    return line if len(line) <= SNIPPET_CHARACTERS else line[: SNIPPET_CHARACTERS - 1] + "…"
