"""The seam between PDF and OCR: pages whose text stands in pictures are handed to a ``PageReader``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.domain.documents import Section
from app.loaders import pdfium, pdfium_pictures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A page with fewer letters and digits than this may be a scan with a stamp or a page number on it.
FEW_CHARACTERS = 40
# Pictures that cover less of the page than this are logos and ornaments.
LEAST_COVERED = 0.1
# A4 at 300 dots an inch has 8.7 million.
MOST_PIXELS = 30_000_000


@dataclass(frozen=True, slots=True)
class PicturePage:
    """A page of an open PDF that shows pictures and holds no text, or hardly any.

    ``index`` counts from 0. ``page`` is the open page of PDFium; it is closed when ``PageReader.sections`` returns.
    ``text`` is what little text was read directly.
    """

    path: Path
    index: int
    page: pdfium.Handle
    text: str

    def rendered(self, dots_per_inch: float) -> NDArray[np.uint8]:
        """Return the page as it is displayed: height × width × 3, blue-green-red, at most ``MOST_PIXELS`` pixels.

        Raises ``PdfiumError`` if there is no memory for it.
        """
        return pdfium_pictures.rendered(self.page, dots_per_inch, MOST_PIXELS)


class PageReader(Protocol):
    """Reads the text in the pictures of a page."""

    @property
    def warning(self) -> str:
        """What to tell the user of the file begun last, such as pages that were left out; "" if nothing."""
        ...

    def begin(self, path: Path) -> None:
        """The pages that come next are of ``path``."""
        ...

    def sections(self, page: PicturePage) -> Sequence[Section]:
        """Return what stands on ``page``, in reading order; its ``page.text`` is replaced by it.

        Nothing keeps the text as it is. Sections state their page (from 1); headings are filled in from bookmarks
        where there are none. ``DocumentError`` ends the reading of the whole file.
        """
        ...


def may_hold_unread_text(page: pdfium.Handle, text: str) -> bool:
    """Whether pictures may hold the text of an open ``page`` of which ``text`` was read directly."""
    letters = sum(map(str.isalnum, text[: 8 * FEW_CHARACTERS]))
    return letters < FEW_CHARACTERS and pdfium_pictures.covered_by_pictures(page) >= LEAST_COVERED
