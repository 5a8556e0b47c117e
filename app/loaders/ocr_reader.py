"""Turns pictures of pages into sections: what OCR costs and may do is decided here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.documents import Section
from app.domain.errors import DocumentError, FailureReason
from app.loaders.page_reader import PicturePage
from app.loaders.parser_limits import ParserLimits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.loaders.ocr_engine import OcrEngine

# Small print (8 points) is then 22 pixels high; more costs time and reads no better.
DOTS_PER_INCH = 200.0


def no_more_time() -> None:
    """Ask nobody: where nothing watches the time."""


class OcrReader:
    """Reads pages for the loaders of one process, with one engine that is loaded when the first page comes.

    ``ask_for_time`` is called before each page, so that a long scan isn't taken for a file that hangs.
    """

    def __init__(self, limits: ParserLimits, ask_for_time: Callable[[], None] = no_more_time) -> None:
        self._limits = limits
        self._ask_for_time = ask_for_time
        self._engine: OcrEngine | None = None
        self._file: Path | None = None
        self._read = 0
        self._skipped = 0

    @property
    def enabled(self) -> bool:
        """Whether the user wants pictures to be read."""
        return self._limits.ocr

    def begin(self, path: Path) -> None:
        """Count pages anew: those that come next are of ``path``."""
        self._file, self._read, self._skipped = path, 0, 0

    @property
    def warning(self) -> str:
        """What to tell the user of the file that was begun last, "" if every page was read."""
        if not self._skipped:
            return ""
        return (
            f"{self._skipped:,} scanned pages were left out: OCR reads {self._limits.ocr_pages:,} pages of a file. "
            "The settings can raise that."
        )

    def sections(self, page: PicturePage) -> Sequence[Section]:
        """Read a page of a PDF as it is displayed; nothing if no text is found or enough pages were read."""
        if not self.enabled:
            return ()
        if self._skips():
            return ()
        import pypdfium2.raw as pdfium

        picture = page.rendered(DOTS_PER_INCH)
        points = float(pdfium.FPDF_GetPageWidthF(page.page))
        return self._sections(picture, page.index + 1, points / picture.shape[1])

    def picture_sections(self, picture: NDArray[np.uint8], number: int) -> Sequence[Section]:
        """Read page ``number`` of a picture file: height × width × 3, blue-green-red. Boxes are in its pixels."""
        return () if self._skips() else self._sections(picture, number, 1.0)

    def _skips(self) -> bool:
        if self._read >= self._limits.ocr_pages:
            self._skipped += 1
            return True
        self._read += 1
        return False

    def _sections(self, picture: NDArray[np.uint8], number: int, scale: float) -> Sequence[Section]:
        from app.loaders.ocr_layout import text_and_boxes

        self._ask_for_time()
        text, boxes, confidence = text_and_boxes(self._loaded().read(picture), scale)
        return (Section(text, number, confidence=round(confidence, 4), box_map=boxes),) if text else ()

    def _loaded(self) -> OcrEngine:
        from app.loaders.ocr_engine import OcrEngine

        if self._engine is None:
            try:
                self._engine = OcrEngine(self._limits.ocr_threads)
            except FileNotFoundError as error:
                raise DocumentError(
                    FailureReason.NO_TEXT, "Text in pictures can't be read: OCR is missing from this installation."
                ) from error
        return self._engine
