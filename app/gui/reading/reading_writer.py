"""Writing blocks into a text document, remembering which of its characters stand for which of the source."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument, QTextTableCell

from app.gui.reading.blocks import Block, BlockKind, Cell, Part, Reading, Run, Table
from app.gui.reading.reading_style import ReadingStyle

MARGIN = 20
# These end a block in Qt; each becomes one space, so that places stay.
LINE_ENDS = {ord(character): " " for character in "\n\r\u2029\u0085\x0b\x0c\x1c\x1d\x1e\ufdd0\ufdd1"}


class PlaceMap:
    """Where runs of the source stand in the document on the screen."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int, str]] = []  # start in the source, position on the screen, text

    def add(self, start: int, position: int, text: str) -> None:
        """A run was written. Runs come in the order in which they stand on the screen, nearly that of the source."""
        self._runs.append((start, position, text))

    def sort(self) -> None:
        """No more runs come."""
        self._runs.sort()

    def ranges(self, start: int, end: int) -> list[tuple[int, int]]:
        """The stretches on the screen that show ``[start, end)`` of the source, those that touch joined."""
        found: list[tuple[int, int]] = []
        at = max(0, bisect_left(self._runs, (start, -1, "")) - 1)
        for run_start, position, text in self._runs[at:]:
            if run_start >= end:
                break
            first, last = max(start, run_start) - run_start, min(end, run_start + len(text)) - run_start
            if first < last:
                found.append((position + utf16_length(text[:first]), position + utf16_length(text[:last])))
        return _joined(found)

    def position_of(self, place: int) -> int:
        """Where on the screen the first character at or after ``place`` stands; 0 if none does."""
        at = bisect_left(self._runs, (place, -1, ""))
        if at and self._runs[at - 1][0] + len(self._runs[at - 1][2]) > place:
            start, position, text = self._runs[at - 1]
            return position + utf16_length(text[: place - start])
        return self._runs[at][1] if at < len(self._runs) else 0

    def place_of(self, position: int) -> int:
        """The place in the source of the character on the screen at or before ``position``; 0 if there is none."""
        before = [(at, start) for start, at, _ in self._runs if at <= position]
        return max(before)[1] if before else 0


class ReadingWriter:
    """Fills ``document``, which is cleared first. ``write`` may be called once."""

    def __init__(self, document: QTextDocument, style: ReadingStyle) -> None:
        self._document = document
        self._style = style
        self._fresh = True
        self.places = PlaceMap()
        document.clear()
        document.setUndoRedoEnabled(False)
        document.setDefaultFont(style.font)
        document.setDocumentMargin(MARGIN)
        self._cursor = QTextCursor(document)

    def write(self, reading: Reading) -> PlaceMap:
        """Write all parts."""
        self._cursor.beginEditBlock()
        parts = reading.parts
        for number, part in enumerate(parts):
            if isinstance(part, Table):
                self._table(part)
            else:
                self._block(part, parts[number - 1] if number else None, _at(parts, number + 1))
        self._cursor.endEditBlock()
        self.places.sort()
        return self.places

    def _block(self, block: Block, before: Part | None, after: Part | None) -> None:
        form = self._style.block(block, first=not _is_code(before), last=not _is_code(after))
        base = self._style.text(block, "")
        if self._fresh:
            form.setTopMargin(min(form.topMargin(), 4))
            self._cursor.setBlockFormat(form)
            self._cursor.setBlockCharFormat(base)
        else:
            self._cursor.insertBlock(form, base)
        self._fresh = False
        for run in block.runs:
            self._run(run, self._style.text(block, run.style))

    def _run(self, run: Run, characters: QTextCharFormat) -> None:
        text = run.text.translate(LINE_ENDS)
        if run.start >= 0:
            self.places.add(run.start, self._cursor.position(), text)
        self._cursor.insertText(text, characters)

    def _table(self, table: Table) -> None:
        if not table.columns:
            return
        thin = QTextBlockFormat()
        thin.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        self._cursor.setBlockFormat(thin) if self._fresh else self._cursor.insertBlock(thin)
        written = self._cursor.insertTable(len(table.rows), table.columns, self._style.table(table.columns))
        for row, cells in enumerate(table.rows):
            for column, cell in enumerate(cells):
                self._cell(written.cellAt(row, column), cell, header=table.header and row == 0, columns=table.columns)
        self._cursor = QTextCursor(self._document)
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._cursor.setBlockFormat(thin)
        self._fresh = True

    def _cell(self, place: QTextTableCell, cell: Cell, *, header: bool, columns: int) -> None:
        self._cursor = place.firstCursorPosition()
        if header:
            place.setFormat(self._style.header_ground())
        for run in cell:
            self._run(run, self._style.cell(run.style, header=header, columns=columns))


def utf16_length(text: str) -> int:
    """How many positions Qt counts for ``text``: characters beyond the basic plane take two."""
    return len(text) + sum(character > "\uffff" for character in text)


def _at(parts: Sequence[Part], number: int) -> Part | None:
    return parts[number] if number < len(parts) else None


def _is_code(part: Part | None) -> bool:
    return isinstance(part, Block) and part.kind is BlockKind.CODE


def _joined(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(stretches):
        if joined and joined[-1][1] >= first:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined
