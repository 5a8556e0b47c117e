"""The search bench in the real window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.domain.passages import Passage
from app.domain.search_comparison import BenchRow
from app.gui.desktop import Desktop
from app.gui.models.bench_table_model import COLUMNS, PAGE, BenchOrder, BenchTableModel
from app.gui.theme import Appearance
from app.gui.widgets.bench_dialog import BenchDialog
from tests.gui.conftest import IGNORED_QT_LOG, WAIT, DesktopRig

HEADS = [column.head for column in COLUMNS]


@pytest.fixture
def filled(rig: DesktopRig, desktop: Desktop, tmp_path: Path) -> Desktop:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "harbour.txt").write_text("The harbour was opened in 1887 by the mayor.", encoding="utf-8")
    (folder / "ferry.txt").write_text("The ferry runs every hour until eight.", encoding="utf-8")
    (folder / "tower.txt").write_text("The lighthouse is forty metres high.", encoding="utf-8")
    rig.add(folder)
    return desktop


def open_bench(desktop: Desktop) -> BenchDialog:
    desktop.window.sessions.tools_button.menu().actions()[0].trigger()
    dialog = desktop.bench.dialog
    assert dialog is not None
    return dialog


def search(qtbot: QtBot, dialog: BenchDialog, query: str) -> None:
    dialog.query.setText(query)
    QTest.keyClick(dialog.query, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "passage" in dialog.status.text() or "Nothing" in dialog.status.text(), timeout=WAIT)


def cell(dialog: BenchDialog, row: int, head: str) -> str:
    return str(dialog.table.model().index(row, HEADS.index(head)).data())


def test_ranks_and_scores_of_a_query_stand_side_by_side(qtbot: QtBot, filled: Desktop) -> None:
    dialog = open_bench(filled)
    search(qtbot, dialog, "ferry every hour")
    assert dialog.model.rowCount() == 3
    assert [cell(dialog, 0, head) for head in ("Final", "Fused", "Meaning", "Words")] == ["1"] * 4
    assert cell(dialog, 0, "File") == "ferry.txt"
    assert 0 < float(cell(dialog, 0, "Word score")) <= 1
    assert 0 < float(cell(dialog, 0, "Cosine")) <= 1
    without_words = [row for row in range(3) if cell(dialog, row, "Words") == "–"]
    assert without_words
    assert all(cell(dialog, row, "Word score") == "–" for row in without_words)


def test_a_double_click_opens_the_passage_in_the_viewer(qtbot: QtBot, filled: Desktop) -> None:
    dialog = open_bench(filled)
    search(qtbot, dialog, "harbour opened mayor")
    dialog.table.doubleClicked.emit(dialog.table.model().index(0, 0))
    source = filled.window.right.source
    qtbot.waitUntil(lambda: source.source is not None and source.source.reading is not None, timeout=WAIT)
    assert source.text.marked_text == "The harbour was opened in 1887 by the mayor."
    assert dialog.isVisible()


# The offscreen platform can't raise a window and says so.
@pytest.mark.qt_log_ignore(IGNORED_QT_LOG, r"does not support raise\(\)", extend=True)
def test_it_begins_with_the_last_question_and_is_there_once(rig: DesktopRig, filled: Desktop) -> None:
    rig.ask("How high is the lighthouse?")
    dialog = open_bench(filled)
    assert dialog.query.text() == "How high is the lighthouse?"
    assert open_bench(filled) is dialog


def test_nothing_typed_cannot_be_searched_and_no_hit_is_said(qtbot: QtBot, rig: DesktopRig, desktop: Desktop) -> None:
    dialog = open_bench(desktop)
    dialog.query.setText("   ")
    assert not dialog.search_button.isEnabled()
    search(qtbot, dialog, "anything")
    assert dialog.status.text() == "Nothing found by any ranking."


def test_closing_it_while_it_searches_is_harmless(qtbot: QtBot, filled: Desktop) -> None:
    dialog = open_bench(filled)
    dialog.query.setText("ferry")
    QTest.keyClick(dialog.query, Qt.Key.Key_Return)
    dialog.close()
    qtbot.waitUntil(lambda: filled.bench.dialog is None, timeout=WAIT)
    assert filled.runner.wait(20)
    search(qtbot, open_bench(filled), "ferry")


def test_the_column_of_the_second_ranking_is_there_when_one_ranks(appearance: Appearance, qtbot: QtBot) -> None:
    dialog = BenchDialog(appearance)
    qtbot.addWidget(dialog)
    dialog.show_rows([row(1)])
    assert dialog.table.isColumnHidden(HEADS.index("Reranked"))
    dialog.show_rows([row(1), replace(row(2), reranked_rank=1)])
    assert not dialog.table.isColumnHidden(HEADS.index("Reranked"))
    assert {cell(dialog, at, "Reranked") for at in range(2)} == {"1", "–"}


@pytest.mark.parametrize(
    ("order", "pages"),
    [(Qt.SortOrder.AscendingOrder, [2, 10, None]), (Qt.SortOrder.DescendingOrder, [10, 2, None])],
)
def test_sorting_goes_by_value_and_what_has_none_stands_last(
    qtbot: QtBot, order: Qt.SortOrder, pages: list[int | None]
) -> None:
    model, proxy = BenchTableModel(), BenchOrder()
    proxy.setSourceModel(model)
    model.set_rows([row(10), row(None), row(2)])
    proxy.sort(PAGE, order)
    assert [proxy.index(at, PAGE).data(BenchTableModel.SortRole) for at in range(3)] == pages


def row(page: int | None) -> BenchRow:
    passage = Passage(1, 1, Path("/a.txt"), "a", "", 0, 4, "text", 0.5, page)
    return BenchRow(passage, 1, None, 1, 1, None, 0.5, None, 0.5)
