"""Finding words on scanned pages: what OCR read of them is in the library, and nowhere in the file."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF

from app.gui.ports import Library

MOST_FOUND = 200
Place = tuple[int, list[QRectF]]


def places_in_scan(library: Library, document_id: int, words: str, cancelled: Callable[[], bool]) -> list[Place]:
    """Page, from 1, and rectangles in points of the first places where OCR read ``words``, whatever their case.

    Blocks. Raises ``BadInputError`` if the document is no longer in the library.
    """
    found: list[Place] = []
    if not words.strip():
        return found
    wanted = re.compile(r"\s+".join(map(re.escape, words.split())), re.IGNORECASE)
    view = library.source(document_id)
    for section in view.sections:
        if section.confidence is None:
            continue
        for match in wanted.finditer(view.text, section.start, section.end):
            if cancelled() or len(found) == MOST_FOUND:
                return found
            page, boxes = library.boxes(document_id, match.start(), match.end())
            places = [QRectF(QPointF(each.left, each.top), QPointF(each.right, each.bottom)) for each in boxes]
            if page is not None and places:
                found.append((page, places))
    return found
