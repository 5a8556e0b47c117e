"""One turn: question, passages, streamed answer, footnotes, checked sentences, stored message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.chat_models.loop_thread import closing
from app.domain.citations import AnswerSentence, Citation
from app.domain.errors import UserFacingError
from app.domain.messages import Accumulator, AIMessage, AIMessageChunk, HumanMessage, ImagePart, Message
from app.domain.passages import Passage
from app.domain.pictures import picture_markdown, without_pictures
from app.domain.turn_options import Strictness
from app.domain.turns import (
    CitationAdded,
    MessageStatus,
    NoteAdded,
    ReasoningAdded,
    StoredMessage,
    TextAdded,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
)
from app.grounding.continuing import GO_ON, passage_of, with_passage_ids
from app.grounding.footnotes import FootnoteWriter
from app.grounding.markers import MarkerParser, Piece
from app.grounding.prompts import Prompt, is_refusal
from app.grounding.why_not import NOT_FROM_DOCUMENTS, rests_on_nothing, why_not_found
from app.services.turn_notes import TurnNotes
from app.services.turn_parts import ModelFacts, TurnParts
from app.services.turn_preparation import TurnPreparation
from app.services.turn_record import TurnRecord
from app.services.turn_seams import Turn
from app.services.turn_tools import TurnTools

if TYPE_CHECKING:
    from app.chat_models.model import ChatModel

OUR_FAULT = "Something went wrong inside Footnote, and it was not your question. Ask again; the log has the details."
NO_ANSWER = "The model sent an empty answer. Ask again, or choose another model."


class TurnRun:
    """Runs one turn and hands its events to ``emit``. Cancelling the task that runs it stops the turn."""

    def __init__(self, record: TurnRecord, parts: TurnParts, emit: Callable[[TurnEvent], None]) -> None:
        self._record = record
        self._parts = parts
        self._emit = emit
        self._notes = TurnNotes()
        self._facts = ModelFacts()
        self._prompt = Prompt(())
        self._parser = MarkerParser(())
        self._writer = FootnoteWriter({})
        self._said_no = False

    async def run(self, turn: Turn) -> None:
        """Run the turn to its end; the last event says how it ended.

        Raises ``BadInputError`` if the session is gone, before any event; whatever is a bug of ours is stored as a
        failure and raised.
        """
        turn = replace(turn, give=self._give, note=self._remark)
        try:
            await self._record.open()
            turn = replace(turn, question=self._record.question)
            self._notes.began(turn)
            self._emit(TurnStarted(turn.session_id, self._record.question_id, self._record.answer_id))
            model = await asyncio.to_thread(self._open_model)
            await self._prepare(turn)
            await self._stream(model, turn)
            self._emit(TurnFinished(await self._finish(turn)))
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

    # what seams may do ----------------------------------------------------------------------------------------------

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

    def _remark(self, text: str) -> None:
        self._notes.remark(text)
        self._emit(NoteAdded(text))

    # the answer -----------------------------------------------------------------------------------------------------

    def _open_model(self) -> ChatModel:
        self._facts = self._parts.model_facts()
        return self._parts.open_model()

    async def _prepare(self, turn: Turn) -> None:
        preparation = TurnPreparation(self._parts, self._facts, self._record.history, self._notes, self._emit)
        self._prompt = await preparation.prompt(turn)
        self._record.mark("retrieved")
        general = turn.strictness is Strictness.OPEN
        self._parser = MarkerParser(self._prompt.passages, self._prompt.bare_numbers, general=general)
        self._writer = FootnoteWriter(self._prompt.passages)
        if self._record.begun is not None:
            self._go_on(self._record.begun)

    def _go_on(self, begun: StoredMessage) -> None:
        """Take the part of an answer that is there as written, and ask for the rest."""
        written = with_passage_ids(begun, self._give([passage_of(each) for each in begun.citations]))
        self._writer.add(self._parser.feed(written))
        more = (AIMessage(without_pictures(written)), HumanMessage(GO_ON))
        self._prompt = replace(self._prompt, messages=(*self._prompt.messages, *more))

    async def _stream(self, model: ChatModel, turn: Turn) -> None:
        tools = TurnTools(turn, self._parts.seams, self._emit, self._notes.used_tool)
        bound = tools.bound(model)
        messages: list[Message] = list(self._prompt.messages)
        for left in range(tools.rounds, -1, -1):
            last = left == 0 and tools.rounds > 0
            answer = await self._one_answer(bound.bind(tool_choice="none") if last else bound, messages)
            results = [] if left == 0 else await tools.results(answer)
            if not results:
                break
            messages += [answer, *results]
            self._apart()
        self._show(self._parser.finish())

    async def _one_answer(self, model: ChatModel, messages: Sequence[Message]) -> AIMessage:
        total = Accumulator()
        async with closing(model.astream(messages)) as chunks:
            async for chunk in chunks:
                total.add(chunk)
                await self._take(chunk)
        return total.message()

    async def _take(self, chunk: AIMessageChunk) -> None:
        self._notes.received(chunk)
        if chunk.response_metadata.get("answered") is False:
            self._said_no = True
        if reasoning := chunk.reasoning:
            self._emit(ReasoningAdded(reasoning))
        if text := chunk.text:
            self._show(self._parser.feed(text))
            await self._record.checkpoint(lambda: self._writer.text)
        for part in chunk.parts:
            if isinstance(part, ImagePart):
                self._show([*self._parser.feed("\n\n"), picture_markdown(part)])

    def _apart(self) -> None:
        """Begin a paragraph, where a model spoke before it called a tool."""
        if self._writer.text.strip():
            self._show(self._parser.feed("\n\n"))

    def _show(self, pieces: list[Piece]) -> None:
        for addition in self._writer.add(pieces):
            for citation in addition.citations:
                self._emit(CitationAdded(citation))
            if addition.text:
                self._record.mark("first_text")
                self._emit(TextAdded(addition.text))

    # the end --------------------------------------------------------------------------------------------------------

    async def _finish(self, turn: Turn) -> StoredMessage:
        if not self._writer.text.strip():
            raise UserFacingError(NO_ANSWER)
        self._record.mark("streamed")
        answered = not (self._said_no or (not self._writer.citations and is_refusal(self._writer.text)))
        self._notes.unread(*await asyncio.to_thread(self._parts.unread, turn.scope))
        if not answered:
            self._explain()
        sentences, citations = self._writer.finish()
        placed = await asyncio.to_thread(self._with_boxes, citations)
        if answered:
            sentences = await asyncio.to_thread(self._checked, turn, sentences)
            if turn.strictness is Strictness.STRICT and rests_on_nothing(sentences):
                self._remark(NOT_FROM_DOCUMENTS)
        return await self._store(MessageStatus.COMPLETE, sentences, placed, answered=answered)

    def _explain(self) -> None:
        """Say behind a refusal what came near and what could not be read."""
        details = self._notes.details(None, answered=False)
        # The built-in answerer names what is nearest itself, and only where it is near enough.
        near = () if self._said_no else [each.passage for each in details.near_misses]
        if why := why_not_found(near, details.unread, details.unread_count):
            self._show([f" {why}"])

    def _checked(self, turn: Turn, sentences: Sequence[AnswerSentence]) -> tuple[AnswerSentence, ...]:
        claims = self._writer.claims()
        return self._parts.check(turn.question, sentences, claims, self._prompt.passages, turn.strictness)

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
            status,
            self._writer.text,
            sentences=sentences,
            citations=citations,
            answered=answered,
            error=error,
            details=self._notes.details(self._facts.prices, answered=answered),
        )

    def _with_boxes(self, citations: tuple[Citation, ...]) -> tuple[Citation, ...]:
        sources = self._writer.sources
        return tuple(
            replace(each, boxes=self._parts.boxes(sources[each.number], each.start, each.end)) for each in citations
        )
