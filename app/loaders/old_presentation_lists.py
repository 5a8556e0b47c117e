"""Numbers of lists in PowerPoint 97 to 2003: they aren't in the text, but follow from how its paragraphs are styled.

Whether a paragraph shows a bullet is in its style ([MS-PPT] 2.9.20); that the bullet is a number, in records that
PowerPoint 2000 added (2.9.67). The style of characters tells which of these holds. Some programs leave that out and
write one of them for each run of paragraphs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.loaders.old_presentation_records import TEXT_STYLE, Record, RecordStream

PARAGRAPH_END = "\r"
_TAG, _NUMBERING = 0x138B, 0x0FAC
_STATES_BULLET = _HAS_BULLET = 1
_GROUP, _GROUP_SHIFT = 0xF, 10  # which added properties hold, in the style of a font
# Which properties follow a mask, in order: bits of the mask, and bytes of the value; 0 is a list of tab stops.
_OF_PARAGRAPHS = (
    (0xF, 2),  # whether there is a bullet, and which of its properties are the paragraph's own
    *((1 << bit, 2) for bit in (7, 4, 6)),
    (1 << 5, 4),
    *((1 << bit, 2) for bit in (11, 12, 13, 14, 8, 10, 15)),
    (1 << 20, 0),
    *((bits, 2) for bits in (1 << 16, 0b111 << 17, 1 << 21)),
)
_OF_CHARACTERS = (
    (0b10_1011_0111 | _GROUP << _GROUP_SHIFT, 2),  # the style of the font
    *((1 << bit, 2) for bit in (16, 21, 22, 23, 17)),
    (1 << 18, 4),
    (1 << 19, 2),
)
_PICTURE, _SCHEME, _COUNTS, _EXTENSION = 1 << 23, 1 << 24, 1 << 25, 1 << 20


@dataclass(frozen=True, slots=True)
class _Run:
    """``length`` UTF-16 units with the same style: its mask, and its first property, 0 if it isn't stated."""

    length: int
    mask: int
    first: int


def numbered(records: RecordStream, shape: Record, box: Record, text: str, *, has_bullets: bool) -> str:
    """Return the raw text of a shape's box with its paragraphs numbered as they show, itself if none is.

    ``has_bullets`` is what holds where a paragraph doesn't say. Broken records number nothing.
    """
    style = next((each for each in records.children(box) if each.kind == TEXT_STYLE), None)
    added = next(_added(records, shape), None)
    if style is None or added is None:
        return text
    paragraphs = text.split(PARAGRAPH_END)
    try:
        first_numbers = list(_first_numbers(records.data(added)))
        groups = _groups(records.data(style), paragraphs, len(first_numbers), has_bullets=has_bullets)
    except struct.error:
        return text
    return PARAGRAPH_END.join(_with_numbers(paragraphs, groups, first_numbers))


def _added(records: RecordStream, shape: Record) -> Iterator[Record]:
    """The records of numbering: they stand in what a later version of the program tags a shape with."""
    for tag in records.descendants(shape):
        if tag.kind == _TAG:
            yield from (each for each in records.children(tag) if each.kind == _NUMBERING)


def _with_numbers(paragraphs: Sequence[str], groups: Sequence[int | None], first: Sequence[int]) -> Iterator[str]:
    number, before = 0, None
    for paragraph, group in zip(paragraphs, groups, strict=True):
        if group is None or not first[group]:
            before = None
        elif paragraph.strip():
            number = number + 1 if group == before else first[group]
            before = group
            yield f"{number}. {paragraph}"
            continue
        yield paragraph


def _groups(style: bytes, paragraphs: Sequence[str], known: int, *, has_bullets: bool) -> list[int | None]:
    """Return for each paragraph which of the ``known`` added properties hold for it, None without a bullet."""
    lengths = [_units(each) + 1 for each in paragraphs]
    of_paragraphs, place = _runs(style, 0, sum(lengths), _OF_PARAGRAPHS, indent=2)
    of_characters, _ = _runs(style, place, sum(lengths), _OF_CHARACTERS, indent=0)
    named = [run.first >> _GROUP_SHIFT & _GROUP for run in of_characters]
    one_each = not any(named) and known == len(of_paragraphs)
    found: list[int | None] = []
    position = 0
    for length in lengths:
        run = _at(of_paragraphs, position)
        group = run if one_each else named[_at(of_characters, position)] if named else 0
        says = bool(of_paragraphs) and bool(of_paragraphs[run].mask & _STATES_BULLET)
        shows = bool(of_paragraphs[run].first & _HAS_BULLET) if says else has_bullets
        found.append(group if shows and group < known else None)
        position += length
    return found


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _at(runs: Sequence[_Run], position: int) -> int:
    """Return the number of the run that holds a position, the last one's for what is behind them."""
    for number, run in enumerate(runs):
        position -= run.length
        if position < 0:
            return number
    return max(0, len(runs) - 1)


def _runs(
    style: bytes, place: int, length: int, properties: Sequence[tuple[int, int]], *, indent: int
) -> tuple[list[_Run], int]:
    """Read the runs that stand from ``place`` on for ``length`` units; returns them and where they end."""
    found: list[_Run] = []
    while length > 0 and place + 8 + indent <= len(style):
        count, mask = struct.unpack_from("<I", style, place)[0], struct.unpack_from("<I", style, place + 4 + indent)[0]
        place += 8 + indent
        first = struct.unpack_from("<H", style, place)[0] if mask & properties[0][0] else 0
        for bits, size in properties:
            if mask & bits:
                place += size or 2 + 4 * struct.unpack_from("<H", style, place)[0]
        found.append(_Run(max(1, count), mask, first))
        length -= max(1, count)
    return found, place


def _first_numbers(data: bytes) -> Iterator[int]:
    """Return for each set of added properties the number at which it begins to count, 0 if it doesn't."""
    place = 0
    while place + 12 <= len(data):
        mask = struct.unpack_from("<I", data, place)[0]
        place += 6 if mask & _PICTURE else 4
        counts, first = 0, 1
        if mask & _COUNTS:
            counts = struct.unpack_from("<H", data, place)[0]
            place += 2
        if mask & _SCHEME:
            first = struct.unpack_from("<H", data, place + 2)[0]
            place += 4
        yield max(1, first) if counts else 0
        place += 8 if struct.unpack_from("<I", data, place)[0] & _EXTENSION else 4  # what characters add
        place = _after_language(data, place)


def _after_language(data: bytes, place: int) -> int:
    """Return where the properties of spelling and language end that begin at ``place`` (2.9.32)."""
    mask = struct.unpack_from("<I", data, place)[0]
    place += 4 + 2 * (mask & 0b100_0111).bit_count()  # spelling, two languages, direction of writing
    place += 4 * bool(mask & 1 << 5)  # an extension
    if mask & 1 << 9:  # smart tags
        place += 4 + 4 * struct.unpack_from("<I", data, place)[0]
    return place
