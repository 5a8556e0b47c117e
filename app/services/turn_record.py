"""What is stored of a turn, in threads, so that the event loop never waits for the disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from app.domain.citations import AnswerSentence, Citation
from app.domain.errors import BadInputError
from app.domain.turn_details import TurnDetails
from app.domain.turn_options import TurnOptions
from app.domain.turns import ROOT, MessageStatus, StoredMessage
from app.storage.session_store import SessionStore

T = TypeVar("T")
LONGEST_TITLE = 60
_NO_OPTIONS = TurnOptions()


class TurnRecord:
    """The two stored messages of a turn: the question, and the answer as far as it has come."""

    def __init__(
        self,
        sessions: SessionStore,
        session_id: str,
        question: str,
        model: str,
        options: TurnOptions = _NO_OPTIONS,
        *,
        checkpoint_seconds: float,
    ) -> None:
        self._sessions = sessions
        self._session_id = session_id
        self._model = model
        self._options = options
        self._checkpoint_seconds = checkpoint_seconds
        self._began = time.monotonic()
        self._saved_at = self._began
        self._saving: asyncio.Future[None] | None = None
        self._timings: dict[str, float] = {}
        self.question = question
        self.history: list[StoredMessage] = []
        self.begun: StoredMessage | None = None
        self.question_id = 0
        self.answer_id = 0

    async def open(self) -> None:
        """Store the question and an empty answer; keep what was said before. Name a session without a title.

        Where the options say so, a stored question is answered once more, or an answer that was cut off (``begun``)
        goes on; ``question`` then is the stored one. Raises ``BadInputError`` if the session or message is gone.
        """
        await uninterrupted(self._open)

    def _open(self) -> None:
        record = self._sessions.session(self._session_id)
        if self._options.continue_id is not None:
            self._go_on(self._options.continue_id)
        elif self._options.question_id is not None:
            self._take_up(self._options.question_id)
            self._add_answer()
        else:
            self.history = self._before(self._options.parent_id)
            parent = self._options.parent_id
            self.question_id = self._sessions.add_message(self._session_id, "user", self.question, parent_id=parent).id
            self._add_answer()
        if not record.title.strip():
            self._sessions.rename(self._session_id, title_of(self.question))

    def _before(self, parent_id: int | None) -> list[StoredMessage]:
        """What was said before a question that follows ``parent_id``, oldest first."""
        if parent_id == ROOT:
            return []
        if parent_id is None:
            return self._sessions.messages(self._session_id)
        return self._sessions.path_to(parent_id)

    def _take_up(self, question_id: int) -> None:
        path = self._sessions.path_to(question_id)
        if not path or path[-1].role != "user" or path[-1].session_id != self._session_id:
            raise BadInputError("This question is no longer in the chat. Ask it again.")
        self.history, self.question, self.question_id = path[:-1], path[-1].text, question_id

    def _go_on(self, answer_id: int) -> None:
        begun = self._sessions.message(answer_id)
        if begun.role != "assistant" or begun.parent_id is None:
            raise BadInputError("This answer can't be continued. Ask the question again.")
        self._take_up(begun.parent_id)
        self.begun, self.answer_id = begun, answer_id
        self._sessions.update_message(answer_id, status=MessageStatus.STREAMING, error="")

    def _add_answer(self) -> None:
        self.answer_id = self._sessions.add_message(
            self._session_id,
            "assistant",
            "",
            status=MessageStatus.STREAMING,
            model=self._model,
            parent_id=self.question_id,
        ).id

    def mark(self, moment: str) -> None:
        """Note when a moment of the turn was reached for the first time, in seconds since the question."""
        self._timings.setdefault(moment, time.monotonic() - self._began)

    async def checkpoint(self, text: Callable[[], str]) -> None:
        """Store the answer so far, now if that is a while ago, else when it is, even if nothing comes until then: a
        killed process loses little of what was shown.

        ``text`` is called only then: putting a long answer together for every token would cost more than the tokens.
        """
        wait = self._saved_at + self._checkpoint_seconds - time.monotonic()
        if wait <= 0:
            await self._save(text)
        elif self._saving is None or self._saving.done():
            self._saving = asyncio.ensure_future(self._save_in(wait, text))

    async def _save_in(self, seconds: float, text: Callable[[], str]) -> None:
        await asyncio.sleep(seconds)
        if time.monotonic() - self._saved_at >= self._checkpoint_seconds:
            await self._save(text)

    async def _save(self, text: Callable[[], str]) -> None:
        self._saved_at = time.monotonic()
        so_far = text()
        await uninterrupted(lambda: self._sessions.update_message(self.answer_id, text=so_far))

    async def close(
        self,
        status: MessageStatus,
        text: str,
        *,
        sentences: Sequence[AnswerSentence] = (),
        citations: Sequence[Citation] = (),
        answered: bool = True,
        error: str = "",
        details: TurnDetails | None = None,
    ) -> StoredMessage:
        """Store how the turn ended."""
        self.mark("finished")
        if self._saving is not None:  # an earlier state must not be stored over the last one
            self._saving.cancel()
            await _end_of(self._saving)
        return await uninterrupted(
            lambda: self._sessions.update_message(
                self.answer_id,
                text=text,
                status=status,
                answered=answered,
                error=error,
                citations=citations,
                sentences=sentences,
                timings=self._timings,
                details=details,
            )
        )


async def uninterrupted(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread and wait for its end even if this task is cancelled meanwhile.

    A cancellation that arrived is not lost: it is raised where the task waits next.
    """
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    await _end_of(thread)
    return thread.result()


async def _end_of(future: asyncio.Future[Any]) -> None:
    """Wait for a future's end even if this task is cancelled meanwhile; it is cancelled again then."""
    cancelled = False
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            cancelled = True
    task = asyncio.current_task()
    if cancelled and task is not None:
        task.cancel()


def title_of(question: str) -> str:
    """Shorten a question to a title, at a space where there is one."""
    words = " ".join(question.split())
    if len(words) <= LONGEST_TITLE:
        return words
    cut = words[: LONGEST_TITLE - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[LONGEST_TITLE // 2 :] else cut).rstrip(" ,;:-") + "…"
