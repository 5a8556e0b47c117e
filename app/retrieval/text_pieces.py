"""Cuts text into pieces, the smallest units that chunks are made of: sentences, lines, table rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from app.domain.documents import ParsedDocument, PlacedSection, SectionKind


class Break(IntEnum):
    """What stands between two pieces, from the best place for a cut to the worst."""

    PAGE = 0
    SECTION = 1
    PARAGRAPH = 2
    SENTENCE = 3
    LINE = 4
    CLAUSE = 5
    WORD = 6
    CHARACTER = 7


@dataclass(slots=True)
class Piece:
    """The span ``[start, end)`` of the document, without white space at its ends.

    ``before`` is what stands between it and the piece before, ``section`` the index of its section. ``finest`` is the
    finest kind of break it has been cut at. ``tokens`` is filled by the splitter.
    """

    start: int
    end: int
    section: int
    before: Break
    finest: Break
    tokens: int = 0


# Starts at a line end or a sentence's closing punctuation and never looks back, so that long runs stay linear.
_SENTENCE_END = r"[.!?…][\"'”’»)\]]*+\s++(?=[^a-z])|[。！？｡][」』”’）]*+"
_TEXT_BREAK = re.compile(rf"(?P<lines>\n\s*+)|{_SENTENCE_END}")
_NEXT_LINE = re.compile(r"\n+")
_ITEM = re.compile(r"[-*•▪◦‣–]\s|\(?[0-9a-zA-Z]{1,3}[.)]\s|#{1,6}\s")
_CLAUSE_BREAK = re.compile(r"[,;:|\t—][ \t]++|[，、；：]")
_WORD_BREAK = re.compile(r"\s++")
_DEFINITION = re.compile(
    r"(?:@|(?:export|default|pub|public|private|protected|internal|static|abstract|final|async|inline|virtual|override)\b.*"
    r"|(?:async\s+)?def\s|class\s|func\s|fn\s|function\b|fun\s|sub\s|interface\s|struct\s|enum\s|impl\b|trait\s|module\s"
    r"|namespace\s|type\s|CREATE\s|#{1,6}\s)",
)
_BODY_INDENT = 8
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")


def document_pieces(document: ParsedDocument) -> list[Piece]:
    """Every piece of the document in order; together they hold every character that is not white space.

    What says again what stands elsewhere is left out; no chunk may go across it.
    """
    pieces: list[Piece] = []
    page: int | None = None
    skipped = False
    for index, placed in enumerate(document.sections):
        if placed.section.kind is SectionKind.REPEATED:
            skipped = True
            continue
        first = Break.PAGE if not pieces or skipped or placed.section.page != page else Break.SECTION
        page, skipped = placed.section.page, False
        pieces.extend(_section_pieces(document.text, placed, index, first))
    return pieces


def _section_pieces(text: str, placed: PlacedSection, index: int, first: Break) -> Iterator[Piece]:
    breaks = _text_breaks if placed.section.kind is SectionKind.TEXT else _line_breaks
    code = placed.section.kind is SectionKind.CODE
    yield from _pieces_between(text, breaks(text, placed.start, placed.end, code), placed, index, first)


def _pieces_between(
    text: str, breaks: Iterator[tuple[int, Break]], placed: PlacedSection, index: int, first: Break
) -> Iterator[Piece]:
    start, before = placed.start, first
    for position, kind in breaks:
        piece = trimmed(text, start, position, index, before, Break.LINE)
        if piece is not None:
            yield piece
            before = kind
        else:
            before = min(before, kind)
        start = position
    piece = trimmed(text, start, placed.end, index, before, Break.LINE)
    if piece is not None:
        yield piece


def trimmed(text: str, start: int, end: int, section: int, before: Break, finest: Break) -> Piece | None:
    """The piece of ``[start, end)`` without white space at its ends; None if nothing is left."""
    inner = text[start:end]
    left = len(inner) - len(inner.lstrip())
    if left == len(inner):
        return None
    return Piece(start + left, start + len(inner.rstrip()), section, before, finest)


def _text_breaks(text: str, start: int, end: int, code: bool) -> Iterator[tuple[int, Break]]:
    del code
    for match in _TEXT_BREAK.finditer(text, start, end):
        lines = match["lines"]
        if lines is None:
            kind = Break.PARAGRAPH if match[0].count("\n") > 1 else Break.SENTENCE
        elif lines.count("\n") > 1:
            kind = Break.PARAGRAPH
        else:
            kind = Break.SENTENCE if _ITEM.match(text, match.end(), end) else Break.LINE
        yield match.end(), kind


def _line_breaks(text: str, start: int, end: int, code: bool) -> Iterator[tuple[int, Break]]:
    for match in _NEXT_LINE.finditer(text, start, end):
        position = match.end()
        kind = Break.PARAGRAPH if len(match[0]) > 1 else Break.LINE
        if code:
            kind = _code_break(text, position, end, kind)
        yield position, kind


def _code_break(text: str, position: int, end: int, kind: Break) -> Break:
    line_start = position
    limit = min(end, position + _BODY_INDENT + 1)
    while position < limit and text[position] in " \t":
        position += 1
    if position - line_start <= _BODY_INDENT and _DEFINITION.match(text, position, end):
        return Break.PARAGRAPH if position > line_start else Break.SECTION
    return Break.SENTENCE if kind is Break.PARAGRAPH else kind


def cut_finer(text: str, piece: Piece, longest: int) -> list[Piece]:
    """Cut a piece at its next finer kind of break: clauses, then words, then every ``longest`` characters or in half.

    Returns one piece only when it is a single character.
    """
    finest = piece.finest
    while finest < Break.CHARACTER:
        finest = Break(finest + 1)
        if finest is Break.CHARACTER:
            break
        pattern = _CLAUSE_BREAK if finest is Break.CLAUSE else _WORD_BREAK
        cuts = [match.end() for match in pattern.finditer(text, piece.start, piece.end)]
        if len(cuts) > (cuts[-1:] == [piece.end]):
            return _cut_at(text, piece, cuts, finest)
    return _cut_at(text, piece, _character_cuts(text, piece.start, piece.end, longest), Break.CHARACTER)


def _cut_at(text: str, piece: Piece, cuts: list[int], finest: Break) -> list[Piece]:
    found: list[Piece] = []
    for start, end in zip([piece.start, *cuts], [*cuts, piece.end], strict=True):
        part = trimmed(text, start, end, piece.section, finest if found else piece.before, finest)
        if part is not None:
            found.append(part)
    return found


def _character_cuts(text: str, start: int, end: int, longest: int) -> list[int]:
    """Places every ``longest`` characters or in the middle of what is shorter, not inside a visible character."""
    step = min(longest, max(1, (end - start) // 2))
    cuts: list[int] = []
    position = start + step
    while position < end:
        position = _character_start(text, position, cuts[-1] if cuts else start)
        cuts.append(position)
        position += step
    return cuts


def _character_start(text: str, position: int, floor: int) -> int:
    """Move back over combining marks and joined emoji, not further than ``floor``."""
    place = position
    while place > floor + 1 and (_extends(text[place]) or text[place - 1] == "\u200d"):
        place -= 1
    return place if not _extends(text[place]) else position


def _extends(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) in {"Mn", "Mc", "Me"}
