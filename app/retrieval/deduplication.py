"""Folding passages that say the same: copies of a file, its old versions, text repeated inside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from app.domain.passages import Passage

ALIKE = 0.9
"""Share of neighbouring word pairs (Jaccard) from which two passages count as the same."""

_WORD = re.compile(r"\w+")
_FIGURE = re.compile(r"(?<!\w)[^\W\d]*+\d[\w.,]*")


@dataclass(frozen=True, slots=True)
class _Print:
    pairs: frozenset[tuple[str, str]]
    figures: frozenset[str]

    @classmethod
    def of(cls, text: str) -> _Print:
        found = _WORD.findall(text.casefold())
        return cls(frozenset(pairwise(("", *found))), frozenset(each.rstrip(".,") for each in _FIGURE.findall(text)))

    def same(self, other: _Print) -> bool:
        # Reports of two years may differ in nothing but their figures; these are what is asked for.
        if self.figures != other.figures:
            return False
        shared = len(self.pairs & other.pairs)
        return shared >= ALIKE * (len(self.pairs) + len(other.pairs) - shared)


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
        mark = _Print.of(passage.text)
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
