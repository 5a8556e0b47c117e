"""Pictures on PDF pages: how much of a page they cover, and a page as a picture."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.loaders.pdfium import Handle, PdfiumError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POINTS_PER_INCH = 72.0
WHITE = 0xFFFFFFFF
_MOST_OBJECTS = 20_000
_DEEPEST_FORM = 4


def covered_by_pictures(page: Handle) -> float:
    """Return which part of the visible page the rectangles of its pictures cover, 0 to 1 (overlaps count twice)."""
    import pypdfium2.raw as pdfium

    frame = pdfium.FS_RECTF()
    if not pdfium.FPDF_GetPageBoundingBox(page, frame):
        return 0.0
    whole = (frame.right - frame.left) * (frame.top - frame.bottom)
    if whole <= 0:
        return 0.0
    areas: Iterator[float] = (
        max(0.0, min(right, frame.right) - max(left, frame.left))
        * max(0.0, min(top, frame.top) - max(bottom, frame.bottom))
        for left, bottom, right, top in _picture_rectangles(page)
    )
    return float(min(1.0, sum(areas) / whole))


def _picture_rectangles(page: Handle) -> Iterator[tuple[float, float, float, float]]:
    import pypdfium2.raw as pdfium

    bounds = [ctypes.c_float() for _ in range(4)]
    for place in range(min(pdfium.FPDFPage_CountObjects(page), _MOST_OBJECTS)):
        item = pdfium.FPDFPage_GetObject(page, place)
        if _shows_picture(item, _DEEPEST_FORM) and pdfium.FPDFPageObj_GetBounds(item, *bounds):
            left, bottom, right, top = (each.value for each in bounds)
            yield left, bottom, right, top


def _shows_picture(item: Handle, depth: int) -> bool:
    """Whether a page object is a picture, or a form (a drawing used as a whole) that shows one."""
    import pypdfium2.raw as pdfium

    kind = pdfium.FPDFPageObj_GetType(item)
    if kind != pdfium.FPDF_PAGEOBJ_FORM or depth == 0:
        return bool(kind == pdfium.FPDF_PAGEOBJ_IMAGE)
    count = min(pdfium.FPDFFormObj_CountObjects(item), _MOST_OBJECTS)
    return any(_shows_picture(pdfium.FPDFFormObj_GetObject(item, place), depth - 1) for place in range(count))


def rendered(page: Handle, dots_per_inch: float, most_pixels: int) -> NDArray[np.uint8]:
    """Return the page as it is displayed, on white: height × width × 3 bytes, blue-green-red.

    A page that would have more than ``most_pixels`` is rendered smaller. Raises ``PdfiumError`` if there is no memory.
    """
    import numpy as np
    import pypdfium2.raw as pdfium

    width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
    scale = min(dots_per_inch / POINTS_PER_INCH, math.sqrt(most_pixels / max(1.0, width * height)))
    columns, rows = max(1, int(width * scale)), max(1, int(height * scale))
    bitmap = pdfium.FPDFBitmap_CreateEx(columns, rows, pdfium.FPDFBitmap_BGR, None, 0)
    if not bitmap:
        raise PdfiumError(pdfium.FPDF_ERR_UNKNOWN)
    try:
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, columns, rows, WHITE)
        pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, columns, rows, 0, pdfium.FPDF_ANNOT)
        stride = pdfium.FPDFBitmap_GetStride(bitmap)
        view = ctypes.cast(pdfium.FPDFBitmap_GetBuffer(bitmap), ctypes.POINTER(ctypes.c_ubyte * (stride * rows)))
        lines = np.frombuffer(view.contents, dtype=np.uint8).reshape(rows, stride)
        return lines[:, : 3 * columns].reshape(rows, columns, 3).copy()
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)
