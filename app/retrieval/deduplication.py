"""Folding passages that say the same: copies of a file, its old versions, text repeated inside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

from app.domain.passages import Passage

ALIKE = 0.9
"""Share of neighbouring word pairs (Jaccard) from which two passages count as the same."""

_WORD = re.compile(r"\w+")
_FIGURE = re.compile(r"(?<!\w)[^\W\d]*+\d[\w.,]*")


class _Print:
    """What is compared of a text, no more of it worked out than the comparisons need."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = _WORD.findall(text.casefold())
        self._vocabulary = frozenset(self._words)

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Neighbouring words."""
        return frozenset(pairwise(("", *self._words)))

    @cached_property
    def figures(self) -> frozenset[str]:
        """Words with figures in them."""
        return frozenset(each.rstrip(".,") for each in _FIGURE.findall(self._text))

    def same(self, other: _Print) -> bool:
        """Whether both say the same."""
        # Every word ends a pair, so words of one text alone are in pairs of that text alone: no more than a share of
        # all pairs may be, and there are at most as many pairs as words.
        apart = len(self._vocabulary ^ other._vocabulary)
        if apart > (1 - ALIKE) * (len(self._words) + len(other._words)):
            return False
        shared = len(self.pairs & other.pairs)
        if shared < ALIKE * (len(self.pairs) + len(other.pairs) - shared):
            return False
        # Reports of two years may differ in nothing but their figures; these are what is asked for.
        return self.figures == other.figures


def fold_duplicates(passages: Iterable[Passage], k: int, newer: Callable[[Passage, Passage], bool]) -> list[Passage]:
    """The first ``k`` passages that differ, best first.

    A passage takes the place, the score and the ranks of a better one that says the same if ``newer(it, other)``: its
    file is the newer version.
    """
    kept: list[Passage] = []
    prints: list[_Print] = []
    for passage in passages:
        if len(kept) == k:
            break
        mark = _Print(passage.text)
        place = next((index for index, other in enumerate(prints) if mark.same(other)), None)
        if place is None:
            kept.append(passage)
            prints.append(mark)
        elif passage.document_id != kept[place].document_id and newer(passage, kept[place]):
            kept[place] = _in_place_of(kept[place], passage)
    return kept


def _in_place_of(better: Passage, newer: Passage) -> Passage:
    return replace(
        newer,
        score=better.score,
        similarity=better.similarity,
        dense_rank=better.dense_rank,
        keyword_rank=better.keyword_rank,
    )
