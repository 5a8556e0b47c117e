"""Asking the user before a tool runs: a turn waits until somebody answers, or time is up."""

from __future__ import annotations

import asyncio
import threading

from app.domain.turns import ToolCalled
from app.services.turn_seams import Turn

WAIT_SECONDS = 120.0


class ToolApprovals:
    """Holds the calls that wait for a word of the user. Thread-safe; turns may run on different loops.

    What is not answered within ``seconds`` is refused. ``answer`` may come from any thread. With ``always`` the tool
    need not be asked for again in that chat, until the program ends.
    """

    def __init__(self, *, seconds: float = WAIT_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], asyncio.Future[tuple[bool, bool]]] = {}
        self._allowed: set[tuple[str, str]] = set()

    async def approve(self, turn: Turn, call: ToolCalled) -> bool:
        """The ``approve`` seam: wait for the user. False where he refused or did not answer in time."""
        tool, waits = (turn.session_id, call.name), (turn.session_id, call.call_id)
        if tool in self._allowed:
            return True
        answer: asyncio.Future[tuple[bool, bool]] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting[waits] = answer
        try:
            allowed, always = await asyncio.wait_for(answer, self._seconds)
        except TimeoutError:
            turn.note(f"The model wanted to use {call.name} and was not answered in time, so it had to do without.")
            return False
        finally:
            with self._lock:
                self._waiting.pop(waits, None)
        if allowed and always:
            self._allowed.add(tool)
        return allowed

    def answer(self, session_id: str, call_id: str, allowed: bool, *, always: bool = False) -> bool:
        """Allow or refuse a call, as soon as ``ToolCalled`` has arrived. Returns False if it waits no more."""
        with self._lock:
            waiting = self._waiting.pop((session_id, call_id), None)
        if waiting is None:
            return False
        loop = waiting.get_loop()
        loop.call_soon_threadsafe(_settle, waiting, (allowed, always))
        return True

    @property
    def waiting(self) -> tuple[tuple[str, str], ...]:
        """The calls that wait: (session id, call id)."""
        with self._lock:
            return tuple(self._waiting)


def _settle(waiting: asyncio.Future[tuple[bool, bool]], answer: tuple[bool, bool]) -> None:
    if not waiting.done():
        waiting.set_result(answer)
