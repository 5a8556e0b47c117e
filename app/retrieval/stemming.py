"""Texts of many languages as the keyword index holds them.

English words keep their form here, as the index's own analyser stems them. Words of a text in another language are
stemmed in that language first, once the text's function words tell which it is. Of scripts written without spaces,
the single characters are added behind the pairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from app.retrieval.function_words import text_language
from app.retrieval.search_text import is_single_character_of_unspaced_script as is_lone_character

if TYPE_CHECKING:
    import tantivy

STEMMERS = {
    "da": "danish",
    "de": "german",
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
# Accents that folding took away and the stemmers go by, and Portuguese plurals that they miss without.
_RESTORED = {
    "es": (re.compile(r"([aeiu][cs])ion\b|(log)ia\b"), lambda m: f"{m[1]}ión" if m[1] else f"{m[2]}ía"),
    "pt": (re.compile(r"(.)oes\b"), lambda m: f"{m[1]}ao"),
    "ru": (re.compile(r"([ыое])и\b"), lambda m: f"{m[1]}й"),
}


def index_text(text: str) -> tuple[str, str | None]:
    """A search text as the index's analyser gets it, and the language in which it was stemmed for that.

    The language is None for English and any without a stemmer; the text then is the same object where nothing is to
    be done.
    """
    language = text_language(text.split(" "))
    if language is not None:
        text = stem_in(language, text)
    if text.isascii():
        return text, language
    single = " ".join(characters(text.split(" ")))
    return (f"{text} {single}" if single else text), language


def stem_in(language: str, text: str) -> str:
    """The stems of words separated by spaces."""
    restored = _RESTORED.get(language)
    if restored is not None:
        text = restored[0].sub(restored[1], text)
    return " ".join(_stemmer(language).analyze(text))


def characters(words: list[str]) -> Iterator[str]:
    """The characters of the pairs among folded words, each as often as it stands in the text."""
    for place, word in enumerate(words):
        if is_pair(word):
            yield word[0]
            following = words[place + 1] if place + 1 < len(words) else ""
            if not (is_pair(following) and following[0] == word[1]):
                yield word[1]


def is_pair(word: str) -> bool:
    """Whether a word is a pair of characters of a script written without spaces."""
    return len(word) == 2 and is_lone_character(word[0]) and is_lone_character(word[1])


@cache
def _stemmer(language: str) -> tantivy.TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return TextAnalyzerBuilder(Tokenizer.whitespace()).filter(Filter.stemmer(STEMMERS[language])).build()
