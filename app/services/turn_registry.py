"""One turn at a time per session."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future

from app.domain.errors import UserFacingError


class BusyError(UserFacingError):
    """The session is answering another question."""


class RunningTurn:
    """A turn that holds its session. ``stop`` may be called from any thread."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self.stop = stop
        self.ended: Future[None] = Future()


class TurnRegistry:
    """Which session is answering. Thread-safe; turns may run on different event loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, RunningTurn] = {}

    async def claim(self, session_id: str, turn: RunningTurn, *, replace: bool) -> None:
        """Give the session to ``turn``. With ``replace`` the running turn is stopped first, and its answer stored.

        Raises ``BusyError`` when the session is busy and ``replace`` is false.
        """
        while (other := self._take(session_id, turn)) is not None:
            if not replace:
                raise BusyError("This chat is still answering another question. Wait for it, or stop it first.")
            other.stop()
            await asyncio.wrap_future(other.ended)

    def release(self, session_id: str, turn: RunningTurn) -> None:
        """Take the session from ``turn``, and wake whoever waits for it. Does nothing the second time."""
        with self._lock:
            if self._running.get(session_id) is turn:
                del self._running[session_id]
        if not turn.ended.done():
            turn.ended.set_result(None)

    def busy(self, session_id: str) -> bool:
        """Whether the session is answering."""
        with self._lock:
            return session_id in self._running

    def _take(self, session_id: str, turn: RunningTurn) -> RunningTurn | None:
        with self._lock:
            other = self._running.setdefault(session_id, turn)
            return None if other is turn else other
