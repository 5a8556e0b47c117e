"""Numbers as a text says them, in figures or words, made comparable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from app.grounding.number_words import NO_CLAIMS, ORDINALS, OTHER_NUMBERS, SCALES, TENS, UNITS

_TOKEN = re.compile(
    r"(?P<figure>\d+(?:[.,'\u2019\u00a0\u202f]\d+)*|[½¼¾])(?P<suffix>st|nd|rd|th|s|k|m|bn|mn)?(?![^\W\d_])"
    r"|(?P<word>[^\W\d_]+)"
)
_CODE = re.compile(r"(?<![^\W_])(?=[^\W_]*\d)(?=[^\W_]*[^\W\d_])[^\W_]+")
_SUFFIXES = frozenset({"st", "nd", "rd", "th", "s"})
_VULGAR = {"½": Fraction(1, 2), "¼": Fraction(1, 4), "¾": Fraction(3, 4)}


@dataclass(frozen=True, slots=True)
class Number:
    """A number at ``[start, end)``: the values it can mean (1,000 may be one thousand or one), and if it is a claim."""

    start: int
    end: int
    values: frozenset[Fraction]
    claimed: bool = True


def numbers(text: str) -> list[Number]:
    """The numbers of ``text`` in order. Those in a word with letters, as in E15, are codes and none of them."""
    tokens = [each for each in _TOKEN.finditer(text) if not _inside_code(text, each)]
    found: list[Number] = []
    position = 0
    while position < len(tokens):
        used, number = _read(tokens, position, text)
        if number is not None:
            found.append(number)
        position += used
    return _with_shared_scales(text, found)


def codes(text: str) -> list[str]:
    """Words of letters and figures (E15, A380, sha256), lower case; ordinals and decades such as 1980s are numbers."""
    return [each[0].lower() for each in _CODE.finditer(text) if not _is_figure(each[0])]


def _is_figure(word: str) -> bool:
    match = _TOKEN.fullmatch(word)
    return match is not None and match["figure"] is not None


def _inside_code(text: str, match: re.Match[str]) -> bool:
    start, end = match.span()
    before, after = text[start - 1 : start], text[end : end + 1]
    if match["figure"]:
        return before.isalpha() or (after.isalpha() and not match["suffix"])
    return before.isdigit() or after.isdigit()


def _read(tokens: list[re.Match[str]], position: int, text: str) -> tuple[int, Number | None]:
    """Read one number: how many tokens it takes, and the number, if there is one."""
    first = tokens[position]
    if first["figure"]:
        values = _figure_values(first["figure"])
        suffix = (first["suffix"] or "").lower()
        scale = 1 if suffix in _SUFFIXES else SCALES.get(suffix, 1)
        used, total = _scales(tokens, position + 1, text)
        factor = scale * total
        end = tokens[position + used].end() if used else first.end()
        return used + 1, Number(first.start(), end, frozenset(value * factor for value in values))
    used, value = _words_value(tokens, position, text)
    if value is None:
        return 1, None
    words = {tokens[position + each]["word"].lower() for each in range(used)}
    claimed = not (used == 1 and words <= NO_CLAIMS)
    return used, Number(first.start(), tokens[position + used - 1].end(), frozenset({value}), claimed)


def _scales(tokens: list[re.Match[str]], position: int, text: str) -> tuple[int, int]:
    """Scale words (million) from ``position`` on: how many, and what they multiply to."""
    used, factor = 0, 1
    while position + used < len(tokens):
        token = tokens[position + used]
        word = (token["word"] or "").lower()
        if len(word) < 3 or word not in SCALES or not _close(tokens[position + used - 1], token, text):
            break
        factor *= SCALES[word]
        used += 1
    return used, factor


def _words_value(tokens: list[re.Match[str]], position: int, text: str) -> tuple[int, Fraction | None]:
    """The value of number words from ``position`` on, as in "two and a half million" or "twenty-five"."""
    reading = _Reading()
    while position + reading.used < len(tokens):
        at = position + reading.used
        if reading.used and not _close(tokens[at - 1], tokens[at], text):
            break
        if not reading.take([(each["word"] or "").lower() for each in tokens[at : at + 3]]):
            break
    return (reading.used, reading.total + reading.current) if reading.seen else (1, None)


@dataclass(slots=True)
class _Reading:
    """Number words read so far: ``current`` is below the last scale of a thousand or more, ``total`` above it."""

    total: Fraction = Fraction(0)
    current: Fraction = Fraction(0)
    used: int = 0
    seen: bool = False
    ended: bool = False

    def take(self, words: list[str]) -> bool:
        """Take the first of the next three words, or "and a half"; whether it belongs to the number."""
        if self.ended:
            return False
        if self.seen and words == ["and", "a", "half"]:
            self.current += Fraction(1, 2)
            self.used += 3
            return True
        taken = self._small(words[0]) or self._scale(words[0]) or self._last(words[0]) or self._joint(words)
        self.used += taken
        return taken

    def _small(self, word: str) -> bool:
        value = UNITS.get(word, TENS.get(word))
        if value is None:
            return False
        after_tens = bool(self.current % 100) and not self.current % 10 and value < 10
        after_hundreds = not self.current % 100
        if self.seen and not (after_tens or (after_hundreds and self.current)):
            return False
        self.current, self.seen = self.current + value, True
        return True

    def _scale(self, word: str) -> bool:
        if word not in SCALES or len(word) < 3 or not self.seen:
            return False
        self.current *= SCALES[word]
        if SCALES[word] >= 1_000:
            self.total, self.current = self.total + self.current, Fraction(0)
        return True

    def _last(self, word: str) -> bool:
        """An ordinal, or a word such as twice, ends the number."""
        if word in ORDINALS and (not self.seen or (not self.current % 10 and ORDINALS[word] < 10)):
            self.current += ORDINALS[word]
        elif word in OTHER_NUMBERS and not self.seen:
            self.current = Fraction(OTHER_NUMBERS[word])
        else:
            return False
        self.seen = self.ended = True
        return True

    def _joint(self, words: list[str]) -> bool:
        """The "and" of "one hundred and five"."""
        follows = len(words) > 1 and (words[1] in UNITS or words[1] in TENS)
        return words[0] == "and" and self.seen and bool(self.current) and not self.current % 100 and follows


def _close(before: re.Match[str], after: re.Match[str], text: str) -> bool:
    return text[before.end() : after.start()] in (" ", "-", "\u00a0", "\u2011", " - ", "\n")


def _figure_values(figure: str) -> frozenset[Fraction]:
    if figure in _VULGAR:
        return frozenset({_VULGAR[figure]})
    return frozenset(_readings(re.sub(r"['\u2019\u00a0\u202f]", "", figure)))


def _readings(figure: str) -> Iterator[Fraction]:
    """A point or comma may divide thousands or begin the decimals; a figure with several of them is no decimal."""
    parts = re.split(r"[.,]", figure)
    if len(parts) == 1:
        yield Fraction(int(figure))
        return
    if all(len(each) == 3 for each in parts[1:]):
        yield Fraction(int("".join(parts)))
    if len(parts) == 2:
        yield Fraction(f"{parts[0]}.{parts[1]}")
    elif "," in figure and "." in figure:
        cut = max(figure.rfind(","), figure.rfind("."))
        yield Fraction(f"{re.sub(r'[.,]', '', figure[:cut])}.{figure[cut + 1 :]}")
    else:
        yield from (Fraction(int(each)) for each in parts)  # a date such as 31.12.1999


def _with_shared_scales(text: str, found: list[Number]) -> list[Number]:
    """In "ten to twenty thousand" the first number shares the scale of the second."""
    shared = list(found)
    for index in range(len(found) - 1):
        one, two = found[index], found[index + 1]
        between = text[one.end : two.start].strip().lower()
        last = text[two.start : two.end].split()[-1].lower() if text[two.start : two.end].split() else ""
        if between in {"to", "and", "or", "-", "–", "bis"} and last in SCALES:
            scaled = {value * SCALES[last] for value in one.values}
            shared[index] = Number(one.start, one.end, one.values | scaled, one.claimed)
    return shared
