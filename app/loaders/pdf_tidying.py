"""Makes running text of a PDF's pages: without what its makers put there for print only.

Running headers, footers and page numbers go, words divided at line ends are mended, and spaces between single signs of
Chinese and Japanese vanish. What is what is told from the pages alone; no dictionary is needed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.loaders.mapped_text import MappedText, Span
from app.loaders.pdf_page import PageText
from app.loaders.running_lines import running_lines

_BREAK = re.compile(r"[-\u2010] ?\n")
_LETTERS = re.compile(r"[^\W\d_]+")
_LAST_LETTERS = re.compile(r"[^\W\d_]+\Z")
_LONGEST_WORD = 60
_PUNCTUATION = ".,;:!?()[]{}\"'“”‘’«»„…"
_LEAST_PART = 4
_LEAST_COMPOUNDS = 2
# A document divides words if so many of its hyphens at line ends are told to divide one, for each that isn't.
_LEAST_DIVIDED = 0.5
_SIGN = "[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
_ONE_SIGN = re.compile(_SIGN)
_LOOKED_AT = 500  # characters that tell a page's script
_SPACED_SIGNS = re.compile(rf"(?<!\S){_SIGN}(?: {_SIGN}){{3,}}(?!\S)")


def tidied(pages: Sequence[PageText]) -> list[MappedText]:
    """Return the texts of ``pages``, tidied; characters keep their places."""
    texts = [
        page.mapped.without(_with_line_end(page.mapped.text, spans)) if spans else page.mapped
        for page, spans in zip(pages, running_lines(pages), strict=True)
    ]
    hyphens = _Hyphens(texts)
    return [_unspaced(_mended(text, hyphens)) for text in texts]


def _with_line_end(text: str, spans: Sequence[Span]) -> list[Span]:
    return [(start, end + 1 if text[end : end + 1] == "\n" else end) for start, end in spans]


@dataclass(frozen=True, slots=True)
class _Division:
    """A hyphen with a line end behind it, ``[start, end)``, and the letters around it. ``follows_hyphen``: the letters
    on its left follow a hyphen themselves.
    """

    start: int
    end: int
    left: str
    right: str
    follows_hyphen: bool


def _divisions(text: str) -> Iterator[_Division]:
    if not any(sign in text for sign in ("-\n", "- \n", "\u2010")):
        return
    for found in _BREAK.finditer(text):
        start, end = found.span()
        left = _LAST_LETTERS.search(text, max(0, start - _LONGEST_WORD), start)
        right = _LETTERS.match(text, end)
        if left and right:
            follows_hyphen = text[left.start() - 1 : left.start()] in {"-", "\u2010"}
            yield _Division(start, end, left.group(), right.group(), follows_hyphen)


class _Hyphens:
    """Tells hyphens that divide a word at a line end from those that belong to the word, by the document's words."""

    def __init__(self, texts: Sequence[MappedText]) -> None:
        self._texts = texts
        self._words: frozenset[str] = frozenset()
        self._compounds: Counter[str] = Counter()
        self._divides = True

    def belongs(self, division: _Division) -> bool:
        """Whether a hyphen is part of the word that it stands in."""
        self._learn()
        known = self._known(division)
        return not self._divides if known is None else known

    def _known(self, division: _Division) -> bool | None:
        """Answer by what the words themselves say, None if they say nothing."""
        left, right = division.left, division.right
        if not (left[-1].islower() and right[0].islower()) or len(left) == 1:
            return True
        first, second = left.casefold(), right.casefold()
        if first + second in self._words:
            return False
        if division.follows_hyphen or f"{first}-{second}" in self._words:
            return True
        if max(self._compounds[first + "-"], self._compounds["-" + second]) >= _LEAST_COMPOUNDS:
            return True
        both_words = first in self._words and second in self._words
        return True if both_words and min(len(first), len(second)) >= _LEAST_PART else None

    def _learn(self) -> None:
        """Gather the document's words when they are first needed, and whether it divides words at all."""
        if self._words:
            return
        seen: set[str] = set()
        for each in self._texts:
            seen.update(_outside_divisions(each.text).split())
        self._words = frozenset(word.strip(_PUNCTUATION).casefold() for word in seen) | {""}
        for word in self._words:
            first, hyphen, second = word.partition("-")
            if first and hyphen and second:
                self._compounds.update((first + "-", "-" + second))
        answers = Counter(self._known(division) for each in self._texts for division in _divisions(each.text))
        self._divides = answers[False] >= _LEAST_DIVIDED * answers[True]


def _outside_divisions(text: str) -> str:
    """Return ``text`` without the words that a line end divides."""
    parts = _BREAK.split(text)
    if len(parts) == 1:
        return text
    middle = (" ".join(part.split()[1:-1]) for part in parts[1:-1])
    return " ".join((parts[0].rpartition(" ")[0], *middle, parts[-1].partition(" ")[2]))


def _mended(mapped: MappedText, hyphens: _Hyphens) -> MappedText:
    """Join words that a hyphen divides at a line end; hyphens that belong to the word stay in it."""
    gone = [(each.start + hyphens.belongs(each), each.end) for each in _divisions(mapped.text)]
    return mapped.without(gone) if gone else mapped


def _unspaced(mapped: MappedText) -> MappedText:
    if not _ONE_SIGN.search(mapped.text, 0, _LOOKED_AT):
        return mapped
    gone = [
        (found.start() + place, found.start() + place + 1)
        for found in _SPACED_SIGNS.finditer(mapped.text)
        for place in range(1, found.end() - found.start(), 2)
    ]
    return mapped.without(gone) if gone else mapped
