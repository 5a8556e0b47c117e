"""A task whose result is an answer in a chat: stored as it grows, with footnotes, and kept however it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

from app.domain.citations import Citation
from app.domain.documents import Box
from app.domain.errors import UserFacingError
from app.domain.passages import Passage
from app.domain.turn_details import AttachedNote, Task, TurnDetails, UnreadFile
from app.domain.turns import (
    CitationAdded,
    MessageStatus,
    NoteAdded,
    StoredMessage,
    TextAdded,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
)
from app.domain.whole_document import TaskEvent, TaskProgress, TaskStep
from app.grounding.footnotes import FootnoteWriter
from app.grounding.markers import Marker, MarkerParser, Piece
from app.services.turn_record import TurnRecord
from app.services.turn_run import OUR_FAULT

Boxes = Callable[[Passage, int, int], tuple[Box, ...]]


class TaskRun:
    """Lets a task write its answer. Cancelling the task that runs it stops it; ``last_words`` then end the answer.

    ``boxes`` blocks and is called in a thread.
    """

    def __init__(
        self, record: TurnRecord, session_id: str, task: Task, boxes: Boxes, emit: Callable[[TaskEvent], None]
    ) -> None:
        self._record = record
        self._session_id = session_id
        self._task = task
        self._boxes = boxes
        self._began: dict[TaskStep, float] = {}
        self._passages: dict[str, Passage] = {}
        self._parser = MarkerParser(())
        self._writer = FootnoteWriter(self._passages)
        self.emit = emit
        self.query = record.question
        self.unread: tuple[UnreadFile, ...] = ()
        self.attached: tuple[AttachedNote, ...] = ()
        self.answered = True
        self.last_words: Callable[[], str] = str
        self._remarks: list[str] = []

    @property
    def text(self) -> str:
        """The answer so far."""
        return self._writer.text

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The footnotes so far."""
        return self._writer.citations

    async def run(self, work: Callable[[TaskRun], Awaitable[None]]) -> None:
        """Run the task to its end. Raises ``BadInputError`` if the session is gone, before any event."""
        try:
            await self._record.open()
            self.emit(TurnStarted(self._session_id, self._record.question_id, self._record.answer_id))
            await work(self)
            self._end()
            self.emit(TurnFinished(await self._store(MessageStatus.COMPLETE)))
        except asyncio.CancelledError:
            if not self._record.answer_id:
                raise
            self._end(self.last_words())
            self.emit(TurnStopped(await self._store(MessageStatus.STOPPED)))
        except UserFacingError as error:
            if not self._record.answer_id:
                raise
            self._end(self.last_words())
            self.emit(TurnFailed(await self._store(MessageStatus.FAILED, str(error))))
        except Exception:
            if self._record.answer_id:
                self._end()
                await self._store(MessageStatus.FAILED, OUR_FAULT)
            raise

    def remark(self, text: str) -> None:
        """Tell the user something about the task."""
        self._remarks.append(text)
        self.emit(NoteAdded(text))

    def know(self, passages: Mapping[str, Passage]) -> None:
        """Let the answer cite these."""
        self._passages.update(passages)
        self._parser.know(self._passages)

    async def say(self, text: str) -> None:
        """Append to the answer, markers such as ``[p3]`` as footnotes; shown and stored as a stream is."""
        self._show(text)
        await self._record.checkpoint(lambda: self._writer.text)

    async def say_of(self, text: str, passages: Mapping[str, Passage]) -> None:
        """``say`` for a text that is whole and whose ids (``p1`` …) mean ``passages`` here only."""
        first = f"{len(self._passages)}:"
        self._passages.update({first + each: passage for each, passage in passages.items()})
        parser = MarkerParser(passages)
        pieces = [*parser.feed(text), *parser.finish()]
        self._add([_renamed(each, first) if isinstance(each, Marker) else each for each in pieces])
        await self._record.checkpoint(lambda: self._writer.text)

    def progress(
        self, step: TaskStep, done: int, total: int, unit: str, *, found: int = 0, path: Path | None = None
    ) -> None:
        """Tell how far the task is."""
        now = time.monotonic()
        began = self._began.setdefault(step, now)
        left = (now - began) / done * (total - done) if done and now > began else None
        self.emit(TaskProgress(step, done, total, unit, found, path, left))

    def _show(self, text: str) -> None:
        self._add(self._parser.feed(text))

    def _end(self, words: str = "") -> None:
        """Show what was held back, then ``words``."""
        self._add(self._parser.finish())
        if words:
            self._parser = MarkerParser(self._passages)
            self._show(f"\n\n{words}" if self._writer.text.strip() else words)
            self._add(self._parser.finish())

    def _add(self, pieces: list[Piece]) -> None:
        for addition in self._writer.add(pieces):
            for citation in addition.citations:
                self.emit(CitationAdded(citation))
            if addition.text:
                self.emit(TextAdded(addition.text))

    async def _store(self, status: MessageStatus, error: str = "") -> StoredMessage:
        sentences, citations = self._writer.finish()
        placed = await asyncio.to_thread(self._placed, citations) if status is MessageStatus.COMPLETE else citations
        details = TurnDetails(
            query=self.query,
            unread=self.unread,
            unread_count=len(self.unread),
            notes=tuple(self._remarks),
            attached=self.attached,
            task=self._task,
        )
        return await self._record.close(
            status,
            self._writer.text,
            sentences=sentences,
            citations=placed,
            answered=self.answered,
            error=error,
            details=details,
        )

    def _placed(self, citations: tuple[Citation, ...]) -> tuple[Citation, ...]:
        sources = self._writer.sources
        return tuple(replace(each, boxes=self._boxes(sources[each.number], each.start, each.end)) for each in citations)


def _renamed(marker: Marker, first: str) -> Marker:
    return replace(marker, passage_ids=tuple(first + each for each in marker.passage_ids))
