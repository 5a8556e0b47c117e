"""Words for numbers: English and German, the small ones also in French and Spanish. All lower case."""

from __future__ import annotations

from fractions import Fraction

from app.grounding.word_lists import word_set


def _counted(names: str, start: int, step: int = 1) -> dict[str, int]:
    """The words between commas, counted up from ``start``; those side by side mean the same."""
    return {word: start + step * place for place, group in enumerate(names.split(",")) for word in group.split()}


UNITS = _counted(
    """
    zero null, one ein eine einem einen einer, two zwei deux dos, three drei trois tres, four vier quatre cuatro,
    five fünf cinq cinco, six sechs seis, seven sieben sept siete, eight acht huit ocho, nine neun neuf nueve,
    ten zehn dix diez, eleven elf, twelve zwölf douze doce, thirteen dreizehn, fourteen vierzehn, fifteen fünfzehn,
    sixteen sechzehn, seventeen siebzehn, eighteen achtzehn, nineteen neunzehn
    """,
    start=0,
)
TENS = _counted(
    """
    twenty zwanzig, thirty dreißig, forty vierzig, fifty fünfzig, sixty sechzig, seventy siebzig, eighty achtzig,
    ninety neunzig
    """,
    start=20,
    step=10,
)
ORDINALS = _counted(
    """
    first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth, eleventh, twelfth, thirteenth,
    fourteenth, fifteenth, sixteenth, seventeenth, eighteenth, nineteenth, twentieth
    """,
    start=1,
)
SCALES = {
    "hundred": 100,
    "hundert": 100,
    "thousand": 1_000,
    "tausend": 1_000,
    "million": 10**6,
    "millions": 10**6,
    "millionen": 10**6,
    "billion": 10**9,
    "billions": 10**9,
    "milliarden": 10**9,
    "trillion": 10**12,
    "dozen": 12,
    "k": 1_000,
    "m": 10**6,
    "mn": 10**6,
    "bn": 10**9,
}
OTHER_NUMBERS: dict[str, int | Fraction] = {
    "twice": 2,
    "thrice": 3,
    "once": 1,
    "half": Fraction(1, 2),
    "both": 2,
    "single": 1,
}

# These count in evidence, but are no claim of a number by themselves: "one of them", "the second", "a single cell".
NO_CLAIMS = word_set("one ein eine einem einen einer first second once twice half both single null")
