"""Splits text into sentences with exact offsets.

Two steps. First lines are joined into blocks: a paragraph wrapped over many lines is one block, while a heading, a list
item, a table row or a line of code is one of its own. Then each block is cut after sentence-ending punctuation, unless
the full stop belongs to an abbreviation, an initial, a number or an ellipsis. Scripts that put no space after a
sentence (Chinese, Japanese) or end it otherwise (Devanagari, Arabic, Armenian, Ethiopic, Burmese) are cut at their own
marks. A footnote marker behind the full stop belongs to the sentence before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from app.grounding.word_lists import (
    ABBREVIATIONS,
    ABBREVIATIONS_BEFORE_NUMBERS,
    AMBIGUOUS_ABBREVIATIONS,
    GERMAN_MONTHS,
    SENTENCE_STARTERS,
)

Span = tuple[int, int]

# Marks that end a sentence whatever follows them.
_STRONG = "。！？｡।॥؟۔።፧։။"
_ENDING = re.compile(
    rf"(?P<mark>[.!?…{_STRONG}]+)"
    r"(?P<closers>(?:\s?''|[\"'”’»›)\]}」』）】〉》])*)"
    r"(?P<notes>(?:\s?\[\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\](?=[\s\[]|$))*)"
)
_OPENERS = "\"'“‘«‹([{`¿¡—–-*_ \t\n"
_LIST_ITEM = re.compile(r"\s*(?:[-*+•‣◦▪●·–—]\s|\(?\d{1,3}[.)]\s|\(?[a-z]\)\s|#{1,6}\s|>)")
_ENUMERATION = re.compile(r"\s*\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})\Z")
_WORD_BEFORE = re.compile(r"[^\W_](?:[^\W_]|[.'’-](?=[^\W_]))*\Z")
_FIRST_WORD = re.compile(r"[^\W_]+")

_LONGEST_WORD = 40
_NARROW = 30  # characters; where all lines are this short, each stands for itself
_SHORT_LINE = 0.6  # a line shorter than this share of its paragraph's longest was ended on purpose


def split_sentences(text: str) -> list[Span]:
    """Return ``(start, end)`` of each sentence, in order, without white space around it.

    Every character but white space lies in exactly one span. Headings, list items and table rows count as sentences.
    """
    spans: list[Span] = []
    for start, end in _blocks(text):
        begin = start
        for cut in _cuts(text, start, end):
            _append(spans, text, begin, cut)
            begin = cut
        _append(spans, text, begin, end)
    return spans


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        start += len(piece) - len(piece.lstrip())
        spans.append((start, start + len(stripped)))


def _blocks(text: str) -> Iterator[Span]:
    for paragraph in _paragraphs(text):
        width = max(end - start for start, end in paragraph)
        begin = paragraph[0][0]
        for (start, end), following in pairwise(paragraph):
            if _separate(text[start:end], text[following[0] : following[1]], width):
                yield begin, end
                begin = following[0]
        yield begin, paragraph[-1][1]


def _paragraphs(text: str) -> Iterator[list[Span]]:
    """Yield runs of lines that are not blank."""
    lines: list[Span] = []
    for match in re.finditer(r"[^\n]+|\n(?=\n)", text):
        if match[0].strip():
            lines.append(match.span())
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


def _separate(line: str, following: str, width: int) -> bool:
    """Tell whether a line break between two lines is meant, rather than made by wrapping."""
    if _LIST_ITEM.match(following) or _is_row(line) or _is_row(following) or line.lstrip().startswith("#"):
        return True
    ending = line.rstrip()[-1]
    if ending in ";{}":
        return True
    first = following.lstrip()[0]
    if ending in ",-–—" or first.islower():
        return False
    return width < _NARROW or len(line.rstrip()) < _SHORT_LINE * width


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|") or "\t" in line.strip() or line.count(" | ") > 1


def _cuts(text: str, start: int, end: int) -> Iterator[int]:
    """Yield the positions in ``text[start:end]`` behind which a new sentence begins."""
    for match in _ENDING.finditer(text, start, end):
        if match.end() >= end:
            return
        strong = match["mark"][-1] in _STRONG
        if strong or (text[match.end()].isspace() and _ends_here(text, start, match, end)):
            yield match.end()


def _ends_here(text: str, start: int, match: re.Match[str], end: int) -> bool:
    rest = text[match.end() : end].lstrip(_OPENERS)
    if not rest:
        return True
    word = _FIRST_WORD.match(rest)
    following = word[0] if word else ""
    if following[:1].islower():
        return following[1:2].isupper()  # iPhone, eBay
    mark = match["mark"]
    if mark != "." or match["closers"] or text[match.start() - 1 : match.start()].isspace():
        return True
    lead = text[max(start, match.start() - _LONGEST_WORD) : match.start()]
    before = _WORD_BEFORE.search(lead)
    if before is None:
        return True
    if len(lead) == match.start() - start and _ENUMERATION.match(lead):
        return False
    return not _is_abbreviation(before[0], following)


def _is_abbreviation(word: str, following: str) -> bool:
    """Tell whether the full stop behind ``word`` belongs to it."""
    lowered, usual = word.lower(), following.lower() in SENTENCE_STARTERS
    if lowered in ABBREVIATIONS:
        return True
    if following[:1].isdigit() and lowered in ABBREVIATIONS_BEFORE_NUMBERS:
        return True
    if word.isdigit():
        return len(word) <= 2 and following.lower() in GERMAN_MONTHS
    single = len(word) == 1 and word.isalpha()
    if single or lowered in AMBIGUOUS_ABBREVIATIONS or re.fullmatch(r"(?:\w\.)+\w", word):
        return not usual
    return False
