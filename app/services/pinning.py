"""Files that are given to the model as a whole, where they fit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.chat_models.token_estimate import estimate_tokens
from app.domain.passages import Passage, Scope
from app.grounding.prompts import passage_part
from app.services.library_passages import LibraryPassages
from app.services.turn_seams import Turn

INSTEAD = 12
"""Passages that may stand for a file which is too long."""

TOO_LONG = (
    "{name} is too long to be read whole: it has about {size:,} tokens, and there is room for {room:,}. Its passages"
    " that fit the question best are used instead. “Room for passages” in the settings makes more room."
)
NOTHING = "{name} holds no text that could be read, so it was left out."


class Pinning:
    """The ``pin`` seam."""

    def __init__(self, passages: LibraryPassages) -> None:
        self._passages = passages

    async def pin(self, turn: Turn, ids: Sequence[int], budget: int) -> list[Passage]:
        """The pages of the documents in order, within ``budget`` tokens; ``turn.note`` says what does not fit.

        Of a document that does not fit, the best passages are taken, as far as there is room.
        """
        chosen: list[Passage] = []
        for document_id in dict.fromkeys(ids):
            chosen += await asyncio.to_thread(self._of, turn, document_id, budget - sum(map(_cost, chosen)))
        return chosen

    def _of(self, turn: Turn, document_id: int, room: int) -> list[Passage]:
        pages = [each.passage for each in self._passages.parts(document_id)]
        name = pages[0].path.name if pages else "A pinned file"
        if not pages:
            turn.note(NOTHING.format(name=name))
            return []
        size = sum(map(_cost, pages))
        if size <= room:
            return pages
        turn.note(TOO_LONG.format(name=name, size=size, room=max(room, 0)))
        scope = Scope(document_ids=frozenset({document_id}), session=turn.session_id)
        return _fitting(self._passages.search(turn.question, k=INSTEAD, scope=scope), room)


def _fitting(passages: Sequence[Passage], room: int) -> list[Passage]:
    """The best passages, as many as fit."""
    chosen: list[Passage] = []
    for each in passages:
        room -= _cost(each)
        if room < 0:
            break
        chosen.append(each)
    return chosen


def _cost(passage: Passage) -> int:
    """Tokens of a passage in a prompt, its head included."""
    return estimate_tokens(passage_part("p99", passage).text)
