"""Words of a query that no text holds, forgiven: words that differ in one or two letters are found instead."""

from __future__ import annotations

from dataclasses import dataclass

SHORTEST = 4
LONG = 8
"""Words of so many letters may differ in two."""

NEAR, FAR = 0.5, 0.2
"""What a word counts that differs in one letter, and in two, against the same word."""


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A word to look for with up to ``distance`` letters changed, left out, added or swapped."""

    word: str
    distance: int
    share: float


def forgiven(word: str) -> tuple[Misspelt, ...]:
    """How to look for a word that nothing holds; not at all for short ones and those with figures.

    The shares add up: what differs in one letter also differs in at most two.
    """
    if len(word) < SHORTEST or not word.isalpha() or word[0] >= "\u2e80":
        return ()
    if len(word) < LONG:
        return (Misspelt(word, 1, NEAR),)
    return (Misspelt(word, 1, NEAR - FAR), Misspelt(word, 2, FAR))


def is_near(word: str, other: str, distance: int) -> bool:
    """Whether at most ``distance`` letters were changed, left out, added or swapped with the next.

    Optimal string alignment: no part is changed twice.
    """
    if abs(len(word) - len(other)) > distance or len(set(word) ^ set(other)) > 2 * distance:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(word, start=1):
        following = [place]
        for column, held in enumerate(other, start=1):
            cost = min(row[column] + 1, following[-1] + 1, row[column - 1] + (letter != held))
            if before and column > 1 and letter == other[column - 2] and held == word[place - 2]:
                cost = min(cost, before[column - 2] + 1)
            following.append(cost)
        before, row = row, following
    return row[-1] <= distance
