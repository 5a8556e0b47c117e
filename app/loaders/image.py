"""Pictures as documents: photos, screenshots and scans, read by OCR."""

from __future__ import annotations

import mimetypes
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from app.domain.documents import Section
from app.domain.errors import DocumentError, FailureReason
from app.loaders.document_loader import DocumentLoader, LoadedDocument, warned
from app.loaders.ocr_reader import OcrReader
from app.loaders.parser_limits import ParserLimits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

# The names Pillow has for them: no other of its decoders ever sees a file.
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")
# What phones take: read by libheif, which joins Pillow only when such a file comes.
_HEIF = frozenset({".heic", ".heif"})
# A photo has 12 to 50 million, A3 at 600 dots an inch 70 million; three bytes each.
MOST_PIXELS = 120_000_000
# What Pillow lets through from broken files.
_BROKEN = (OSError, SyntaxError, ValueError, KeyError, IndexError, EOFError, struct.error, OverflowError, RuntimeError)


class ImageLoader(DocumentLoader):
    """One section a page; a TIFF may have many, of an animation the first picture is read."""

    extensions = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif"}) | _HEIF

    def __init__(self, ocr: OcrReader | None = None) -> None:
        self._ocr = ocr or OcrReader(ParserLimits())

    @classmethod
    def with_ocr(cls, limits: ParserLimits, ocr: OcrReader) -> Self:
        """Make the loader that reads with ``ocr``."""
        del limits
        return cls(ocr)

    def media_type(self, path: Path) -> str:
        """Return the media type that belongs to the extension."""
        suffix = path.suffix.lower()
        return f"image/{suffix[1:]}" if suffix in _HEIF else mimetypes.types_map.get(suffix, "image/webp")

    def load(self, path: Path) -> LoadedDocument:
        """Read every page. Raises ``DocumentError``: ``damaged``, ``too_large`` or ``no_text``."""
        if not self._ocr.enabled:
            raise DocumentError(
                FailureReason.NO_TEXT,
                f"“{path.name}” is a picture, and reading pictures (OCR) is switched off in the settings.",
            )
        self._ocr.begin(path)
        sections: list[Section] = []
        number = 0
        for number, picture in enumerate(_pages(path), start=1):
            sections += self._ocr.picture_sections(picture, number)
        if not sections:
            raise DocumentError(FailureReason.NO_TEXT, f"No text was found in the picture “{path.name}”.")
        return LoadedDocument(sections, page_count=number, metadata=warned({}, self._ocr.warning))


def write_pages(path: Path, target: Path) -> None:
    """Write the pages of a picture as those of a PDF, one point a pixel. Raises ``DocumentError``."""
    pages = _pictures(path)
    first = next(pages)
    with _told_plainly(path):
        first.save(target, "PDF", save_all=True, append_images=pages, resolution=72.0)


def _pages(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield the pages upright, as arrays of height × width × 3 bytes, blue-green-red."""
    import numpy as np

    for picture in _pictures(path):
        yield np.ascontiguousarray(np.asarray(picture, np.uint8)[:, :, ::-1])


def _pictures(path: Path) -> Iterator[Image]:
    """Yield the pages upright, in red, green and blue."""
    from PIL import Image

    with _told_plainly(path), Image.open(path, formats=_formats(path)) as opened:
        count = int(getattr(opened, "n_frames", 1)) if opened.format == "TIFF" else 1
        for number in range(count):
            opened.seek(number)
            yield _upright(opened, path)


def _formats(path: Path) -> tuple[str, ...]:
    if path.suffix.lower() not in _HEIF:
        return FORMATS
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False)
    return ("HEIF",)


def _upright(opened: Image, path: Path) -> Image:
    from PIL import ImageOps

    if opened.width * opened.height > MOST_PIXELS:
        raise DocumentError(
            FailureReason.TOO_LARGE,
            f"“{path.name}” has {opened.width * opened.height / 1e6:,.0f} million pixels; pictures of up to "
            f"{MOST_PIXELS / 1e6:,.0f} million can be read. Save it smaller and add that.",
        )
    return _on_white(ImageOps.exif_transpose(opened))


def _on_white(picture: Image) -> Image:
    """Bring every kind of picture to red, green and blue, with white behind what is transparent."""
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits a pixel, which Pillow would cut off instead of scaling
        return picture.convert("I").point(lambda value: value / 257.0).convert("L").convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    clear = picture.convert("RGBA")
    page = Image.new("RGBA", clear.size, "white")
    page.alpha_composite(clear)
    return page.convert("RGB")


@contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    from PIL import Image

    try:
        yield
    except Image.DecompressionBombError as error:
        raise DocumentError(
            FailureReason.TOO_LARGE, f"“{path.name}” has more pixels than can be read. Save it smaller and add that."
        ) from error
    except _BROKEN as error:
        raise DocumentError(
            FailureReason.DAMAGED, f"“{path.name}” is damaged or no picture: it can't be opened."
        ) from error
