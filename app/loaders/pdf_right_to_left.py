"""Rows of right-to-left pages whose cells PDFium put in the order of a left-to-right one: the right cell comes first.

PDFium turns a whole line around that a page drew cell by cell from the right, so that its last cell comes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from app.loaders.mapped_text import MappedText, Span
from app.loaders.pdf_lines import Line, PageGeometry, Piece

# In heights of the line: the least room between cells. Words that fill a line stand nearer.
CELL_GAP = 1.2
HAS_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


def cells_from_the_right(geometry: PageGeometry) -> MappedText:
    """Return the page's text with the cells of right-to-left rows in their order; itself if nothing is wrong."""
    mapped = geometry.mapped
    parts: list[Span | str] = []
    position = 0
    for line in geometry.lines():
        cells = _cells(mapped.text, line, geometry.words(line)) if _is_right_to_left(mapped.text, line) else []
        if any(before.left < cell.left for before, cell in pairwise(cells)):
            parts.append((position, line.start))
            for place, cell in enumerate(sorted(cells, key=lambda each: -each.right)):
                parts += [" ", (cell.start, cell.end)] if place else [(cell.start, cell.end)]
            position = line.end
    return mapped.rearranged([*parts, (position, len(mapped.text))]) if parts else mapped


def _is_right_to_left(text: str, line: Line) -> bool:
    if line.turn != 0:
        return False
    content = text[line.start : line.end]
    return len(HAS_RTL.findall(content)) > len(_LATIN.findall(content))


def _cells(text: str, line: Line, words: Sequence[Piece]) -> list[Piece]:
    """The cells of a line in the order of its text. Latin words that follow each other are left as they are."""
    cells: list[Piece] = []
    for word in words:
        last = cells[-1] if cells else None
        if last is None or (_stands_apart(last, word, CELL_GAP * line.height) and not _both_latin(text, last, word)):
            cells.append(Piece(word.start, word.end, word.left, word.top, word.right, word.bottom))
        else:
            last.end = word.end
            last.left, last.right = min(last.left, word.left), max(last.right, word.right)
    return cells


def _stands_apart(one: Piece, other: Piece, gap: float) -> bool:
    return max(other.left - one.right, one.left - other.right) > gap


def _both_latin(text: str, one: Piece, other: Piece) -> bool:
    return all(_LATIN.search(text, each.start, each.end) for each in (one, other))
