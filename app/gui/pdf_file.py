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


@dataclass(frozen=True, slots=True, eq=False)
class PdfFile:
    """An open PDF that lives on the GUI thread. ``page_sizes`` in points, as displayed."""

    path: Path
    stamp: FileStamp
    document: QPdfDocument
    page_sizes: tuple[QSizeF, ...]


def open_pdf(path: Path, gui_thread: QThread, current: PdfFile | None = None) -> PdfFile:
    """Open a PDF on the calling thread and hand it over to the GUI thread.

    Returns ``current`` if that is this very file, unchanged. Raises ``DocumentError``.
    """
    from PySide6.QtPdf import QPdfDocument

    information = path.stat()
    stamp = FileStamp(information.st_size, information.st_mtime_ns)
    if current is not None and current.path == path and current.stamp == stamp:
        return current

    document = QPdfDocument()
    error = document.load(str(path))
    if error is not QPdfDocument.Error.None_:
        locked = error is QPdfDocument.Error.IncorrectPassword
        reason = FailureReason.ENCRYPTED if locked else FailureReason.DAMAGED
        words = "It is protected with a password." if locked else "It can't be shown as a PDF."
        raise DocumentError(reason, f"{words} Open it in another program instead.")
    sizes = tuple(document.pagePointSize(page) for page in range(document.pageCount()))
    document.moveToThread(gui_thread)
    return PdfFile(path, stamp, document, sizes)
