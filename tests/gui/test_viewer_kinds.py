"""Footnotes open documents of every kind at the passage, set as their kind is read, in the real window."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QTextTable
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.documents import DocumentState
from app.domain.turn_details import SentPassage
from app.gui.desktop import Desktop
from app.gui.reading.reading_style import NUMBER_PROPERTY
from app.gui.widgets.source_panel import SourcePanel
from tests.gui.conftest import WAIT, DesktopRig
from tests.loaders.pdf_writer import Page, Run, pdf_bytes

MARKDOWN = """# Harbour guide

The **harbour** was opened in `1887` by the [mayor](https://example.org/mayor).
It lies ![map](https://example.org/map.png) in the north.

- granite quays
- two cranes

```python
def tide(hour):
    # high water
    return hour % 12
```

| boat | berth |
|------|-------|
| Tern | 7 |
"""
CODE = '''"""Tides."""


import math



def tide(hour: int) -> float:
    # the moon, roughly
    return math.sin(hour / 12)
'''


def show(qtbot: QtBot, rig: DesktopRig, path: Path, words: str) -> SourcePanel:
    """Add a file and open it at ``words``, as a passage that an answer rests on."""
    desktop = rig.desktop
    assert desktop is not None
    rig.add(path)
    entry = next(each for each in desktop.documents.entries if each.path == path)
    assert entry.state is DocumentState.READY, entry.details
    text = rig.built[-1].library.source(entry.id or 0).text
    start = text.index(words)
    panel = desktop.window.right.source
    desktop.sources.show_passage(
        SentPassage("p1", entry.id or 0, path, path.name, None, start, start + len(words), words, 1.0)
    )
    qtbot.waitUntil(lambda: panel.source is not None and panel.source.path == path, timeout=WAIT)
    return panel


def tables(panel: SourcePanel) -> list[QTextTable]:
    return [each for each in panel.text.document().rootFrame().childFrames() if isinstance(each, QTextTable)]


def test_markdown_is_set_without_its_marks_and_loads_nothing(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path
) -> None:
    path = tmp_path / "guide.md"
    path.write_text(MARKDOWN, encoding="utf-8")
    panel = show(qtbot, rig, path, "**harbour** was opened in `1887`")
    shown = panel.text.toPlainText()
    assert "**" not in shown
    assert "```" not in shown
    assert "https://" not in shown
    assert "[image: map]" in shown
    assert panel.text.marked_text == "harbour was opened in 1887"
    assert [tables(panel)[0].rows(), tables(panel)[0].columns()] == [2, 2]
    assert [entry.title for entry in panel.outline.outline.entries] == ["Harbour guide"]


def test_code_has_the_line_numbers_of_its_file(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "tides.py"
    path.write_text(CODE, encoding="utf-8")
    panel = show(qtbot, rig, path, "return math.sin(hour / 12)")
    numbers = {}
    block = panel.text.document().begin()
    while block.isValid():
        numbers[block.text().strip()] = block.blockFormat().intProperty(NUMBER_PROPERTY)
        block = block.next()
    lines = [line.strip() for line in CODE.split("\n")]
    for line in ("import math", "def tide(hour: int) -> float:", "return math.sin(hour / 12)"):
        assert numbers[line] == lines.index(line) + 1
    assert panel.text.marked_text == "return math.sin(hour / 12)"
    colours = {part.format.foreground().color().name() for part in panel.text.passage_cursor().block().textFormats()}
    assert len(colours) > 1, "nothing is coloured"


def test_a_table_file_is_a_table_with_its_row_marked(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path
) -> None:
    path = tmp_path / "fares.csv"
    path.write_text("from,to,euros\npier,island,7\nisland,cape,12\n", encoding="utf-8")
    panel = show(qtbot, rig, path, "island | cape | 12")
    assert [tables(panel)[0].rows(), tables(panel)[0].columns()] == [3, 3]
    assert panel.text.marked_text.split() == ["island", "cape", "12"]


@pytest.mark.parametrize(
    ("name", "words", "first_entry"),
    [
        ("docling__unit_test_headers.docx", "Paragraph 1.1.2", "Test Document"),
        ("docling__wiki_duck.html", "Distribution and habitat", "Contents"),
        ("docling__powerpoint_sample.pptx", "Second slide title", "Slide 1: Test Table Slide"),
        ("docling__xlsx_01.xlsx", "", "Sheet 1"),
        ("docling__wiki.md", "International Business Machines", "IBM"),
    ],
)
def test_real_files_open_at_the_passage(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, test_data: Path, name: str, words: str, first_entry: str
) -> None:
    path = test_data / "formats" / "files" / name
    if not words:
        rig.add(path)
        text = rig.built[-1].library.source(desktop.documents.entries[0].id or 0).text
        words = text.split("\n")[-1]
    panel = show(qtbot, rig, path, words)
    assert panel.text.marked_text.split() == [word for word in words.split() if word != "|"]
    cursor = panel.text.passage_cursor()
    assert panel.text.viewport().rect().intersects(panel.text.cursorRect(cursor))
    assert panel.outline.outline.entries[0].title.startswith(first_entry)
    if name.endswith(".pptx"):
        assert "Slide 2" in panel.text.toPlainText()


def test_the_outline_leads_to_its_headings(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "long.md"
    path.write_text("".join(f"# Part {n}\n\n{'Some words. ' * 200}\n\n" for n in range(1, 20)), encoding="utf-8")
    panel = show(qtbot, rig, path, "# Part 1")
    assert not panel.outline.isVisible()
    panel.tools.outline_button.click()
    assert panel.outline.isVisible()
    index = panel.outline.outline.index(14)
    QTest.mouseClick(panel.outline.viewport(), Qt.MouseButton.LeftButton, pos=panel.outline.visualRect(index).center())
    qtbot.waitUntil(lambda: "Part 15" in in_view(panel), timeout=WAIT)
    assert panel.outline.currentIndex().row() == 14
    assert panel.part_bar.isVisible(), "the document is too long to be set at once"


def in_view(panel: SourcePanel) -> str:
    """The text of the blocks that can be seen."""
    height = panel.text.viewport().height()
    block = panel.text.cursorForPosition(QPoint(30, 2)).block()
    last = panel.text.cursorForPosition(QPoint(30, height - 2)).block()
    texts = [block.text()]
    while block != last:
        block = block.next()
        texts.append(block.text())
    return "\n".join(texts)


def test_zoom_keeps_the_passage_and_goes_back(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "guide.md"
    path.write_text(MARKDOWN, encoding="utf-8")
    panel = show(qtbot, rig, path, "granite quays")
    size = panel.text.text_size
    panel.tools.zoom_in_button.click()
    panel.tools.zoom_in_button.click()
    qtbot.waitUntil(lambda: panel.text.document().defaultFont().pointSizeF() > size * 1.15, timeout=WAIT)
    assert panel.text.marked_text == "granite quays"
    panel.tools.fit_button.click()
    qtbot.waitUntil(lambda: abs(panel.text.document().defaultFont().pointSizeF() - size) < 0.01, timeout=WAIT)


def drag(panel: SourcePanel, start: QPointF, end: QPointF) -> None:
    viewport = panel.pdf.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start.toPoint())
    QTest.mouseMove(viewport, end.toPoint())
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end.toPoint())


@pytest.mark.parametrize("rotation", [0, 90])
def test_text_of_a_pdf_is_selected_with_the_mouse_and_copied(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path, rotation: int
) -> None:
    path = tmp_path / "light.pdf"
    lines = [Run(60, 700, "The lighthouse is forty metres high."), Run(60, 684, "It was built of granite.")]
    path.write_bytes(pdf_bytes([Page(lines, rotation=rotation), Page([Run(60, 700, "The keeper left in 1962.")])]))
    panel = show(qtbot, rig, path, "The lighthouse is forty metres high.")
    qtbot.waitUntil(lambda: panel.pdf.rendered(1), timeout=WAIT)
    marked = panel.pdf.highlight_rectangles(1)[0]
    inside = QPointF(marked.center())
    qtbot.waitUntil(lambda: _word_under(panel, inside) != "", timeout=WAIT)
    panel.pdf.copy()
    assert QApplication.clipboard().text() in "The lighthouse is forty metres high."
    if rotation == 0:
        drag(panel, marked.topLeft() + QPointF(0.5, 3), marked.bottomRight() + QPointF(8, -3))
        QTest.keyClick(panel.pdf, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert QApplication.clipboard().text() == "The lighthouse is forty metres high."
    panel.pdf.go_to_page(1)
    panel.pdf.select_page()
    assert sorted(panel.pdf.selected_text.split("\n")) == sorted(line.text for line in lines)


def _word_under(panel: SourcePanel, position: QPointF) -> str:
    QTest.mouseDClick(panel.pdf.viewport(), Qt.MouseButton.LeftButton, pos=position.toPoint())
    return panel.pdf.selected_text


def test_a_file_that_went_is_shown_as_it_was_read_and_can_be_looked_for(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path
) -> None:
    path = tmp_path / "guide.md"
    path.write_text(MARKDOWN, encoding="utf-8")
    panel = show(qtbot, rig, path, "granite quays")
    path.unlink()
    entry = desktop.documents.entries[0]
    desktop.sources.show_document(entry.id or 0, path)
    qtbot.waitUntil(lambda: "not where it was" in panel.notice_text, timeout=WAIT)
    assert "granite quays" in panel.text.toPlainText()
    assert [button.text().strip() for button in panel.notice.buttons] == ["Find the file…"]
    assert not panel.external_button.isEnabled()


def test_a_changed_file_is_read_again_from_the_viewer(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path
) -> None:
    path = tmp_path / "guide.txt"
    path.write_text("The pier is open.\n", encoding="utf-8")
    panel = show(qtbot, rig, path, "The pier is open.")
    path.write_text("The pier is closed now.\n", encoding="utf-8")
    os.utime(path, (1, 1))
    desktop.sources.show_document(desktop.documents.entries[0].id or 0, path)
    qtbot.waitUntil(lambda: "changed" in panel.notice_text, timeout=WAIT)
    assert "open" in panel.text.toPlainText()
    panel.notice.buttons[0].click()
    qtbot.waitUntil(lambda: "closed now" in panel.text.toPlainText() and not panel.notice_text, timeout=WAIT)


def test_a_pdf_that_does_not_open_shows_the_text_that_was_read(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path
) -> None:
    path = tmp_path / "light.pdf"
    path.write_bytes(pdf_bytes([Page([Run(60, 700, "The lighthouse is forty metres high.")])]))
    rig.add(path)
    entry, stamp = desktop.documents.entries[0], path.stat()
    path.write_bytes(b"%PDF-1.7\n" + b"x" * (stamp.st_size - 9))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    panel = desktop.window.right.source
    desktop.sources.show_document(entry.id or 0, path)
    qtbot.waitUntil(lambda: panel.source is not None, timeout=WAIT)
    assert "can't be shown as a PDF" in panel.notice_text
    assert "forty metres high" in panel.text.toPlainText()
    assert [button.text().strip() for button in panel.notice.buttons] == ["Open it in another program"]


def test_a_text_of_fifty_megabytes_opens_in_parts_and_is_searched_whole(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path
) -> None:
    """What the library would take minutes to embed is put in as read; the viewer doesn't know the difference."""
    from app.gui.reading.document_reader import DocumentReader, DocumentText
    from app.gui.reading.part_of import MOST
    from app.gui.sources import LoadedSource

    line = "Nothing much happened on this day, and nobody wrote more about it than this.\n"
    text = line * (25_000_000 // len(line)) + "Then the golden anchor was found.\n" + line * (25_000_000 // len(line))
    start = text.index("golden anchor")
    path = tmp_path / "log.txt"
    path.write_text("placeholder", encoding="utf-8")
    panel = show(qtbot, rig, path, "placeholder")
    reader = DocumentReader(DocumentText(path, "text/plain", text, ()))
    source = LoadedSource(path, reader=reader, reading=reader.read(start, start + 13), file=path)
    panel.show_source(source)
    assert panel.text.marked_text == "golden anchor"
    assert len(panel.text.toPlainText()) <= MOST + 4000
    assert panel.part_bar.isVisible()
    assert panel.part_bar.text == "A long document: 49.9 % to 50.2 % of it is shown"
    for _ in range(3):
        first = panel.text.reading.first
        panel.part_bar.earlier.click()
        qtbot.waitUntil(partial(_is_before, panel, first), timeout=WAIT)
    assert panel.text.reading.last < start
    panel.find_bar.open_bar()
    panel.find_bar.edit.setText("golden anchor")
    qtbot.waitUntil(lambda: panel.find_bar.count_text == "1 of 1", timeout=WAIT)
    qtbot.waitUntil(lambda: panel.text.reading.first <= start < panel.text.reading.last, timeout=WAIT)


def _is_before(panel: SourcePanel, place: int) -> bool:
    return panel.text.reading.first < place
