"""Choosing passages that fit into the room a model has for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from app.domain.passages import Passage

CHARACTERS_PER_TOKEN = 4


def tokens_of(passage: Passage) -> int:
    """The tokens of a passage, estimated where they were not counted."""
    return passage.token_count or max(1, len(passage.text) // CHARACTERS_PER_TOKEN)


def within_budget(passages: Iterable[Passage], token_budget: int) -> list[Passage]:
    """The best passages, in their order, that hold at most ``token_budget`` tokens together.

    One that is too long for the room left is passed over for shorter ones behind it.
    """
    chosen: list[Passage] = []
    left = token_budget
    for passage in passages:
        size = tokens_of(passage)
        if size <= left:
            chosen.append(passage)
            left -= size
    return chosen


def joined(passages: Sequence[Passage], document_text: Callable[[int], str]) -> list[Passage]:
    """Join passages of one document that overlap or stand within a line of each other; the best one's rank counts.

    ``text`` stays the document's text from ``start`` to ``end``.
    """
    result: list[Passage] = []
    for passage in passages:
        near = next((index for index, other in enumerate(result) if _touch(passage, other)), None)
        if near is None:
            result.append(passage)
            continue
        other = result[near]
        start, end = min(other.start, passage.start), max(other.end, passage.end)
        text = document_text(other.document_id)[start:end]
        first = min(other, passage, key=lambda each: each.start)
        tokens = tokens_of(other) + (0 if _inside(passage, other) else tokens_of(passage))
        result[near] = replace(
            other, start=start, end=end, text=text, page=first.page, headings=first.headings, token_count=tokens
        )
    return result


_GAP = 4


def _touch(one: Passage, other: Passage) -> bool:
    same = one.document_id == other.document_id
    return same and one.start <= other.end + _GAP and other.start <= one.end + _GAP


def _inside(one: Passage, other: Passage) -> bool:
    return other.start <= one.start and one.end <= other.end
