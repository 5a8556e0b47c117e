"""Asks PDFium which text lies under rectangles of the displayed page, by its own device-to-page transformation."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

from app.domain.documents import Box
from app.loaders import pdfium

SCALE = 1000  # device units a point
# PDFium counts a glyph as soon as its box touches the rectangle; neighbours often touch.
SHRINK = 0.2


def text_under(path: Path, page: int, boxes: Sequence[Box]) -> str:
    """Return the text under ``boxes`` (displayed points, origin top left), without white space."""
    with pdfium.opened_document(path) as document, pdfium.opened_page(document, page - 1) as (handle, text_page):
        return "".join("".join(_bounded(handle, text_page, box).split()) for box in boxes)


def _bounded(page: pdfium.Handle, text_page: pdfium.Handle, box: Box) -> str:
    import pypdfium2.raw as raw

    x1, y1 = _page_point(page, box.left, box.top)
    x2, y2 = _page_point(page, box.right, box.bottom)
    shrink_x, shrink_y = (min(SHRINK, abs(end - start) / 4) for start, end in ((x1, x2), (y1, y2)))
    left, right = min(x1, x2) + shrink_x, max(x1, x2) - shrink_x
    bottom, top = min(y1, y2) + shrink_y, max(y1, y2) - shrink_y
    count = raw.FPDFText_GetBoundedText(text_page, left, top, right, bottom, None, 0)
    buffer = ctypes.create_string_buffer(2 * count + 2)
    units = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
    raw.FPDFText_GetBoundedText(text_page, left, top, right, bottom, units, count)
    text = buffer.raw[: 2 * count].decode("utf-16-le", "replace").replace("\x00", "")
    return text.replace("\x02", "-").replace("\ufffe", "-")


def _page_point(page: pdfium.Handle, x: float, y: float) -> tuple[float, float]:
    import pypdfium2.raw as raw

    width = round(raw.FPDF_GetPageWidthF(page) * SCALE)
    height = round(raw.FPDF_GetPageHeightF(page) * SCALE)
    page_x, page_y = ctypes.c_double(), ctypes.c_double()
    raw.FPDF_DeviceToPage(page, 0, 0, width, height, 0, round(x * SCALE), round(y * SCALE), page_x, page_y)
    return page_x.value, page_y.value
