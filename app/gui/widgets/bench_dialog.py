"""The search bench: one query, and where each ranking puts each passage."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.domain.search_comparison import BenchRow
from app.gui.models.bench_table_model import FILE, PASSAGE, RERANKED, BenchOrder, BenchTableModel
from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_label
from app.gui.wording import counted

FIRST_SIZE = (1240, 600)
FILE_WIDTH, NARROWEST = 180, 60
EMPTY = "Type what you would ask. Ranks count from 1; a dash means that this ranking does not have the passage."


class BenchDialog(QDialog):
    """Signals: ``searched(query)``; ``open_wished(BenchRow)`` for a passage that was double-clicked."""

    searched = Signal(str)
    open_wished = Signal(object)

    def __init__(self, appearance: Appearance, query: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Search bench")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*FIRST_SIZE)
        self.model = BenchTableModel(self)
        self._order = BenchOrder(self)
        self._order.setSourceModel(self.model)
        self.query = QLineEdit(query)
        self.query.setPlaceholderText("A question or some words")
        self.query.setAccessibleName("Query")
        self.query.selectAll()
        self.query.textChanged.connect(self._update)
        self.search_button = TextButton(appearance, "Search", kind="primary", icon="", on_click=self._search)
        self.search_button.setDefault(True)
        self.table = self._make_table()
        self.status = plain_label(EMPTY, scale="small", tone="secondary", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.query, 1)
        row.addWidget(self.search_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 20, 22, 16)
        column.setSpacing(12)
        column.addWidget(plain_label("Search bench", scale="title"))
        column.addLayout(row)
        column.addWidget(self.table, 1)
        column.addWidget(self.status)
        self._update()

    def show_rows(self, rows: Sequence[BenchRow]) -> None:
        """The passages of the query are there."""
        self.model.set_rows(rows)
        self.table.setColumnHidden(RERANKED, all(row.reranked_rank is None for row in rows))
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        words = f"{counted(len(rows), 'passage')}. Double-click one to open it; click a head to sort."
        self.status.setText(words if rows else "Nothing found by any ranking.")

    def show_busy(self) -> None:
        """The search is under way."""
        self.status.setText("Searching…")

    def show_problem(self, message: str) -> None:
        """The search failed, in words for the user."""
        self.model.set_rows([])
        self.status.setText(message)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self._order)
        table.setSortingEnabled(True)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setAlternatingRowColors(True)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.setAccessibleName("Passages")
        table.verticalHeader().hide()
        head = table.horizontalHeader()
        head.setHighlightSections(False)
        head.setMinimumSectionSize(NARROWEST)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(FILE, QHeaderView.ResizeMode.Interactive)
        head.resizeSection(FILE, FILE_WIDTH)
        head.setSectionResizeMode(PASSAGE, QHeaderView.ResizeMode.Stretch)
        table.setColumnHidden(RERANKED, True)  # shown when a second model ranks
        table.doubleClicked.connect(self._open)
        return table

    def _open(self, index: QModelIndex) -> None:
        self.open_wished.emit(index.data(BenchTableModel.RowRole))

    def _update(self) -> None:
        self.search_button.setEnabled(bool(self.query.text().strip()))

    def _search(self) -> None:
        text = self.query.text().strip()
        if text:
            self.searched.emit(text)
