"""Names as capital letters tell them, and whether a text knows them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.grounding.terms import stem
from app.grounding.word_lists import STOP_WORDS, word_set

_WORD = re.compile(r"[^\W\d_](?:[^\W_]|['\u2019.&-](?=[^\W\d_]))*")
_MONTHS = {
    each[:3]: each
    for each in word_set("january february march april may june july august september october november december")
}
_PARTICLES = word_set("of the de der den van von da di du la le el al bin ibn and & y e")
_DEMONYM_ENDINGS = word_set("n an ian ean ese ish i s es ns ans ians er ers ic")
_SHORTEST_ROOT = 4
_NO_NAMES = word_set("i ok yes no mr mrs ms dr prof st sir the a an")


@dataclass(frozen=True, slots=True)
class Name:
    """A name at ``[start, end)``: its words, folded. ``opens`` says that it begins the sentence and may be none."""

    start: int
    end: int
    words: tuple[str, ...]
    opens: bool = False


@dataclass(slots=True)
class KnownWords:
    """The words that texts hold, with the initials of their names."""

    words: set[str] = field(default_factory=set)
    stems: set[str] = field(default_factory=set)
    initials: set[str] = field(default_factory=set)

    def add(self, text: str) -> None:
        """Know the words of ``text`` as well."""
        found = {fold(each) for each in {each[0] for each in _WORD.finditer(text)}}
        new = {part for word in found for part in (word, *word.split("-"))} - self.words
        self.words |= new
        self.stems.update(stem(each) for each in new if each not in STOP_WORDS)
        self.initials.update(_initials(text))

    def copy(self) -> KnownWords:
        """The same words, to which others may be added."""
        return KnownWords(set(self.words), set(self.stems), set(self.initials))

    def holds(self, word: str) -> bool:
        """Whether the folded ``word`` is there: itself, its stem, a demonym, a short form of a month, or initials."""
        parts = [part for part in word.split("-") if part]
        if len(parts) > 1 and all(self.holds(part) for part in parts):
            return True
        if word in self.words or stem(word) in self.stems:
            return True
        if is_month(word):
            return any(each[:3] == word[:3] and is_month(each) for each in self.words)
        letters = word.replace(".", "")
        if letters in self.initials or letters in self.words:
            return True
        return any(_demonym(word, each) for each in self.words)


def names(sentence: str, *, nouns_are_capital: bool = False) -> list[Name]:
    """The names in ``sentence``. Where all nouns have capitals (German), only runs of two such words are names."""
    found: list[Name] = []
    run: list[re.Match[str]] = []
    matches = list(_WORD.finditer(sentence))
    for index, match in enumerate(matches):
        if _is_capital(match[0]):
            run.append(match)
        following = matches[index + 1] if index + 1 < len(matches) else None
        if run and (following is None or not _goes_on(sentence, match, following)):
            found.extend(_name(sentence, run, first=matches[0]))
            run = []
    if nouns_are_capital:
        return [each for each in found if len(each.words) > 1 and not each.opens]
    return found


def fold(word: str) -> str:
    """Lower case without accents, possessive ending and outer points."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", word) if not unicodedata.combining(each))
    return re.sub(r"['\u2019]s?$", "", plain.replace("\u2019", "'").casefold()).strip(".'")


def is_month(word: str) -> bool:
    """Whether a folded word is the name of a month, or its short form."""
    return word[:3] in _MONTHS and _MONTHS[word[:3]].startswith(word)


def unknown_words(name: Name, known: KnownWords) -> list[str]:
    """The words of a name that are not known."""
    return [each for each in name.words if len(each) > 1 and each not in _NO_NAMES and not known.holds(each)]


def _is_capital(word: str) -> bool:
    return word[0].isupper() and fold(word) not in _NO_NAMES


def _goes_on(sentence: str, word: re.Match[str], following: re.Match[str]) -> bool:
    """Whether the next word continues a name: Marie Curie, but not "in Paris. Marie" or "Egypt, France"."""
    between = sentence[word.end() : following.start()]
    return _is_capital(word[0]) and _is_capital(following[0]) and not between.strip(". ") and "  " not in between


def _name(sentence: str, run: list[re.Match[str]], *, first: re.Match[str]) -> Iterable[Name]:
    opens = run[0] is first
    if opens and fold(run[0][0]) in STOP_WORDS:
        run, opens = run[1:], False
    if run:
        words = tuple(fold(each[0]) for each in run)
        alone = opens and len(run) == 1 and not run[0][0][1:].isupper() and not any(map(str.isupper, run[0][0][1:]))
        yield Name(run[0].start(), run[-1].end(), words, alone)


def _initials(text: str) -> Iterable[str]:
    letters: list[str] = []
    end = 0
    for match in _WORD.finditer(text):
        if match[0][0].isupper() and (not letters or not text[end : match.start()].strip()):
            letters.append(match[0][0].lower())
        elif not (letters and match[0].lower() in _PARTICLES):
            letters = [match[0][0].lower()] if match[0][0].isupper() else []
        end = match.end()
        if len(letters) > 1:
            yield from ("".join(letters[-size:]) for size in range(2, min(len(letters), 6) + 1))


def _demonym(one: str, other: str) -> bool:
    """Whether one word is the other with an ending: Egypt and Egyptian, Canada and Canadian."""
    short, long = sorted((one, other), key=len)
    root = short.rstrip("aeoy") if len(short.rstrip("aeoy")) >= _SHORTEST_ROOT else short
    return len(root) >= _SHORTEST_ROOT and long.startswith(root) and long[len(root) :] in _DEMONYM_ENDINGS
