"""Prints a chat's page to a PDF file. Runs on a worker thread: nothing here touches a widget."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMarginsF, QSizeF, QUrl
from PySide6.QtGui import QFont, QPageLayout, QPageSize, QPdfWriter, QTextDocument

from app.domain.errors import UserFacingError

DOTS_PER_INCH = 96
MARGIN_MILLIMETRES = 18


class _SealedDocument(QTextDocument):
    """Loads nothing, whatever the page names."""

    def loadResource(self, _kind: int, _name: QUrl | str) -> object:
        return None


def print_pdf(html: str, title: str, path: Path) -> None:
    """Write ``html`` as a PDF file, as a whole or not at all. Raises ``UserFacingError`` when it can't be written."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        try:
            partial.touch()  # the writer itself says nothing about a folder that refuses it
            _print(html, title, partial)
            if not partial.stat().st_size:
                raise UserFacingError(f"{path} can't be written. Check the free space of the disk.")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise UserFacingError(f"{path} can't be written: {error.strerror}. Choose another place.") from error


def _print(html: str, title: str, path: Path) -> None:
    writer = QPdfWriter(str(path))
    writer.setTitle(title)
    writer.setCreator("Footnote")
    writer.setResolution(DOTS_PER_INCH)
    writer.setPageLayout(
        QPageLayout(
            QPageSize(QPageSize.PageSizeId.A4),
            QPageLayout.Orientation.Portrait,
            QMarginsF(*(MARGIN_MILLIMETRES,) * 4),
            QPageLayout.Unit.Millimeter,
        )
    )
    document = _SealedDocument()
    document.setDefaultFont(QFont("sans-serif", 10))
    document.setHtml(html)
    document.setPageSize(QSizeF(writer.width(), writer.height()))
    document.print_(writer)
    del document
