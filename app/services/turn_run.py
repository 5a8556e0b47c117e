"""One turn: question, passages, streamed answer, footnotes, stored message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.chat_models.loop_thread import closing
from app.domain.citations import AnswerSentence, Citation
from app.domain.documents import Box
from app.domain.errors import UserFacingError
from app.domain.passages import Passage, Scope
from app.domain.turn_options import TurnOptions
from app.domain.turns import (
    CitationAdded,
    MemoryUsed,
    MessageStatus,
    PassagesFound,
    QueryRewritten,
    StoredMessage,
    TextAdded,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
)
from app.grounding.footnotes import FootnoteWriter
from app.grounding.markers import MarkerParser, Piece
from app.grounding.prompts import PlacedPassages, Prompt, compose, history_budget, is_refusal, place_passages
from app.grounding.recent_turns import recent_turns
from app.services.turn_record import TurnRecord
from app.services.turn_seams import NO_SEAMS, Attached, Remembered, Turn, TurnSeams

if TYPE_CHECKING:
    from app.chat_models.model import ChatModel

OUR_FAULT = "Something went wrong inside Footnote, and it was not your question. Ask again; the log has the details."
NO_ANSWER = "The model sent an empty answer. Ask again, or choose another model."


@dataclass(frozen=True, slots=True)
class TurnParts:
    """What a turn works with. The functions block and are called in threads."""

    retrieve: Callable[[str, Scope], list[Passage]]
    open_model: Callable[[], ChatModel]
    boxes: Callable[[Passage, int, int], tuple[Box, ...]]
    token_budget: int
    seams: TurnSeams = NO_SEAMS


class TurnRun:
    """Runs one turn and hands its events to ``emit``. Cancelling the task that runs it stops the turn."""

    def __init__(
        self, record: TurnRecord, parts: TurnParts, session_id: str, model: str, emit: Callable[[TurnEvent], None]
    ) -> None:
        self._record = record
        self._parts = parts
        self._session_id = session_id
        self._model = model
        self._emit = emit
        self._prompt = Prompt(())
        self._parser = MarkerParser(())
        self._writer = FootnoteWriter({})
        self._said_no = False

    async def run(self, question: str, scope: Scope, options: TurnOptions) -> None:
        """Run the turn to its end; the last event says how it ended.

        Raises ``BadInputError`` if the session is gone, before any event; whatever is a bug of ours is stored as a
        failure and raised.
        """
        try:
            await self._record.open()
            self._emit(TurnStarted(self._session_id, self._record.question_id, self._record.answer_id))
            await self._prepare(self._turn(question, scope, options))
            await self._stream()
            self._emit(TurnFinished(await self._finish()))
        except asyncio.CancelledError:
            if not self._record.answer_id:
                raise
            self._emit(TurnStopped(await self._close(MessageStatus.STOPPED)))
        except UserFacingError as error:
            if not self._record.answer_id:
                raise
            self._emit(TurnFailed(await self._close(MessageStatus.FAILED, error=str(error))))
        except Exception:
            if self._record.answer_id:
                await self._close(MessageStatus.FAILED, error=OUR_FAULT)
            raise

    def _turn(self, question: str, scope: Scope, options: TurnOptions) -> Turn:
        return Turn(self._session_id, question, self._model, options, scope, self._parts.open_model, self._give)

    def _give(self, passages: Sequence[Passage]) -> list[str]:
        """Let the model cite more passages; return their ids."""
        known = self._prompt.passages
        ids = {(each.document_id, each.start, each.end): passage_id for passage_id, each in known.items()}
        for each in passages:
            place = (each.document_id, each.start, each.end)
            if place not in ids:
                ids[place] = f"p{len(known) + 1}"
                known[ids[place]] = each
        self._parser.know(known)
        return [ids[each.document_id, each.start, each.end] for each in passages]

    async def _prepare(self, turn: Turn) -> None:
        seams, history = self._parts.seams, self._record.history
        if seams.attach is not None:
            attached = await seams.attach(turn, turn.options.attachments)
            turn = replace(turn, scope=attached.scope or turn.scope)
        else:
            attached = Attached()
        query = await seams.rewrite(turn, turn.question, history) if seams.rewrite else turn.question
        if query != turn.question:
            self._emit(QueryRewritten(query))
        placed = await self._placed(turn, query)
        self._record.mark("retrieved")
        remembered = await self._remembered(turn, placed)
        self._prompt = compose(turn.question, placed, remembered.messages, extra=attached.parts)
        self._parser = MarkerParser(self._prompt.passages, self._prompt.bare_numbers)
        self._writer = FootnoteWriter(self._prompt.passages)
        self._emit(PassagesFound(tuple(self._prompt.passages.values())))

    async def _placed(self, turn: Turn, query: str) -> PlacedPassages:
        """The pinned documents, then what is found for ``query``, as far as there is room."""
        budget = self._parts.token_budget
        pinned: Sequence[Passage] = ()
        if turn.options.pinned and self._parts.seams.pin is not None:
            pinned = await self._parts.seams.pin(turn, turn.options.pinned, budget)
        found = await asyncio.to_thread(self._parts.retrieve, query, turn.scope)
        return place_passages([*pinned, *found], budget)

    async def _remembered(self, turn: Turn, placed: PlacedPassages) -> Remembered:
        budget, history = history_budget(placed, self._parts.token_budget), self._record.history
        if self._parts.seams.remember is None:
            messages = tuple(recent_turns(history, budget))
            return Remembered(messages, len(messages), len(history) - len(messages))
        remembered = await self._parts.seams.remember(turn, history, turn.question, budget)
        self._emit(MemoryUsed(remembered.used, remembered.dropped, remembered.summary))
        return remembered

    async def _stream(self) -> None:
        model = await asyncio.to_thread(self._parts.open_model)
        async with closing(model.astream(self._prompt.messages)) as chunks:
            async for chunk in chunks:
                if chunk.response_metadata.get("answered") is False:
                    self._said_no = True
                if chunk.text:
                    self._show(self._parser.feed(chunk.text))
                    await self._record.checkpoint(self._writer.text)
        self._show(self._parser.finish())

    def _show(self, pieces: list[Piece]) -> None:
        for addition in self._writer.add(pieces):
            for citation in addition.citations:
                self._emit(CitationAdded(citation))
            if addition.text:
                self._record.mark("first_text")
                self._emit(TextAdded(addition.text))

    async def _finish(self) -> StoredMessage:
        if not self._writer.text.strip():
            raise UserFacingError(NO_ANSWER)
        sentences, citations = self._writer.finish()
        placed = await asyncio.to_thread(self._with_boxes, citations)
        answered = not (self._said_no or (not citations and is_refusal(self._writer.text)))
        return await self._store(MessageStatus.COMPLETE, sentences, placed, answered=answered)

    async def _close(self, status: MessageStatus, error: str = "") -> StoredMessage:
        """Store the part that had arrived, what was held back included."""
        self._show(self._parser.finish())
        sentences, citations = self._writer.finish()
        return await self._store(status, sentences, citations, answered=bool(self._writer.text), error=error)

    async def _store(
        self,
        status: MessageStatus,
        sentences: tuple[AnswerSentence, ...],
        citations: tuple[Citation, ...],
        *,
        answered: bool,
        error: str = "",
    ) -> StoredMessage:
        return await self._record.close(
            status, self._writer.text, sentences=sentences, citations=citations, answered=answered, error=error
        )

    def _with_boxes(self, citations: tuple[Citation, ...]) -> tuple[Citation, ...]:
        sources = self._writer.sources
        return tuple(
            replace(each, boxes=self._parts.boxes(sources[each.number], each.start, each.end)) for each in citations
        )
