"""Numbers as lists show them."""

from __future__ import annotations

LARGEST_ROMAN = 4999
_MOST_LETTERS = 10
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


def roman(number: int) -> str:
    """Return ``number`` in small Roman numerals; numbers that have none in figures."""
    if not 0 < number <= LARGEST_ROMAN:
        return str(number)
    parts = []
    for worth, sign in _ROMAN:
        parts.append(sign * (number // worth))
        number %= worth
    return "".join(parts)


def letters(number: int) -> str:
    """Return ``number`` as small letters the way word processors count on after z: aa, bb; 0 and less in figures."""
    if number < 1:
        return str(number)
    return chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, _MOST_LETTERS)
