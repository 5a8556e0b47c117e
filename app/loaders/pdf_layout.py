"""Reading order of a PDF page.

PDFium gives text in the order in which the page draws it. That is the reading order with nearly all makers, and it
keeps what geometry can't tell (cells of several lines, for example). So it stays unless the page shows it to be wrong:
lines that mix two columns, lines that go back up over what came before them, tables drawn column by column. Such a page
is read anew from where its text stands: rows from top to bottom; where a gutter divides prose, column by column.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from app.loaders.mapped_text import MappedText, Span
from app.loaders.pdf_lines import Line, PageGeometry, Piece

# In heights of the page's usual line: the least width of a gutter or of the room between cells.
GAP_HEIGHTS = 0.8
# In the same: how far the next line must stand above to go back up.
JUMP_HEIGHTS = 0.6
# Whether lines mix columns is told from so many of them.
MOST_SAMPLED = 3
LEAST_MIXED = 18  # characters
LEAST_ROWS = 3
MOST_LINES = 1500
# Share of a page's lines that must stand wrong before its order is given up.
DISORDERED_SHARE = 0.15
# The same for pairs of lines that stand one over the other.
INVERTED_SHARE = 0.3
# Two pieces stand on one row if they share this part of the smaller one's height.
ROW_OVERLAP = 0.5
LEAST_LOWER_CASE_STARTS = 0.25
MOST_NUMBERS = 0.3
# Scripts without lower case: lines of prose are mostly this full.
LEAST_FILLED = 0.6
SHORT_WORDS = 3
# Heights of a line between the lines of a column.
MOST_SPACING = 2.0
LONGEST_MARK = 3
BOTH_SIDES = 2

Row = list[Piece]
_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_NUMBER = re.compile(r"[\W_]*\d[\d\W_]*[%a-zA-Z]?[\W_]*|[\W_]+")
_FIGURE = re.compile(r"[\W_]*\d[\W_]*\d[\d\W_]*[%a-zA-Z]?[\W_]*")
_UNCASED = re.compile(r"[\u0590-\u08ff\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")


def in_reading_order(geometry: PageGeometry, lines: Sequence[Line]) -> MappedText:
    """Return the page's text in reading order; ``lines`` are all its lines as ``geometry`` measured them."""
    mapped = geometry.mapped
    if not 2 <= len(lines) <= MOST_LINES:
        return mapped
    groups: dict[int | None, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.turn, []).append(line)
    changed = False
    rows: list[list[Span]] = []
    for turn, group in groups.items():
        found = None if turn is None else _arranged(geometry, group)
        changed = changed or found is not None
        rows.extend(found or [[(line.start, line.end)] for line in group])
    return _put_together(mapped, rows) if changed else mapped


def _put_together(mapped: MappedText, rows: Sequence[Sequence[Span]]) -> MappedText:
    parts: list[Span | str] = []
    for row in rows:
        for place, span in enumerate(row):
            if parts:
                parts.append(" " if place else "\n")
            parts.append(span)
    return mapped.rearranged(parts)


def _arranged(geometry: PageGeometry, lines: Sequence[Line]) -> list[list[Span]] | None:
    """Return rows of spans in reading order, or None if the lines are in order as they are."""
    text = geometry.mapped.text
    height = statistics.median(line.height for line in lines)
    if height <= 0:
        return None
    gap = GAP_HEIGHTS * height
    disordered = _is_disordered(text, lines, height)
    if not disordered and not mixes_columns(geometry, lines):
        return None
    rows = _rows([piece for line in lines for piece in _cut(line, geometry.words(line), gap)])
    ordered = list(_ordered(text, rows, gap))
    if not disordered and len(ordered) == len(rows):
        return None  # no gutter was found
    return [_spans(text, row) for row in ordered]


def seems_in_order(text: str, starts: Sequence[Line]) -> bool:
    """Whether upright lines, only the starts of which are measured, stand in an order that only columns contradict."""
    if len(starts) <= LEAST_ROWS:
        return False
    height = statistics.median(line.height for line in starts)
    middles = [line.middle for line in starts if line.end - line.start > LONGEST_MARK]
    steps = [after - before for before, after in pairwise(middles)]
    beside = sum(abs(step) < (1 - ROW_OVERLAP) * height for step in steps)
    if 2 * beside > len(steps):
        return False  # text that is turned starts on one row
    goes_back = any(step < -JUMP_HEIGHTS * height for step in steps)
    return not goes_back or not _is_disordered(text, starts, height)


