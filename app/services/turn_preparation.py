"""What happens in a turn before the model is asked: attachments, rewriting, search, memory, the prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.domain.passages import Passage
from app.domain.turn_details import NearMiss
from app.domain.turns import MemoryUsed, PassagesFound, QueryRewritten, StoredMessage, TurnEvent
from app.grounding.prompt_rules import rule_length, rules
from app.grounding.prompts import PlacedPassages, Prompt, compose, history_budget, place_passages
from app.grounding.recent_turns import recent_turns
from app.services.turn_notes import NO_ROOM, TurnNotes, sent_passage
from app.services.turn_parts import ModelFacts, TurnParts
from app.services.turn_seams import Attached, Remembered, Turn

ANSWER_RESERVE = 1_024
"""Tokens of a model's context that are kept for its answer and our rules."""


class TurnPreparation:
    """Makes the prompt of a turn."""

    def __init__(
        self,
        parts: TurnParts,
        facts: ModelFacts,
        history: Sequence[StoredMessage],
        notes: TurnNotes,
        emit: Callable[[TurnEvent], None],
    ) -> None:
        self._parts = parts
        self._facts = facts
        self._history = history
        self._notes = notes
        self._emit = emit

    async def prompt(self, turn: Turn) -> Prompt:
        """Search, remember and put it all together; the events say what was done."""
        seams = self._parts.seams
        attached = await seams.attach(turn, turn.options.attachments) if seams.attach else Attached()
        self._notes.attached(attached.fresh)
        turn = replace(turn, scope=attached.scope or turn.scope)
        query = await self._query(turn)
        placed = await self._placed(turn, query)
        remembered = await self._remembered(turn, query, placed)
        length = rule_length(self._facts.profile, local=self._facts.local)
        system = rules(length, turn.strictness, turn.options.instructions)
        prompt = compose(turn.question, placed, remembered.messages, system=system, extra=attached.parts, query=query)
        self._notes.budgeted(self._budget(), ANSWER_RESERVE)
        self._notes.prompted(prompt.messages, prompt.passages, remembered)
        self._emit(PassagesFound(tuple(prompt.passages.values())))
        return prompt

    async def _query(self, turn: Turn) -> str:
        rewrite = self._parts.seams.rewrite
        query = await rewrite(turn, turn.question, self._history) if rewrite else turn.question
        if query != turn.question:
            self._emit(QueryRewritten(query))
        return query

    async def _placed(self, turn: Turn, query: str) -> PlacedPassages:
        """The pinned documents, then what is found for ``query``, as far as there is room."""
        pin, budget = self._parts.seams.pin, self._budget()
        pinned = await pin(turn, turn.options.pinned, budget) if pin and turn.options.pinned else ()
        found = await asyncio.to_thread(self._parts.retrieve, query, turn.scope)
        wanted = _once([*pinned, *found.passages])
        placed = place_passages(wanted, budget)
        left_out = [*wanted[len(placed.passages) :], *found.rest]
        self._notes.searched(query, (NearMiss(sent_passage(each), NO_ROOM) for each in left_out))
        return placed

    def _budget(self) -> int:
        """The room for passages and memory: the setting, less where the model's context is smaller."""
        context = self._facts.profile.limits.context if self._facts.profile else None
        return min(self._parts.token_budget, max(context - ANSWER_RESERVE, 0)) if context else self._parts.token_budget

    async def _remembered(self, turn: Turn, query: str, placed: PlacedPassages) -> Remembered:
        remember, budget = self._parts.seams.remember, history_budget(placed, self._budget())
        if remember is None:
            messages = tuple(recent_turns(self._history, budget))
            return Remembered(messages, len(messages), len(self._history) - len(messages))
        remembered = await remember(turn, self._history, query, budget)
        self._emit(MemoryUsed(remembered.used, remembered.dropped, remembered.summary))
        return remembered


def _once(passages: Sequence[Passage]) -> list[Passage]:
    """Passages without those that lie inside one before them."""
    kept: list[Passage] = []
    for each in passages:
        if not any(
            other.document_id == each.document_id and other.start <= each.start and each.end <= other.end
            for other in kept
        ):
            kept.append(each)
    return kept
