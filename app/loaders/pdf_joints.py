"""Mends where PDFium parts or orders the characters of one line wrongly, by where their glyphs stand.

PDFium ends a line at raised and lowered figures, takes the kerning of a formula's letters for a space, and puts what
stands at the edges of a number or of a Latin word in right-to-left text on the wrong side of it. Where one glyph means
several right-to-left letters, it turns these around with their line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.loaders.mapped_text import MappedText, Span
from app.loaders.pdf_lines import Line, PageGeometry
from app.loaders.pdf_right_to_left import HAS_RTL

# In heights of a line: how far words of one line stand from one another, across and along.
SAME_BASE = 0.1
WIDEST_SPACE = 0.5
# In the same: how near a raised or lowered sign follows, and how much smaller than its neighbour it is.
SCRIPT_ROOM = 0.3
SCRIPT_HEIGHT = 0.85
SCRIPT_OVERLAP = 0.5
OVERLAPPING = 0.05
# A symbol of a formula, a unit or a formula of chemistry: what is raised behind it belongs to it, not to a note.
LONGEST_SYMBOL = 2
# In heights of a letter. The least space between words that typesetters leave is 0.15.
KERNING = 0.08

Box = tuple[float, float, float, float]
_RTL = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe"
_MARKS = "\u0610-\u061a\u064b-\u065f\u0670"
_KERNED = re.compile(r" (?<=\b[^\W\d_] )(?=[^\W\d_]{2})")  # begins with what is sought fast
_LAST_WORD = re.compile(r"\w*\Z")
_SPACE_BEFORE = re.compile(f"(?<=[{_RTL}])(?P<space> )(?P<run>[A-Za-z0-9](?:[^{_RTL}\\n]*[A-Za-z0-9])?)(?=[{_RTL}])")
_MARK_BEFORE = re.compile(f"(?P<before>[{_RTL}])(?P<space> ?)(?P<mark>[{_MARKS}]+)(?P<letter>[{_RTL}])")
_SIGN_BEFORE = re.compile(
    rf"(?:(?<=[\s{_RTL}])|^)(?P<sign>[،؛:.,%٪]|^-)(?P<run>\d[\d./:-]*\d|\d)(?=[\s{_RTL}]|$)", re.MULTILINE
)
# No glyph means alef and lam: what is read so is the ligature of lam and alef.
_TURNED_LIGATURE = re.compile("[\u0622\u0623\u0625\u0627\u0671]\u0644")


@dataclass(frozen=True, slots=True)
class _Edit:
    """``[start, end)`` of the text is replaced by ``parts``."""

    start: int
    end: int
    parts: tuple[Span | str, ...]


def mended_joints(geometry: PageGeometry, starts: Sequence[Line]) -> MappedText:
    """Return the page's text with its characters joined and parted as they stand; itself if nothing is wrong."""
    mapped = geometry.mapped
    is_upright = not starts or geometry.is_upright(starts[len(starts) // 2])
    edits = [*(_rejoined(geometry, starts) if is_upright else ()), *_kerned(geometry)]
    if geometry.may_mix_rows or not is_upright:
        edits += _parted(geometry)
    if HAS_RTL.search(mapped.text):
        edits += _right_to_left(geometry)
    if not edits:
        return mapped
    parts: list[Span | str] = []
    position = 0
    for edit in sorted(edits, key=lambda each: each.start):
        if edit.start >= position:
            parts += [(position, edit.start), *edit.parts]
            position = edit.end
    return mapped.rearranged([*parts, (position, len(mapped.text))])


def _parted(geometry: PageGeometry) -> Iterator[_Edit]:
    """Part lines in which words stand one above the other."""
    for line in geometry.lines():
        for before, word in pairwise(geometry.words(line) if line.turn is not None else ()):
            if min(before.bottom, word.bottom) <= max(before.top, word.top):
                yield _Edit(before.end, word.start, ("\n",))


def _rejoined(geometry: PageGeometry, starts: Sequence[Line]) -> Iterator[_Edit]:
    """Join lines that PDFium ended although the next word, or a raised or lowered sign, stands right behind."""
    text = geometry.mapped.text
    for before, line in pairwise(starts):
        if line.start != before.end + 1 or before.left >= line.left:
            continue
        if min(before.bottom, line.bottom) <= max(before.top, line.top):
            continue
        left, right = geometry.char_box(before.last), geometry.char_box(line.first)
        if _stand_together(left, right):
            symbol = _LAST_WORD.search(text, before.start, before.end)
            is_symbol = symbol is not None and 0 < len(symbol.group()) <= LONGEST_SYMBOL
            is_script = right[3] - right[1] < left[3] - left[1]
            yield _Edit(before.end, line.start, () if is_symbol and is_script else (" ",))
        elif (
            abs(before.middle - line.middle) < SAME_BASE * line.height
            and 0 <= right[0] - left[2] < WIDEST_SPACE * line.height
        ):
            yield _Edit(before.end, line.start, (" ",))


def _stand_together(before: Box, box: Box) -> bool:
    """Whether one of two neighbours is small and raised or lowered right beside the other."""
    small, large = sorted((before[3] - before[1], box[3] - box[1]))
    if small <= 0 or small > SCRIPT_HEIGHT * large:
        return False
    shared = min(before[3], box[3]) - max(before[1], box[1])
    return shared >= SCRIPT_OVERLAP * small and -OVERLAPPING * large <= box[0] - before[2] < SCRIPT_ROOM * large


def _kerned(geometry: PageGeometry) -> Iterator[_Edit]:
    """Leave out spaces that PDFium made where letters of one word stand only a little apart."""
    for found in _KERNED.finditer(geometry.mapped.text):
        place = found.start()
        before, space, after = geometry.indexes(place - 1, place + 2)
        if min(before, after) < 0 or (space >= 0 and not geometry.is_generated(space)):
            continue
        left, right = geometry.char_box(before), geometry.char_box(after)
        if abs(left[1] - right[1]) < SAME_BASE * (left[3] - left[1]) and (
            -OVERLAPPING * (left[3] - left[1]) <= right[0] - left[2] < KERNING * (left[3] - left[1])
        ):
            yield _Edit(place, place + 1, ())


def _right_to_left(geometry: PageGeometry) -> Iterator[_Edit]:
    text = geometry.mapped.text
    rules: tuple[tuple[re.Pattern[str], Callable[[PageGeometry, re.Match[str]], _Edit | None]], ...] = (
        (_SPACE_BEFORE, _space_behind),
        (_MARK_BEFORE, _mark_behind),
        (_SIGN_BEFORE, _sign_behind),
        (_TURNED_LIGATURE, _ligature_in_order),
    )
    for pattern, rule in rules:
        edits = (rule(geometry, found) for found in pattern.finditer(text))
        yield from (edit for edit in edits if edit is not None)


def _space_behind(geometry: PageGeometry, found: re.Match[str]) -> _Edit | None:
    """A space drawn with a Latin word, at its right end, comes after it, also where it stands before it to the eye."""
    space, first = geometry.indexes(found.start(), found.start() + 2)
    last = geometry.indexes(found.end() - 1, found.end())[0]
    if min(space, first, last) < 0 or not geometry.drawn_together(space, first):
        return None
    if geometry.char_box(space)[0] < geometry.char_box(last)[2] - 1:
        return None
    return _Edit(found.start(), found.end(), (found.span("run"), found.span("space")))


def _mark_behind(geometry: PageGeometry, found: re.Match[str]) -> _Edit | None:
    """A vowel sign comes after the letter that it stands over."""
    places = (found.start("before"), found.start("mark"), found.start("letter"))
    before, mark, letter = (geometry.indexes(place, place + 1)[0] for place in places)
    if min(before, mark, letter) < 0:
        return None
    left, _, right, _ = geometry.char_box(mark)
    middle = (left + right) / 2
    if not _holds(geometry.char_box(letter), middle) or _holds(geometry.char_box(before), middle):
        return None
    return _Edit(found.start("space"), found.end(), (found.span("letter"), found.span("mark")))


def _sign_behind(geometry: PageGeometry, found: re.Match[str]) -> _Edit | None:
    """What stands left of a number comes after it."""
    text = geometry.mapped.text
    start, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.end())
    if not HAS_RTL.search(text, start, end if end >= 0 else len(text)):
        return None
    sign, first = geometry.indexes(found.start("sign"), found.start("run") + 1)
    if min(sign, first) < 0 or geometry.char_box(sign)[2] > geometry.char_box(first)[0] + 1:
        return None
    return _Edit(found.start(), found.end(), (found.span("run"), found.span("sign")))


def _ligature_in_order(geometry: PageGeometry, found: re.Match[str]) -> _Edit | None:
    """Two letters that stand in the same place are one glyph."""
    first, last = geometry.indexes(found.start(), found.end())
    if min(first, last) < 0 or geometry.char_box(first) != geometry.char_box(last):
        return None
    middle = found.start() + 1
    return _Edit(found.start(), found.end(), ((middle, found.end()), (found.start(), middle)))


def _holds(box: Box, x: float) -> bool:
    return box[0] <= x <= box[2]
