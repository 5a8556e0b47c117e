"""How far an embedding model can be trusted with a query, judged by the query's script and commonest words."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from app.retrieval.function_words import STOP_WORDS

if TYPE_CHECKING:
    import tantivy

# Languages whose function words tantivy knows, by their ISO 639-1 codes.
_LANGUAGES = {
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ru": "russian",
    "sv": "swedish",
}
_WORD = re.compile(r"[^\W\d_]+")
_MOST_CHARACTERS = 2_000
LATIN = "latin"
OTHER = "other"
_FEW = 1
_TELLING_PART = 4
"""A single function word tells the language of at most so many words."""


def query_script(text: str) -> str:
    """``LATIN`` if at least half of the writing is (or there is none), else ``OTHER``.

    An ideograph or a syllable counts like two letters.
    """
    letters = [character for character in text[:_MOST_CHARACTERS] if character.isalpha()]
    latin = sum(character < "\u0250" or unicodedata.name(character, "").startswith("LATIN") for character in letters)
    other = sum(2 if character >= "\u2e80" else 1 for character in letters) - latin
    return LATIN if latin >= other else OTHER


def query_language(text: str) -> str | None:
    """The ISO 639-1 code of the language whose function words prevail; English wins ties; None where too few tell."""
    found = _WORD.findall(text[:_MOST_CHARACTERS])
    # Capitals are acronyms: IL and OER are Italian and Danish words otherwise.
    words = [word.lower() for word in found if len(word) == 1 or not word.isupper()]
    counts = {code: _function_words(words, language) for code, language in _LANGUAGES.items()}
    counts["en"] = sum(word in STOP_WORDS for word in words)
    best = max(counts, key=lambda code: (counts[code], code == "en"))
    enough = counts[best] > _FEW or counts[best] * _TELLING_PART >= len(words) > 0
    return best if enough and counts[best] else None


def _function_words(words: list[str], language: str) -> int:
    return len(words) - len(_without_function_words(language).analyze(" ".join(words)))


@cache
def _without_function_words(language: str) -> tantivy.TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return TextAnalyzerBuilder(Tokenizer.whitespace()).filter(Filter.stopword(language)).build()
