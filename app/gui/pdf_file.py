"""Opening a PDF for the viewer away from the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSizeF, QThread

from app.domain.documents import FileStamp
from app.domain.errors import DocumentError, FailureReason

if TYPE_CHECKING:
    from PySide6.QtPdf import QPdfDocument

MOST_BOOKMARKS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class PdfFile:
    """An open PDF that lives on the GUI thread. ``page_sizes`` in points, as displayed.

    ``bookmarks`` are its outline: level from 0, title, page from 1.
    """

    path: Path
    stamp: FileStamp
    document: QPdfDocument
    page_sizes: tuple[QSizeF, ...]
    bookmarks: tuple[tuple[int, str, int], ...] = ()


def open_pdf(path: Path, gui_thread: QThread, current: PdfFile | None = None) -> PdfFile:
    """Open a PDF on the calling thread and hand it over to the GUI thread.

    Returns ``current`` if that is this very file, unchanged. Raises ``DocumentError``.
    """
    from PySide6.QtPdf import QPdfDocument

    from app.loaders.pdf_geometry import bookmarks

    try:
        information = path.stat()
    except OSError as error:
        raise DocumentError(FailureReason.DAMAGED, "The file can't be opened any more.") from error
    stamp = FileStamp(information.st_size, information.st_mtime_ns)
    if current is not None and current.path == path and current.stamp == stamp:
        return current

    document = QPdfDocument()
    outcome = document.load(str(path))
    if outcome is not QPdfDocument.Error.None_ or not document.pageCount():
        locked = outcome is QPdfDocument.Error.IncorrectPassword
        reason = FailureReason.ENCRYPTED if locked else FailureReason.DAMAGED
        words = "It is protected with a password." if locked else "The file can't be shown as a PDF."
        raise DocumentError(reason, words)
    sizes = tuple(document.pagePointSize(page) for page in range(document.pageCount()))
    document.moveToThread(gui_thread)
    outline = tuple((each.level, each.title, each.page) for each in bookmarks(path)[:MOST_BOOKMARKS])
    return PdfFile(path, stamp, document, sizes, outline)
