"""Runs the work of a session as a task of its own, one at a time, and hands out its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from app.chat_models.loop_thread import closing
from app.domain.cancellation import CancelToken
from app.services.turn_registry import RunningTurn, TurnRegistry

E = TypeVar("E")


async def events_of(
    turns: TurnRegistry,
    session_id: str,
    work: Callable[[Callable[[E], None]], Coroutine[Any, Any, None]],
    *,
    cancel: CancelToken | None = None,
    replace: bool = False,
) -> AsyncIterator[E]:
    """Start ``work`` with a function that takes its events, and yield them until it has ended.

    ``cancel``, closing the iterator and another turn that replaces this one cancel the task of ``work``. Raises
    ``BusyError`` when the session is busy and ``replace`` is false, and what ``work`` raises.
    """
    events: asyncio.Queue[E | None] = asyncio.Queue()
    stop = CancelToken()
    turn = RunningTurn(stop.cancel)
    await turns.claim(session_id, turn, replace=replace)
    task = asyncio.create_task(work(events.put_nowait))

    def ended(_: asyncio.Task[None]) -> None:
        turns.release(session_id, turn)
        events.put_nowait(None)

    task.add_done_callback(ended)
    tokens = [each for each in (stop, cancel) if each is not None]
    async with closing(_follow(task, events, tokens)) as following:
        async for event in following:
            yield event


async def _follow(
    task: asyncio.Task[None], events: asyncio.Queue[E | None], tokens: Sequence[CancelToken]
) -> AsyncIterator[E]:
    """Yield the events of a turn until ``None``; the tokens, or closing this iterator, cancel its task."""
    loop = asyncio.get_running_loop()
    forget = [each.on_cancel(lambda: _cancel(loop, task)) for each in tokens]
    try:
        while (event := await events.get()) is not None:
            yield event
        if not task.cancelled():
            task.result()
    finally:
        for each in forget:
            each()
        task.cancel()
        await asyncio.wait([task])


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(task.cancel)
