"""Prints a chat to a PDF file. Runs on a worker thread: nothing here touches a widget.

Laying out a document holds Python's lock, so a long chat as one document would stop the window for seconds. Each piece
is a document of its own, and is drawn below the one before it; what doesn't fit goes on where a line ends.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path

from PySide6.QtCore import QByteArray, QMarginsF, QRectF, QSize, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QFont,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QTextDocument,
)

from app.domain.errors import UserFacingError
from app.gui.pictures import picture_from

DOTS_PER_INCH = 96
MARGIN_MILLIMETRES = 18
POINTS = 10
GAP = 7.0  # dots between two pieces
PICTURE = QTextDocument.ResourceType.ImageResource.value
LARGEST_PICTURE = QSize(620, 800)  # dots, so that it fits on a page
INSET = 4.0  # dots, less than any line is high
# Qt knows a part of CSS: no rem, and sizes of paper.
STYLE = """
h1 { font-size: 17pt; margin-top: 0px; margin-bottom: 2px; }
.who { font-size: 8pt; font-weight: 600; color: #5b6671; margin-top: 10px; margin-bottom: 2px; }
p, li { line-height: 135%; margin-top: 2px; margin-bottom: 5px; }
ul, ol { margin-left: -18px; margin-top: 2px; margin-bottom: 4px; }
.day, .note, .sources, .quote { color: #5b6671; }
.day, .note, .sources, .below { font-size: 8pt; }
.question { color: #0b5c55; }
sup a { text-decoration: none; color: #0b5c55; }
pre { background: #f2f4f6; font-size: 9pt; }
td, th { border: 1px solid #c9d1d8; padding: 3px 7px; }
table { border-collapse: collapse; margin-top: 4px; margin-bottom: 6px; }
"""


class _SealedDocument(QTextDocument):
    """Loads nothing, whatever the page names, but pictures that are in the page itself."""

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        picture = picture_from(name.toString() if isinstance(name, QUrl) else name) if kind == PICTURE else None
        if picture is not None:
            fits = picture.width() <= LARGEST_PICTURE.width() and picture.height() <= LARGEST_PICTURE.height()
            return picture if fits else picture.scaled(LARGEST_PICTURE, Qt.AspectRatioMode.KeepAspectRatio)
        # With nothing for a picture, Qt would go on and look for a file of that name itself.
        return QImage(1, 1, QImage.Format.Format_ARGB32) if kind == PICTURE else QByteArray()


def print_pdf(title: str, pieces: Iterable[str], path: Path) -> None:
    """Write pieces of HTML as a PDF file, as a whole or not at all. Raises ``UserFacingError`` if that can't be."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        try:
            partial.touch()  # the writer itself says nothing about a folder that refuses it
            _print(title, pieces, partial)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise UserFacingError(f"{path} can't be written: {error.strerror}. Choose another place.") from error


def _print(title: str, pieces: Iterable[str], path: Path) -> None:
    writer = QPdfWriter(str(path))
    writer.setTitle(title)
    writer.setCreator("Footnote")
    writer.setResolution(DOTS_PER_INCH)
    margins = QMarginsF(*(MARGIN_MILLIMETRES,) * 4)
    size = QPageSize(QPageSize.PageSizeId.A4)
    writer.setPageLayout(QPageLayout(size, QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter))
    painter = QPainter()
    if not painter.begin(writer):
        raise UserFacingError("The PDF file can't be begun. Choose another place.")
    try:
        used = 0.0
        for piece in pieces:
            used = _draw(painter, writer, _document(piece, writer), used)
    finally:
        if not painter.end():
            raise UserFacingError("The PDF file can't be finished. Check the free space of the disk.")


def _document(piece: str, writer: QPdfWriter) -> QTextDocument:
    document = _SealedDocument()
    document.setDocumentMargin(0)
    document.documentLayout().setPaintDevice(writer)
    document.setDefaultFont(QFont("sans-serif", POINTS))
    document.setDefaultStyleSheet(STYLE)
    document.setHtml(piece)
    document.setTextWidth(writer.width())
    return document


def _draw(painter: QPainter, writer: QPdfWriter, document: QTextDocument, used: float) -> float:
    """Draw below the first ``used`` dots of the page, on as many pages as it takes. Returns how much of the last one
    is used."""
    top, height = 0.0, document.size().height()
    ends: list[float] = []
    while top < height:
        room = writer.height() - used
        if height - top <= room:
            end = height
        else:
            ends = ends or sorted(_line_ends(document))
            end = _break(ends, top, room, fresh=used == 0)
        if end > top:
            painter.save()
            painter.translate(0, used - top)
            painter.setClipRect(QRectF(0, top, writer.width(), end - top))
            context = QAbstractTextDocumentLayout.PaintContext()
            # Every line that touches this clip is drawn, and the one above (Qt's own rule, hidden by the clip before).
            context.clip = QRectF(0, top + INSET, writer.width(), end - top - 2 * INSET)
            document.documentLayout().draw(painter, context)
            painter.restore()
        used += end - top
        top = end
        if top < height:
            writer.newPage()
            used = 0.0
    return used + GAP


def _break(ends: list[float], top: float, room: float, *, fresh: bool) -> float:
    """The end of the last line that fits into ``room`` below ``top``: ``top`` itself if none does.

    The first line alone, which says who speaks, doesn't stay behind. On a page that is empty yet, a line that is taller
    than the page is cut.
    """
    place = bisect_right(ends, top + room) - 1
    best = ends[place] if place >= (0 if fresh else 1) else top
    return top + room if fresh and best <= top else max(best, top)


def _line_ends(document: QTextDocument) -> Iterator[float]:
    block = document.begin()
    while block.isValid():
        layout = block.layout()
        start = document.documentLayout().blockBoundingRect(block).top() - layout.boundingRect().top()
        for number in range(layout.lineCount()):
            yield start + layout.lineAt(number).rect().bottom()
        block = block.next()