def mixes_columns(geometry: PageGeometry, lines: Sequence[Line]) -> bool:
    """Whether some of the long lines seem to hold text of several columns."""
    text = geometry.mapped.text
    long = [line for line in lines if line.end - line.start >= LEAST_MIXED]
    if len(long) < LEAST_ROWS:
        return False
    gap = GAP_HEIGHTS * statistics.median(line.height for line in lines)
    step = -(-len(long) // MOST_SAMPLED)
    return any(
        _mixes_prose(text, _cut(line, geometry.words(line), gap))
        for line in long[step // 2 :: step]
        if _words_in(text, line) >= 2 * SHORT_WORDS and geometry.has_gap(line, gap)
    )


def _cut(line: Line, words: Sequence[Piece], gap: float) -> list[Piece]:
    """Cut a line where it has room wider than ``gap``."""
    pieces: list[Piece] = []
    for word in words:
        last = pieces[-1] if pieces else None
        if last is None or max(word.left - last.right, last.left - word.right) > gap:
            pieces.append(Piece(word.start, word.end, word.left, word.top, word.right, word.bottom))
            continue
        last.end = word.end
        last.left, last.right = min(last.left, word.left), max(last.right, word.right)
        last.top, last.bottom = min(last.top, word.top), max(last.bottom, word.bottom)
    return pieces or [line]


def _mixes_prose(text: str, pieces: Sequence[Piece]) -> bool:
    prose = [_words_in(text, piece) >= SHORT_WORDS for piece in pieces]
    return any(left and right for left, right in pairwise(prose))


def _words_in(text: str, piece: Piece) -> float:
    """How many words of letters a piece holds; three signs of a script without spaces count as one."""
    content = text[piece.start : piece.end]
    uncased = len(_UNCASED.findall(content))
    return max(uncased / 3, sum(any(map(str.isalpha, word)) for word in content.split()))


def _is_disordered(text: str, lines: Sequence[Line], height: float) -> bool:
    least = max(LEAST_ROWS, DISORDERED_SHARE * len(lines))
    above, share = _above_earlier(lines, height)
    if above >= least or share >= INVERTED_SHARE or _count_split_rows(text, lines) >= least:
        return True
    return _is_reversed(lines, height)


def _is_reversed(lines: Sequence[Line], height: float) -> bool:
    """Whether each line stands above the one before it, as on turned pages, where PDFium goes by the display."""
    return len(lines) > 1 and all(
        before.middle > line.middle + JUMP_HEIGHTS * height and _shared_width(before, line) > 0
        for before, line in pairwise(lines)
    )


def _above_earlier(lines: Sequence[Line], height: float) -> tuple[int, float]:
    """Return how many lines stand above several that come before them and that they share width with, and the share
    of such pairs that stand that way.

    A single one is a footer that was drawn first or a header drawn last. Marks of notes are too short to count.
    """
    long = [line for line in lines if line.end - line.start > LONGEST_MARK]
    count = pairs = inverted = 0
    for place, line in enumerate(long):
        middle, distance = line.middle, JUMP_HEIGHTS * height
        below = 0
        for earlier in long[:place]:
            if _shared_width(earlier, line) <= 0.3 * min(_width(earlier), _width(line)):
                continue
            stands_above = earlier.middle > middle + distance
            below += stands_above
            if earlier is not long[0] and line is not long[-1]:
                pairs += 1
                inverted += stands_above
        count += below >= LEAST_ROWS
    return count, inverted / pairs if inverted >= LEAST_ROWS else 0.0


def _count_split_rows(text: str, lines: Sequence[Line]) -> int:
    """How many figures stand under a figure that comes before them, and in the row of a line further before."""
    count = 0
    figures = [_FIGURE.fullmatch(text, line.start, line.end) is not None for line in lines]
    for place, (before, line) in enumerate(pairwise(lines), start=1):
        if (
            figures[place]
            and figures[place - 1]
            and before.middle + ROW_OVERLAP * line.height <= line.middle
            and _shared_width(before, line) > 0
        ):
            count += any(_same_row(other, line) for other in lines[: place - 1])
    return count


def _shared_width(one: Piece, other: Piece) -> float:
    return min(one.right, other.right) - max(one.left, other.left)


def _width(piece: Piece) -> float:
    return piece.right - piece.left


def _same_row(one: Piece, other: Piece) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared >= ROW_OVERLAP * min(one.height, other.height) and shared > 0


def _rows(pieces: Sequence[Piece]) -> list[Row]:
    """Gather pieces that stand side by side; rows come from top to bottom, pieces from left to right."""
    rows: list[Row] = []
    for piece in sorted(pieces, key=lambda each: (each.middle, each.left)):
        row = next((each for each in reversed(rows[-4:]) if _fits(each, piece)), None)
        if row is None:
            rows.append([piece])
        else:
            row.append(piece)
    for row in rows:
        row.sort(key=lambda each: each.left)
    return rows


def _fits(row: Row, piece: Piece) -> bool:
    tallest = max(row, key=lambda each: each.height)
    return _same_row(tallest, piece) and all(_shared_width(each, piece) <= 0 for each in row)


def _ordered(text: str, rows: Sequence[Row], gap: float) -> Iterator[Row]:
    """Yield rows in reading order: as they are, or column by column where a gutter divides prose."""
    found = _gutter(text, rows, gap)
    if found is None:
        yield from rows
        return
    first, end, middle = found
    yield from rows[:first]
    left = [[piece for piece in row if piece.right <= middle] for row in rows[first:end]]
    right = [[piece for piece in row if piece.right > middle] for row in rows[first:end]]
    columns = [[row for row in side if row] for side in (left, right)]
    if _is_right_to_left(text, rows[first:end]):
        columns.reverse()
    for column in columns:
        yield from _ordered(text, column, gap)
    yield from _ordered(text, rows[end:], gap)


def _gutter(text: str, rows: Sequence[Row], gap: float) -> tuple[int, int, float] | None:
    """Return the gutter beside which the most rows stand: its first row, the row after its last, and its x."""
    best: tuple[int, int, int, float] | None = None
    for middle in _gap_middles(text, rows, gap):
        beside = [_stands_beside(text, row, middle) for row in rows]
        for first, end in _stretches(rows, beside):
            both = beside[first:end].count(BOTH_SIDES)
            if (best is None or both > best[0]) and both >= LEAST_ROWS and _divides(text, rows[first:end], middle):
                best = (both, first, end, middle)
    return best[1:] if best else None


def _gap_middles(text: str, rows: Sequence[Row], gap: float) -> list[float]:
    """The middles of gaps between prose, those nearly the same taken once."""
    middles = [
        (before.right + piece.left) / 2
        for row in rows
        for before, piece in pairwise(row)
        if piece.left - before.right >= gap and _mixes_prose(text, (before, piece))
    ]
    return [next(group) for _, group in groupby(sorted(middles), key=lambda middle: round(middle / gap))]


def _stands_beside(text: str, row: Row, middle: float) -> int:
    """``BOTH_SIDES`` if prose stands on both sides of ``middle``, 1 if on one side only, else 0."""
    if any(piece.left < middle < piece.right for piece in row):
        return 0
    left = [piece for piece in row if piece.right <= middle]
    right = [piece for piece in row if piece.left >= middle]
    if not left or not right:
        return 1
    return sum(_words_in(text, piece) >= SHORT_WORDS for piece in (left[-1], right[0]))


def _stretches(rows: Sequence[Row], beside: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of rows in which columns stand; rows far from the next one don't belong to them."""
    place = 0
    for standing, group in groupby(beside, key=bool):
        first, end = place, place + sum(1 for _ in group)
        place = end
        both = [number for number in range(first, end) if beside[number] == BOTH_SIDES]
        if not standing or not both:
            continue
        above, below = both[0], both[-1] + 1
        while above > first and _are_near(rows[above - 1], rows[above]):
            above -= 1
        while below < end and _are_near(rows[below - 1], rows[below]):
            below += 1
        yield above, below


def _are_near(upper: Row, lower: Row) -> bool:
    tallest = max(piece.height for piece in (*upper, *lower))
    return min(piece.top for piece in lower) - max(piece.bottom for piece in upper) < MOST_SPACING * tallest


def _divides(text: str, rows: Sequence[Row], middle: float) -> bool:
    left = [piece for row in rows for piece in row if piece.right <= middle]
    right = [piece for row in rows for piece in row if piece.left > middle]
    return _is_prose(text, left) and _is_prose(text, right)


def _is_prose(text: str, pieces: Sequence[Piece]) -> bool:
    """Whether lines of text run on from one to the next, as those of columns do and those of tables don't."""
    if len(pieces) < LEAST_ROWS:
        return False
    contents = [text[piece.start : piece.end].strip() for piece in pieces]
    numbers = sum(_NUMBER.fullmatch(content) is not None for content in contents)
    words = sum(_words_in(text, piece) for piece in pieces) / len(pieces)
    if numbers > MOST_NUMBERS * len(pieces) or words < 2:
        return False
    if sum(content[:1].islower() for content in contents) >= LEAST_LOWER_CASE_STARTS * len(pieces):
        return True
    uncased = sum(_UNCASED.search(content) is not None for content in contents)
    widths = [_width(piece) for piece in pieces]
    return uncased > len(pieces) / 2 and statistics.median(widths) >= LEAST_FILLED * max(widths)


def _is_right_to_left(text: str, rows: Sequence[Row]) -> bool:
    content = "".join(text[piece.start : piece.end] for row in rows for piece in row)
    return len(_RTL.findall(content)) > sum(map(str.isalpha, content)) / 2


def _spans(text: str, row: Row) -> list[Span]:
    spans = [(piece.start, piece.end) for piece in row]
    return spans[::-1] if _is_right_to_left(text, [row]) else spans
