"""One turn: question, passages, streamed answer, footnotes, stored message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.chat_models.loop_thread import closing
from app.domain.citations import AnswerSentence, Citation
from app.domain.documents import Box
from app.domain.errors import UserFacingError
from app.domain.passages import Passage, Scope
from app.domain.turns import (
    CitationAdded,
    MessageStatus,
    PassagesFound,
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
from app.grounding.prompts import Prompt, build_prompt, is_refusal
from app.services.turn_record import TurnRecord

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


class TurnRun:
    """Runs one turn and hands its events to ``emit``. Cancelling the task that runs it stops the turn."""

    def __init__(
        self, record: TurnRecord, parts: TurnParts, session_id: str, emit: Callable[[TurnEvent], None]
    ) -> None:
        self._record = record
        self._parts = parts
        self._session_id = session_id
        self._emit = emit
        self._prompt = Prompt(())
        self._parser = MarkerParser(())
        self._writer = FootnoteWriter({})
        self._said_no = False

    async def run(self, question: str, scope: Scope) -> None:
        """Run the turn to its end; the last event says how it ended.

        Raises ``BadInputError`` if the session is gone, before any event; whatever is a bug of ours is stored as a
        failure and raised.
        """
        try:
            await self._record.open()
            self._emit(TurnStarted(self._session_id, self._record.question_id, self._record.answer_id))
            await self._prepare(question, scope)
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

    async def _prepare(self, question: str, scope: Scope) -> None:
        passages = await asyncio.to_thread(self._parts.retrieve, question, scope)
        self._record.mark("retrieved")
        self._prompt = build_prompt(question, passages, self._record.history, token_budget=self._parts.token_budget)
        self._parser = MarkerParser(self._prompt.passages, self._prompt.bare_numbers)
        self._writer = FootnoteWriter(self._prompt.passages)
        self._emit(PassagesFound(tuple(self._prompt.passages.values())))

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
