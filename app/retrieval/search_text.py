"""Text as the keyword index sees it: the same words come out at ingestion and at query time.

Words are separated by single spaces. Scripts written without spaces (Chinese, Japanese, Korean, Thai, Lao, Khmer,
Burmese) become overlapping pairs of characters, which finds words of any length without a dictionary.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

WORD_LIMIT = 64
"""Characters of a word that are kept; longer runs are base64, keys and the like."""

_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0eba\u0ec0-\u0ecd\u1000-\u103f\u1780-\u17d3"
    "\u3005-\u3007\u3041-\u3096\u3099\u309a\u30a1-\u30fa\u30fc\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af"
)
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
# Accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic: people leave them out when they type.
_OPTIONAL_MARKS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc]+")
_INVISIBLE = re.compile("[\u00ad\u0640\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")
_APOSTROPHES = re.compile("[\u2019\u02bc\u2018\uff07]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ASCII_WORD = re.compile(r"\d+(?:\.\d+)+|[a-z0-9]+(?:\+\+|#(?![a-z0-9]))|[a-z0-9]+(?:'[a-z0-9]+)*")
_MIXED = re.compile(r"(?=\D*\d)(?=[\W\d_]*[^\W\d_])")
_PART = re.compile(r"[^\W\d_]+|\d+")
# What stands before or after an apostrophe without being a word: English don't, we'll, French l'eau, d'un, qu'il.
_CLITICS = frozenset({"s", "t", "re", "ve", "ll", "d", "m", "l", "j", "n", "c", "qu"})


def search_text(title: str, headings: Sequence[str], text: str) -> str:
    """The words of a chunk, its document's title and its headings, as the keyword index stores them."""
    found = words("\n".join(part for part in (title, *headings, text) if part))
    return " ".join([*found, *compound_parts(found)])


def words(text: str) -> list[str]:
    """Split into folded words: compatibility forms, case and optional accents removed. Takes any string at all."""
    if text.isascii():
        folded, pattern = text.lower(), _ASCII_WORD
    else:
        folded, pattern = _pair_unspaced(_fold(text)), _word_pattern()
    folded = _THOUSANDS.sub("", folded)
    return [word[:WORD_LIMIT] for match in pattern.finditer(folded) for word in _parts(match.group())]


def compound_parts(found: Iterable[str]) -> list[str]:
    """Letters and figures of words that mix them: who writes BRCA1, mp3 or 2023Q2 is asked for BRCA 1 as well.

    They stand behind the text, where they disturb no phrase.
    """
    return [part for word in found if _MIXED.match(word) for part in _PART.findall(word)]


def is_single_character_of_unspaced_script(word: str) -> bool:
    """Whether a word stands alone where the index has only pairs, such as a query of one Chinese character."""
    return len(word) == 1 and _UNSPACED_RUN.match(word) is not None


def unspaced_share(text: str) -> float:
    """Share of the letters of ``text`` that belong to scripts written without spaces, 0 to 1."""
    letters = sum(character.isalpha() for character in text)
    unspaced = sum(len(match.group()) for match in _UNSPACED_RUN.finditer(text))
    return min(1.0, unspaced / letters) if letters else 0.0


def _fold(text: str) -> str:
    # A lone surrogate, as file names can hold, can't be stored as UTF-8.
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold()
    text = _OPTIONAL_MARKS.sub("", unicodedata.normalize("NFD", text))
    return _APOSTROPHES.sub("'", unicodedata.normalize("NFC", text))


def _pair_unspaced(text: str) -> str:
    return _UNSPACED_RUN.sub(lambda match: f" {' '.join(_pairs(match.group()))} ", text)


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]


def _parts(word: str) -> list[str]:
    if "'" not in word:
        return [word]
    parts = word.split("'")
    return [part for part in parts if part not in _CLITICS] or [max(parts, key=len)]


@cache
def _word_pattern() -> re.Pattern[str]:
    letter = f"(?:[^\\W_]|[{_spacing_marks()}])"
    return re.compile(rf"\d+(?:\.\d+)+|{letter}+(?:\+\+|#(?!\w))|{letter}+(?:'{letter}+)*")


@cache
def _spacing_marks() -> str:
    """The vowel signs of the Indic scripts, which ``\\w`` leaves out though words can't do without them."""
    return "".join(chr(code) for code in range(0x0900, 0x1CFF) if unicodedata.category(chr(code))[0] == "M")
