"""Words of messages, and queries for SQLite's full-text search that never fail whatever the user types."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from app.domain.pictures import without_pictures

_LONGEST_WORD = 64
_MOST_TERMS = 32
_KEPT_CHARACTERS = 4096
_RUN = re.compile(r"[0-9A-Za-z\x80-\U0010ffff]+")  # no other character of ASCII is in a word
# Scripts written without spaces, where pairs of characters stand in for words.
_UNSPACED = (
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),
    (0x3040, 0x30FF),  # kana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9D),  # half-width kana
    (0x20000, 0x3FFFF),
)


@dataclass(frozen=True, slots=True)
class Word:
    """A run of letters, digits and marks ``text[start:end]``, and what it is searched as."""

    start: int
    end: int
    folded: str
    unspaced: bool


def words(text: str) -> Iterator[Word]:
    """The words of ``text`` without regard to case, width and, in alphabets, accents (Unicode NFKD, marks dropped)."""
    for run in _RUN.finditer(text):
        if run[0].isascii():  # most of what is stored, and what is stored again and again while an answer grows
            yield Word(run.start(), run.end(), run[0].lower()[:_LONGEST_WORD], unspaced=False)
        else:
            yield from _words_between(text, run.start(), run.end())


def _words_between(text: str, start: int, stop: int) -> Iterator[Word]:
    while start < stop:
        kind = _kind(text[start])
        end = start + 1
        while end < stop and kind and (_kind(text[end]) == kind or _is_mark(text[end])):
            end += 1
        unspaced = kind == "unspaced"
        folded = _fold(text[start:end], "NFKC" if unspaced else "NFKD") if kind else ""
        if folded:
            yield Word(start, end, folded, unspaced)
        start = end


def search_text(text: str) -> str:
    """What is indexed for ``text``: its terms, joined by spaces; no bytes of pictures."""
    return " ".join(_terms(without_pictures(text)))


def _terms(text: str) -> Iterator[str]:
    """What ``indexed_terms`` gives for all ``words``, sooner."""
    for run in _RUN.findall(text):
        if run.isascii():
            yield run.lower()[:_LONGEST_WORD]
        else:
            for word in _words_between(run, 0, len(run)):
                yield from indexed_terms(word)


def indexed_terms(word: Word) -> list[str]:
    """The terms a word is found by: itself, or in unspaced scripts its pairs of characters and its last one."""
    return [*_pairs(word.folded), word.folded[-1]] if word.unspaced else [word.folded]


def query_terms(text: str) -> list[tuple[str, bool]]:
    """(term, whether it may be the beginning of one) that a message has to hold, all of them; empty for no words.

    The last word may be unfinished, since searches run while the user types.
    """
    found = list(words(text))
    terms: dict[tuple[str, bool], None] = {}
    for word in found:
        if word.unspaced:
            terms |= dict.fromkeys((pair, False) for pair in _pairs(word.folded)) or {(word.folded, True): None}
        else:
            terms[word.folded, word is found[-1]] = None
    return list(terms)[:_MOST_TERMS]


def match_expression(text: str) -> str | None:
    """An FTS5 expression for ``text``, every term quoted; None when there is nothing to search for.

    Terms hold letters and digits only, so that nothing in them can end the quotes or act as syntax.
    """
    terms = [f'"{term}"*' if prefix else f'"{term}"' for term, prefix in query_terms(text)]
    return " AND ".join(terms) or None


@lru_cache(_KEPT_CHARACTERS)
def _kind(character: str) -> str:
    """``unspaced``, ``word``, or nothing for what separates words."""
    point = ord(character)
    if point >= _UNSPACED[0][0] and any(low <= point <= high for low, high in _UNSPACED):
        return "unspaced" if unicodedata.category(character)[0] in "LN" else ""
    return "word" if unicodedata.category(character)[0] in "LN" else ""


@lru_cache(_KEPT_CHARACTERS)
def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _fold(word: str, form: Literal["NFKC", "NFKD"]) -> str:
    decomposed = unicodedata.normalize(form, word.casefold())
    letters = "".join(each for each in decomposed if unicodedata.category(each)[0] in "LN")
    return unicodedata.normalize("NFC", letters.casefold())[:_LONGEST_WORD]


def _pairs(folded: str) -> list[str]:
    return [folded[position : position + 2] for position in range(len(folded) - 1)]


def matching_spans(text: str, query: str) -> Iterator[tuple[int, int]]:
    """[start, end) of each word of ``text`` that matches a term of ``query``."""
    terms = query_terms(query)
    for word in words(text):
        own = indexed_terms(word)
        if any(mine == term or (prefix and mine.startswith(term)) for term, prefix in terms for mine in own):
            yield word.start, word.end
